"""What routes ask for: the service, for those who have the token, and a request's pictures."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.problems import ProblemError, invalid_body
from app.api.service import Service
from app.settings import MAX_BATCH_BYTES, MAX_BATCH_FILES, MAX_BODY_BYTES
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


@asynccontextmanager
async def upload_deadline(service: Service) -> AsyncIterator[None]:
    """Give a request's body a limited time to arrive; beyond it "upload-too-slow"."""
    try:
        async with asyncio.timeout(service.settings.upload_seconds):
            yield
    except TimeoutError:
        raise ProblemError("upload-too-slow") from None


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

    async def __call__(self, request: Request) -> Upload:
        service: Service = request.app.state.service
        kind = request.headers.get("content-type", "").lower()
        if request.headers.get("content-encoding", "identity") != "identity":
            raise ProblemError("wrong-content-type", "Send the body as it is, not compressed.")
        async with upload_deadline(service):
            if kind.startswith(("image/", "application/octet-stream")):
                return Upload([await request.body()], None, time.perf_counter())
            if kind.startswith("multipart/form-data"):
                return await self._read_form(request)
        raise ProblemError("wrong-content-type" if kind else "no-file")

    async def _read_form(self, request: Request) -> Upload:
        _, options = parse_options_header(request.headers["content-type"])
        if options.get(b"charset", b"utf-8").lower() != b"utf-8":
            raise ProblemError("malformed-request", "Send the form in UTF-8.")
        # request.form() would not tell that a form is cut off: the last part is missing then.
        # The parser's limits of 1,000 files and 1,000 fields bound its work.
        parser = MultiPartParser(request.headers, request.stream(), max_part_size=MAX_BODY_BYTES)
        complete = asyncio.Event()
        parser.on_end = complete.set  # type: ignore[method-assign]
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise ProblemError("malformed-request", error.message) from error
        if not complete.is_set():
            raise ProblemError("malformed-request", "The form's last boundary is missing.")
        files = [file for file in form.getlist(self.field) if isinstance(file, UploadFile)]
        examples = [
            part.file.read() if isinstance(part, UploadFile) else part.encode()
            for part in form.getlist("examples")
            if part != ""  # as the form of /docs sends it
        ]
        if not files:
            raise ProblemError("no-file")
        for name in form:
            if name not in (self.field, "examples"):
                told = f"There is no form field {name!r}; options go into the address (?model=cnn)."
                raise invalid_body(name, told)
        if self.field == "file" and len(files) > 1:
            raise invalid_body("file", "Send one file; batches have their own path.")
        if len(examples) > 1:
            raise invalid_body("examples", "Send one field 'examples': a JSON array.")
        if len(files) > MAX_BATCH_FILES:
            raise ProblemError("too-many-files")
        if sum(file.size or 0 for file in files) > MAX_BATCH_BYTES:
            raise ProblemError("payload-too-large")
        pictures = [file.file.read() for file in files]
        return Upload(pictures, examples[0] if examples else None, time.perf_counter())


def describe_form(field: str) -> dict[str, Any]:
    """What OpenAPI says of the body that ``UploadReader`` reads."""
    picture = {"type": "string", "format": "binary"}
    pictures = picture if field == "file" else {"type": "array", "items": picture}
    examples = {
        "type": "string",
        "default": "",
        "description": f"1 to {MAX_EXAMPLES} digits of the person, {MAX_EXAMPLES_BYTES // 1000} kB "
        "in all, which the model learns before it answers; a picture is most often the `image` of "
        'an answer: [{"label": 7, "image": "data:image/png;base64,..."}]',
    }
    properties = {field: pictures, "examples": examples}
    form = {"type": "object", "required": [field], "properties": properties}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    if field == "file":
        content["image/*"] = content["application/octet-stream"] = {"schema": picture}
    return {"requestBody": {"required": True, "content": content}}


ServiceDep = Annotated[Service, Depends(get_service)]
Picture = Annotated[Upload, Depends(UploadReader("file"))]
Pictures = Annotated[Upload, Depends(UploadReader("files"))]
