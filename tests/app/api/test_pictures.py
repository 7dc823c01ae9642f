"""Every format gives the digit that a PNG gives; what else files hold: test_decode.py."""

import numpy as np
import pytest
from PIL import ImageOps


def reads_as_plain(predict, data: bytes, png: bytes) -> bool:
    answer, plain = predict(data).json(), predict(png).json()
    assert "prediction" in answer, answer
    difference = np.abs(np.subtract(answer["probabilities"], plain["probabilities"])).max()
    return answer["prediction"] == plain["prediction"] and difference < 0.02


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("inverted", [False, True])
def test_formats_and_polarities_are_read_as_the_plain_picture(
    predict, drawing, encode, png, format_, inverted
):
    picture = ImageOps.invert(drawing) if inverted else drawing
    assert reads_as_plain(predict, encode(picture, format_), png)
