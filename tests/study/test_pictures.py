import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from study.pictures import PREPROCESSED, RESIZED, RULE, drawn_sets, mnist_rule


def png(background: int, ink: int) -> bytes:
    """A stroke in one corner of a large picture."""
    picture = Image.new("L", (200, 200), background)
    ImageDraw.Draw(picture).rectangle((20, 30, 39, 109), fill=ink)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(("background", "ink"), [(0, 255), (255, 0), (230, 60)])
def test_mnists_rule_scales_to_twenty_pixels_and_centres(background, ink):
    image = mnist_rule(png(background, ink))
    rows, columns = image.nonzero()
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 5)
    assert (round(rows.mean()), round(columns.mean())) == (14, 14)


def test_strokes_and_pictures_are_preprocessed_in_each_way(tmp_path):
    line = {"label": 1, "writer": "ada", "strokes": [[[10, 0], [10, 100]]]}
    (tmp_path / "pen.jsonl").write_text(json.dumps(line))
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1_a.png").write_bytes(png(0, 255))
    (folder / "2_blank.png").write_bytes(png(0, 0))

    loaded = drawn_sets([tmp_path / "pen.jsonl"], folder)
    sets = {(one.on, one.preprocessing): one for one in loaded}
    for preprocessing in (RESIZED, RULE, PREPROCESSED):
        assert sets["pen", preprocessing].writers.tolist() == ["ada"]
        assert sets["pen", preprocessing].digits.images[0].any()
        assert sets["real pictures", preprocessing].digits.labels.tolist() == [1, 2]
        assert not sets["real pictures", preprocessing].digits.images[1].any()
    # the stroke lies in the corner where only the picture was made smaller
    assert not sets["real pictures", RESIZED].digits.images[0, :, 14:].any()
    assert sets["real pictures", RULE].digits.images[0, :, 14:].any()
