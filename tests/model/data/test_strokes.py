import gzip
import json
import math

import numpy as np
import pytest

from errors import StrokeFileError
from model.data.strokes import paint, read_strokes, render_strokes

SEVEN = {
    "label": 7,
    "writer": "ada",
    "strokes": [[(0, 0), (60, 0), (20, 100)], [(15, 50), (55, 50)]],
}


def box(image) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(image)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_samples_are_read_plain_and_gzipped(tmp_path):
    text = json.dumps(SEVEN) + "\n\n" + json.dumps({**SEVEN, "label": 1, "writer": "bob"}) + "\n"
    (tmp_path / "plain.jsonl").write_text(text)
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    plain = read_strokes(tmp_path / "plain.jsonl")
    assert [(r.label, r.writer) for r in plain] == [(7, "ada"), (1, "bob")]
    assert plain[0].strokes == SEVEN["strokes"]
    assert read_strokes(tmp_path / "packed.jsonl.gz") == plain


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "JSON"),
        ("[1, 2]", "object"),
        ('{"label": 3, "writer": "a"}', "strokes: Field required"),
        (json.dumps({**SEVEN, "label": 10}), "label"),
        (json.dumps({**SEVEN, "label": True}), "label"),
        (json.dumps({**SEVEN, "strokes": []}), "strokes: .*at least 1"),
        (json.dumps({**SEVEN, "strokes": [[]]}), "strokes: 0: .*at least 1"),
        (json.dumps({**SEVEN, "strokes": [[[1, 2, 3]]]}), "strokes: 0: 0: .*at most 2"),
        ('{"label": 7, "writer": "a", "strokes": [[[1, NaN]]]}', "strokes: 0: 0: 1: .*finite"),
        (json.dumps({**SEVEN, "strokes": [[[1, -1000001]]]}), "strokes: 0: 0: 1: .*-1000000"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path, line, complaint):
    path = tmp_path / "some.jsonl"
    path.write_text(f"{json.dumps(SEVEN)}\n{json.dumps(SEVEN)}\n{line}\n")
    with pytest.raises(StrokeFileError, match=f"line 3: .*{complaint}"):
        read_strokes(path)


def test_a_name_may_hold_what_python_takes_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "some.jsonl"
    line = json.dumps({**SEVEN, "writer": "a\u2028b\x85"}, ensure_ascii=False)
    path.write_bytes(f"{line}\r\n\r\n{line}\n".encode())
    assert [sample.writer for sample in read_strokes(path)] == ["a\u2028b\x85"] * 2


DAMAGED = gzip.compress(b"samples", mtime=0)[:10] + b"\xff" * 8  # a whole header: zlib complains


@pytest.mark.parametrize(
    "content", [None, b"", b"\n\n", b"\xff\xfe\xfa", b"\x1f\x8b\x08broken", DAMAGED]
)
def test_a_file_without_samples_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "some.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StrokeFileError, match=r"some\.jsonl"):
        read_strokes(path)


def test_a_line_covers_its_length_times_the_brush_and_two_round_caps():
    image = paint([np.array([[60.0, 70.0], [200.0, 180.0]])], 16.0)
    area = math.hypot(140, 110) * 16 + math.pi * 8**2
    assert image.sum() / 255 == pytest.approx(area, rel=0.02)
    assert box(image) == pytest.approx((62, 188, 52, 208), abs=1)
    levels = np.unique(image)
    assert levels[0] == 0 and levels[-1] == 255 and len(levels) > 5  # smooth edges


def test_joins_and_single_points_are_round():
    corner = np.array([[60.0, 60.0], [200.0, 60.0], [200.0, 200.0]])
    image = paint([corner], 24.0)
    assert image[60, 200] == 255 and image[49, 211] == 0
    dot = paint([np.array([[100.0, 100.0]])], 20.0)
    assert dot.sum() / 255 == pytest.approx(math.pi * 10**2, rel=0.03)


@pytest.mark.parametrize("extent", [0, 1e-320, 1e-9])
def test_strokes_that_hardly_reach_anywhere_are_a_dot(extent):
    dot = render_strokes([[(1.0, 0.0), (1.0, extent)]], np.random.default_rng(0))
    top, bottom, left, right = box(dot)
    assert bottom - top <= 26 and right - left <= 26


def test_size_place_and_brush_vary_within_their_ranges_and_the_brush_stays_on_the_canvas():
    sides, tops, lefts = [], [], []
    for seed in range(200):
        image = render_strokes(SEVEN["strokes"], np.random.default_rng(seed))
        assert image.shape == (280, 280)
        top, bottom, left, _ = box(image)
        sides.append(bottom - top)
        tops.append(top)
        lefts.append(left)
        assert image.sum() / 255 / (bottom - top) > 14
    assert 0.35 * 280 + 13 <= min(sides) < 130
    assert 225 < max(sides) <= 0.80 * 280 + 26
    assert min(tops) < 10 and max(tops) > 120 and max(lefts) > 150
