"""The page's settings and limits; apart from the API's, which the page's container lacks."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings

MAX_FILE_BYTES = 5_000_000  # as the API
CANVAS_SIZE = (360, 280)  # px, width and height: room for a digit of MNIST's proportions, or three
BRUSH_WIDTH = 20  # px: about MNIST's stroke width once the digit is scaled to 20 px of 28
MAX_EXAMPLES = 200  # per session: the API takes no more


class PageSettings(BaseSettings):
    """Each field is the environment variable of its name in capitals, such as `API_URL`."""

    api_url: str = "http://localhost:8000"
    api_token: SecretStr = SecretStr("")  # empty where the API asks for none
    api_connect_seconds: float = 1.0
    api_answer_seconds: float = 5.0
    api_explain_seconds: float = 30.0
    api_live_seconds: float = 1.0  # later an answer to a drawing in the making is worth nothing
