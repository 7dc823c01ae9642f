import pytest
from tests.support.pen import DIGITS, smooth

from bench import page


def test_median_and_95th_percentile_are_those_of_the_strokes():
    result = page.summary([0.5, 0.1, 0.3, 0.2, 0.4])
    assert result["strokes"] == 5
    assert result["median_seconds"] == 0.3
    assert result["p95_seconds"] == pytest.approx(0.48)  # between the fourth and the fifth
    assert result["slowest_seconds"] == 0.5


def test_the_table_has_one_row_with_all_three():
    row = page.table(page.summary([0.2, 0.3, 0.4])).splitlines()[-1]
    cells = [cell.strip() for cell in row.split("|")]
    assert cells[1:-1] == ["3 strokes", "0.30 s", "0.39 s", "0.40 s"]


@pytest.mark.parametrize("digit", DIGITS)
def test_the_pen_passes_through_the_points_of_its_strokes_and_stays_on_the_canvas(digit):
    for stroke in DIGITS[digit]:
        drawn = smooth(stroke)
        assert [drawn[0], drawn[-1]] == [stroke[0], stroke[-1]]
        assert set(stroke) <= set(drawn)
        assert all(0 < x < 280 and 0 < y < 280 for x, y in drawn)
