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
CANVAS_SIZE = (360, 280)  # px, width and height: room for a digit of MNIST's proportions, or three
BRUSH_WIDTH = 20  # px: about MNIST's stroke width once the digit is scaled to 20 px of 28
MAX_EXAMPLES = 200  # per session: the API takes no more
MAX_CACHED_CARDS = 100
MAX_CACHED_FIGURES = 50
FIRST_PAUSE = 2  # s before the page asks an API again that failed; doubled each time
LONGEST_PAUSE = 30  # s


class PageSettings(BaseSettings):
    """Each field is the environment variable of its name in capitals, such as `API_URL`."""

    api_url: str = "http://localhost:8000"
    api_token: SecretStr = SecretStr("")  # empty where the API asks for none
    api_connect_seconds: float = 1.0
    api_answer_seconds: float = 5.0
    api_explain_seconds: float = 30.0
    api_live_seconds: float = 1.0  # later an answer to a drawing in the making is worth nothing
