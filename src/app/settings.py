"""Every setting of the API, read from the environment, and its limits."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from model.config import MAX_IMAGE_BYTES, MODELS_DIR

API_VERSION = "1.2.0"  # the API's own; src/app/README.md says what changed
MEGABYTE = 1_000_000
FORM_OVERHEAD = 64_000  # bytes of a multipart body that are not the file's: headers, boundaries
MAX_FILE_BYTES = MAX_IMAGE_BYTES
MAX_BATCH_FILES = 64
MAX_BATCH_BYTES = 16 * MEGABYTE
MAX_BUFFERED_BYTES = 64 * MEGABYTE  # of all bodies that have arrived in part or wait, in a worker
MAX_INFERENCE_IMAGES = 256  # in one request of the Open Inference Protocol
MAX_TOP_K = 10
MAX_ADAPTED = 64  # classifiers adapted to examples that a worker keeps: 80 kB each
LARGE_IMAGE_PIXELS = 4_000_000  # larger images are decoded one at a time
MAX_WORK_SECONDS = 10.0  # from the last byte of a request to its answer; beyond it: 503
HEADER_SECONDS = 10.0  # in which the header section of a request must arrive
EXCHANGE_SECONDS = 90.0  # from a request's headers to the last byte of the answer that is taken
LINGER_SECONDS = 2.0  # a body that nobody reads is taken in for so long before the connection ...
LINGER_BYTES = 20 * MEGABYTE  # ... is closed, so that the client sees the answer; or for so much


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ApiSettings(BaseSettings):
    """The API's settings; each field is the environment variable ``API_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="API_", populate_by_name=True)

    model: str = Field("cnn", description="name of the default model")
    models_dir: Path = Field(MODELS_DIR, validation_alias=AliasChoices("MODELS_DIR", "models_dir"))
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    root_path: str = Field("", description="the prefix that a proxy in front strips")
    trusted_proxies: str = Field(
        "", description="addresses whose X-Forwarded-For counts; * for all"
    )
    workers: int = Field(1, ge=1, le=64)
    threads: int = Field(default_factory=usable_cores, ge=1, le=64)
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    # Asked for by /api and /v2 as bearer token; compose hands on an empty one where none is set.
    token: SecretStr = SecretStr("")

    queue: int = Field(64, ge=1, description="requests waiting or being worked on; beyond it: 503")
    heavy_queue: int = Field(16, ge=1, description="the same for large images and batches")
    max_connections: int = Field(1000, ge=1, description="beyond it: 503")
    upload_seconds: float = Field(
        30, gt=0, lt=EXCHANGE_SECONDS, description="time in which a request must arrive"
    )
    drain_seconds: float = Field(5, ge=0, description="from SIGTERM, in which /ready is 503")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Origins come as one comma-separated line."""
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

    @field_validator("token", mode="after")
    @classmethod
    def _without_space(cls, value: SecretStr) -> SecretStr:
        """A file that a token was read from ends in a line break, which no header can send."""
        return SecretStr(value.get_secret_value().strip())

    @field_validator("root_path", mode="after")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        """``/digits/`` means ``/digits``."""
        return value.rstrip("/")
