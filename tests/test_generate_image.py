import importlib.util

import numpy as np
import pytest
from PIL import Image

from model.config import REPOSITORY
from model.data.mnist import load_mnist

spec = importlib.util.spec_from_file_location(
    "generate_image", REPOSITORY / "notebooks" / "generate_image.py"
)
generate_image = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate_image)


def test_it_writes_the_wanted_picture_of_every_digit(tmp_path):
    options = ["--data", "sample", "--number", "3", "--output", str(tmp_path / "new")]
    assert generate_image.main(options) == 0

    test = load_mnist("sample").test
    for digit in range(10):
        written = np.asarray(Image.open(tmp_path / "new" / f"{digit}.png"))
        assert (written == test.images[test.labels == digit][3].numpy()).all()


def test_a_number_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(SystemExit) as error:
        generate_image.main(["--data", "sample", "--number", "500", "--output", str(tmp_path)])
    assert error.value.code == 2


def test_data_that_cannot_be_had_is_an_error(tmp_path, capsys):
    assert generate_image.main(["--data", str(tmp_path / "nowhere")]) == 1
    assert "no folder" in capsys.readouterr().err
