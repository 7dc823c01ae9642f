"""What routes ask for: the service, the parameters they share, the bytes of an upload."""

from typing import Annotated

from fastapi import Depends, Query, Request, UploadFile

from app.api.problems import ProblemError, megabytes
from app.api.service import Service
from app.settings import MAX_FILE_BYTES, MAX_TOP_K, MEGABYTE


async def get_service(request: Request) -> Service:
    """Return what the lifespan loaded."""
    return request.app.state.service


ServiceDep = Annotated[Service, Depends(get_service)]
ModelName = Annotated[
    str | None, Query(alias="model", description="name of a model; the default one if absent")
]
TopK = Annotated[int, Query(ge=1, le=MAX_TOP_K, description="how many digits `top_k` lists")]


async def read_upload(file: UploadFile) -> bytes:
    """Return the bytes of an uploaded file.

    Raises:
        ProblemError: "empty-file" or "file-too-large".
    """
    if not file.size:
        raise ProblemError("empty-file")
    if file.size > MAX_FILE_BYTES:
        raise ProblemError(
            "file-too-large",
            f"The file has {megabytes(file.size)}; send at most {MAX_FILE_BYTES // MEGABYTE} MB.",
        )
    return await file.read()
