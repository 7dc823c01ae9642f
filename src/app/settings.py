"""The API's settings, read from the environment, and its limits."""

import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from model.config import MAX_IMAGE_BYTES, MODELS_DIR

API_VERSION = "2.0.0"  # the API's own; CHANGELOG.md says what changed
MAX_FILE_BYTES = MAX_IMAGE_BYTES
MAX_BATCH_FILES = 64
MAX_BATCH_MB = 16
MAX_BODY_BYTES = MAX_BATCH_MB * 1_000_000 + 500_000  # with the form's headers and its examples
LARGE_IMAGE_PIXELS = 4_000_000  # larger images are decoded one at a time
MAX_WORK_SECONDS = 10.0  # from the last byte of a request to its answer
HUNG_SECONDS = 20.0  # no job takes so long: the thread hangs
MAX_ADAPTED = 64  # classifiers adapted to examples, and the examples, that a worker keeps


class ApiSettings(BaseSettings):
    """The API's settings; each field is the environment variable ``API_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="API_", env_ignore_empty=True)

    model: str = Field("cnn", description="the default model")
    models_dir: Path = Field(MODELS_DIR, validation_alias="MODELS_DIR", description="their folder")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    root_path: str = Field("", description="path prefix that a proxy strips")
    trusted_proxies: str = Field("", description="proxies whose X-Forwarded-For counts; * for all")
    workers: int = Field(1, ge=1, le=64, description="processes, each with the models")
    cors_origins: str = Field("", description="origins of pages that may call, with commas between")
    token: SecretStr = Field(SecretStr(""), description="token that /api and /v2 ask for, if any")
    queue: int = Field(64, ge=1, description="requests that may wait or be done; beyond it 503")
    heavy_queue: int = Field(16, ge=1, description="the same for large images and batches")
    upload_seconds: float = Field(30, gt=0, description="time for a request's body; then 408")

    @field_validator("token")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip()  # a file that held it ends in a line break
        if value and not re.fullmatch("[ -~]+", token):
            raise ValueError("use printable ASCII characters, or leave it empty to ask for none")
        return SecretStr(token)
