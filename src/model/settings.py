"""Every setting of the model side: what MNIST is, where files lie, how each network is trained."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DATA_DIR = REPOSITORY / "data"
MODELS_DIR = Path(os.environ.get("MODELS_DIR", REPOSITORY / "models"))
VERSION = "0.0.1"

SIDE = 28  # an MNIST picture has 28 x 28 pixels
INK_SIDE = 20  # the longest side of the ink, in pixels, by MNIST's rule
CENTRE = 14  # the centre of mass rounds to this row and column index
CLASSES = 10
MEAN, STD = 0.1307, 0.3081  # of MNIST's training pixels in [0, 1]
