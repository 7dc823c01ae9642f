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

# What is accepted as a picture
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MAX_PICTURE_BYTES = 5_000_000
MAX_PICTURE_PIXELS = 40_000_000
WORKING_PIXELS = 4_000_000  # larger pictures are reduced first

# What counts as ink
MINIMUM_CONTRAST = 24  # grey levels between paper and ink, below which a picture is blank
SPECK_MASS = 0.2  # a detached group with less than this part of the ink ...
SPECK_SIDE = 0.3  # ... smaller than this part of the main group's longest side ...
SPECK_GAP = 0.1  # ... and farther off than this part of it is a speck, no stroke of the digit
DUST_MASS = 0.02  # MNIST's own crop includes dust of less than this part of the ink ...
DUST_GAP = 0.35  # ... so only what lies as far off as this is left out
