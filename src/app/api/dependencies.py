"""What routes ask for: the service, for those who have the token, and a request's pictures."""

import asyncio
import hmac
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.problems import ProblemError, invalid_body
from app.api.service import Service
from app.settings import MAX_BATCH_FILES, MAX_BODY_BYTES
from model.classifier import Classifier
from model.examples import MAX_EXAMPLES, MAX_EXAMPLES_BYTES

MultiPartParser.spool_max_size = MAX_BODY_BYTES  # pictures stay in memory: the body is bounded
bearer = HTTPBearer(auto_error=False, description="asked for where API_TOKEN is set")


async def get_service(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Service:
    """The service, for a request that has its token."""
    service: Service = request.app.state.service
    token = service.settings.token.get_secret_value()
    sent = given.credentials if given else ""
    if token and not hmac.compare_digest(sent.encode(), token.encode()):
        raise ProblemError("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="digits"'})
    return service


ServiceDep = Annotated[Service, Depends(get_service)]


async def read_parts(request: Request) -> AsyncGenerator[bytes]:
    """Yield the parts of a body; raise "payload-too-large" at more than ``MAX_BODY_BYTES``."""
    size = 0
    announced = int(request.headers.get("content-length", 0))
    async for part in request.stream():
        size += len(part)
        if max(size, announced) > MAX_BODY_BYTES:  # Starlette's own limit answers in plain text
            raise ProblemError("payload-too-large")
        yield part


async def read_body(request: Request) -> bytes:
    """Read a whole body, as ``read_parts`` does."""
    return b"".join([part async for part in read_parts(request)])


class Upload(NamedTuple):
    """The pictures of a request; a person's examples; ``time.perf_counter()`` of their arrival."""

    pictures: list[bytes]
    examples: bytes | None
    received: float

    @property
    def milliseconds(self) -> float:
        """What has passed since then."""
        return round((time.perf_counter() - self.received) * 1000, 2)

    def describe(self, classifier: Classifier) -> dict[str, Any]:
        """What ends every answer, as ``Answer`` documents it."""
        answer: dict[str, Any] = {"model": classifier.name, "version": classifier.version}
        if classifier.examples:
            answer["examples"] = classifier.examples
        return {**answer, "milliseconds": self.milliseconds}


@dataclass(frozen=True)
class UploadReader:
    """Reads the pictures of a request: of a form, or one that is the body itself.

    ``field`` is the form's field: `file` for one picture, `files` for several.
    """

    field: str

    async def __call__(self, request: Request, service: ServiceDep) -> Upload:
        kind = request.headers.get("content-type", "").lower()
        if request.headers.get("content-encoding", "identity") != "identity":
            raise ProblemError("wrong-content-type", "Send the body as it is, not compressed.")
        async with asyncio.timeout(service.settings.upload_seconds):
            if kind.startswith(("image/", "application/octet-stream")):
                return Upload([await read_body(request)], None, time.perf_counter())
            if kind.startswith("multipart/form-data"):
                return await self._read_form(request)
        raise ProblemError("wrong-content-type" if kind else "no-file")

    async def _read_form(self, request: Request) -> Upload:
        # request.form() would not tell that a form is cut off: the last part is missing then.
        # The parser's limits of 1,000 files and 1,000 fields bound its work.
        parser = MultiPartParser(request.headers, read_parts(request), max_part_size=MAX_BODY_BYTES)
        complete = asyncio.Event()
        parser.on_end = complete.set  # type: ignore[method-assign]
        try:
            form = await parser.parse()
        except (MultiPartException, UnicodeError) as error:
            raise ProblemError("malformed-request", str(error)) from error
        if not complete.is_set():
            raise ProblemError("malformed-request", "The form's last boundary is missing.")
        files = [file for file in form.getlist(self.field) if isinstance(file, UploadFile)]
        if not files:
            raise ProblemError("no-file")
        if len(files) > (1 if self.field == "file" else MAX_BATCH_FILES):
            raise ProblemError("too-many-files")
        for name in form.keys() - {self.field, "examples"}:
            told = f"There is no form field {name!r}; options go into the address (?model=cnn)."
            raise invalid_body(name, told)
        examples = [
            part.file.read() if isinstance(part, UploadFile) else part.encode()
            for part in form.getlist("examples")
            if part != ""  # as the form of /docs sends it
        ]
        if len(examples) > 1:
            raise invalid_body("examples", "Send one field 'examples': a JSON array.")
        pictures = [file.file.read() for file in files]
        return Upload(pictures, examples[0] if examples else None, time.perf_counter())


def describe_form(field: str) -> dict[str, Any]:
    """What OpenAPI says of the body that ``UploadReader`` reads."""
    picture = {"type": "string", "format": "binary"}
    examples = {
        "type": "string",
        "default": "",
        "description": f"1 to {MAX_EXAMPLES} digits of the person, {MAX_EXAMPLES_BYTES // 1000} kB "
        "in all, which the model learns before it answers; a picture is most often the `image` of "
        'an answer: [{"label": 7, "image": "data:image/png;base64,..."}]',
    }
    pictures = picture if field == "file" else {"type": "array", "items": picture}
    properties = {field: pictures, "examples": examples}
    form = {"type": "object", "required": [field], "properties": properties}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    if field == "file":
        content["image/*"] = content["application/octet-stream"] = {"schema": picture}
    return {"requestBody": {"required": True, "content": content}}


Picture = Annotated[Upload, Depends(UploadReader("file"))]
Pictures = Annotated[Upload, Depends(UploadReader("files"))]
