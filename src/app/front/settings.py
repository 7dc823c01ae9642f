"""The page's settings, read from the environment, and its limits on images.

Apart from the API's settings because the page's container has nothing of the models; a test
compares the limits with the API's.
"""

from pydantic import SecretStr
from pydantic_settings import BaseSettings

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "BMP", "GIF")
MAX_FILE_BYTES = 5_000_000
MAX_PIXELS = 40_000_000
MAX_HEAVY_PIXELS = 16_000_000  # of WebP, AVIF and HEIC
CANVAS_SIDE = 280  # px: ten times MNIST's 28
WIDE_CANVAS = (560, 200)  # px, width and height: for a number
MAX_UNDO_STEPS = 50
MAX_HISTORY = 200  # drawings per session, and so examples: the API takes no more
MAX_CACHED_CARDS = 100
MAX_CACHED_FIGURES = 50
MAX_CACHED_ANSWERS = 500
MAX_CACHED_BATCHES = 20
MAX_CACHED_EXPLANATIONS = 20
BRUSH_WIDTHS = (10, 36)  # px, thinnest and thickest
BRUSH_WIDTH = 22  # px: about MNIST's stroke width once the digit is scaled to 20 px of 28
WIDE_BRUSH_WIDTH = 14  # px: the same on the wide canvas, where digits are smaller


class PageSettings(BaseSettings):
    """Each field is the environment variable of its name in capitals, such as `API_URL`."""

    api_url: str = "http://localhost:8000"
    api_token: SecretStr = SecretStr("")  # empty where the API asks for none
    api_connect_seconds: float = 1.0
    api_answer_seconds: float = 5.0
    api_explain_seconds: float = 30.0
    api_retry_seconds: float = 2.0  # between two checks whether an absent API is back
