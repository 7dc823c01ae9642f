"""Every setting of the API, read from the environment, and its limits."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from model.config import MAX_IMAGE_BYTES, MODELS_DIR

MEGABYTE = 1_000_000
FORM_OVERHEAD = 64_000  # bytes of a multipart body that are not the file's: headers, boundaries
MAX_FILE_BYTES = MAX_IMAGE_BYTES
MAX_BATCH_FILES = 64
MAX_BATCH_BYTES = 16 * MEGABYTE
MAX_HELD_BYTES = 100 * MEGABYTE  # of all bodies that have arrived in part or wait, in a worker
MAX_INFERENCE_IMAGES = 256  # in one request of the Open Inference Protocol
MAX_TOP_K = 10
QUICK_PICTURE_PIXELS = 262_144  # 512 x 512: PNGs up to that are read at once, in the event loop
QUICK_PICTURE_BYTES = 100_000  # unless they have more bytes than that: who draws sends few
LARGE_IMAGE_PIXELS = 4_000_000  # larger pictures are decoded one at a time


class ApiSettings(BaseSettings):
    """The API's settings; each field is the environment variable ``API_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="API_", populate_by_name=True)

    model: str = Field("cnn", description="name of the default model")
    models_dir: Path = Field(MODELS_DIR, validation_alias=AliasChoices("MODELS_DIR", "models_dir"))
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()

    queue: int = Field(64, ge=1, description="pictures waiting or being read; beyond it: 503")
    heavy_queue: int = Field(16, ge=1, description="the same for large pictures and batches")
    upload_seconds: float = Field(30, gt=0, description="time in which a request must arrive")
    drain_seconds: float = Field(5, ge=0, description="after SIGTERM, for requests in flight")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Origins come as one comma-separated line."""
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value
