"""The API's errors as RFC 9457 problem details: one table, and the handler that answers."""

import asyncio
from collections.abc import Mapping, Sequence
from http.client import responses
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.settings import MAX_BATCH_FILES, MAX_BATCH_MB, MAX_FILE_BYTES
from errors import (
    BlankImageError,
    DamagedImageError,
    DigitsError,
    ExamplesError,
    ImageError,
    ImageTooLargeError,
)

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 20  # of a request that are told: it may have as many as it has bytes

PROBLEMS: dict[str, tuple[int, str]] = {  # code: status, what to do
    "malformed-request": (400, "The request cannot be parsed: send a well-formed form."),
    "unauthorized": (401, "Send the service's token: Authorization: Bearer TOKEN"),
    "not-found": (404, "Nothing is at this path; /docs lists all paths, /health always answers."),
    "unknown-model": (404, "There is no such model; see /api/v1/models."),
    "method-not-allowed": (405, "The path does not take this method; see the Allow header."),
    "upload-too-slow": (408, "The request did not arrive in time: send a smaller picture."),
    "file-too-large": (413, f"Send at most {MAX_FILE_BYTES // 10**6} MB a file."),
    "payload-too-large": (413, f"Send fewer or smaller pictures: at most {MAX_BATCH_MB} MB."),
    "too-many-pixels": (413, "The picture has too many pixels: make it smaller."),
    "wrong-content-type": (415, "Send a form (curl -F file=@7.png URL), or the picture as body."),
    "not-a-picture": (415, "The file is not a picture that can be read here."),
    "damaged-picture": (422, "The picture is damaged: save it again as PNG or JPEG."),
    "no-file": (422, "Put the picture into the form field 'file' (a batch: 'files'), as a file."),
    "empty-file": (422, "The file is empty: send a picture of one digit."),
    "blank-picture": (422, "Draw or photograph one digit, large and with contrast."),
    "too-many-files": (422, f"Send one picture; to predict/batch at most {MAX_BATCH_FILES}."),
    "invalid-parameter": (422, "See /docs for the parameters and their values."),
    "http-error": (500, "The request failed: see /docs."),  # with the status of a library's error
    "internal-error": (500, "The service failed: report this with the X-Request-ID."),
    "overloaded": (503, "The service has too much to do: try again in a second."),
    "not-ready": (503, "The service cannot answer now: try again later."),
    "numbers-unavailable": (503, "This service reads no numbers; see `line` of /api/v1/models."),
}
# What an app must hand to ``answer``; the telemetry does so with what nobody expected.
HANDLED = (HTTPException, RequestValidationError, ClientDisconnect, TimeoutError, DigitsError)
IMAGE_PROBLEMS = {
    BlankImageError: "blank-picture",
    ImageTooLargeError: "too-many-pixels",
    DamagedImageError: "damaged-picture",
}


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    code: str = Field(description="stable name of the cause", examples=["blank-picture"])
    title: str = Field(description="the name of the status")
    status: int
    detail: str = Field(description="what went wrong and what to do")
    instance: str = Field(description="path of the request", examples=["/api/v1/predict"])
    errors: list[dict[str, str]] | None = Field(
        None, description="`in` (query, path, body), `name` and `detail` of each bad parameter"
    )
    error: str | None = Field(None, description="under /v2 alone: `detail` again")


# What OpenAPI says of all operations; ``BatchResponse`` makes the schema known.
_ERROR = {
    "description": "an error (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": _ERROR, "5XX": _ERROR}


class ProblemError(HTTPException):
    """Ends a request with the problem of a code; ``detail`` says what to do this time."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        errors: Sequence[dict[str, str]] = (),
    ) -> None:
        status, advice = PROBLEMS[code]
        self.code = code
        self.errors = list(errors[:MAX_FAULTS])
        told = detail or " ".join(error["detail"] for error in self.errors) or advice
        super().__init__(status, told, headers)


def invalid_body(name: str, detail: str) -> ProblemError:
    """The problem of a field of a body."""
    fault = {"in": "body", "name": name, "detail": detail}
    return ProblemError("invalid-parameter", errors=[fault])


def as_problem(error: BaseException) -> ProblemError:
    """The problem that tells a client of ``error``."""
    match error:
        case ProblemError():
            return error
        case HTTPException(status_code=404 | 405 as status):  # Starlette's
            code = "not-found" if status == 404 else "method-not-allowed"
            return ProblemError(code, headers=error.headers)
        case HTTPException():
            problem = ProblemError("http-error", str(error.detail), error.headers)
            problem.status_code = error.status_code
            return problem
        case RequestValidationError():
            return ProblemError("invalid-parameter", errors=[_fault(f) for f in error.errors()])
        case ExamplesError():
            name = "examples" if error.entry is None else f"examples[{error.entry}]"
            return invalid_body(name, str(error))
        case ImageError():
            return ProblemError(IMAGE_PROBLEMS.get(type(error), "not-a-picture"), str(error))
        case TimeoutError() | ClientDisconnect():
            return ProblemError("upload-too-slow")
        case asyncio.CancelledError():  # uvicorn does so to what outlasts SIGTERM
            return ProblemError("not-ready", "The service is stopping.")
    return ProblemError("internal-error")


def _fault(error: dict[str, Any]) -> dict[str, str]:
    """What FastAPI found wrong with a parameter, as ``Problem`` has it."""
    place, *names = map(str, error["loc"])
    name = ".".join(names)
    told = f"The parameter {name} is not accepted: {error['msg']}."
    return {"in": place, "name": name, "detail": told}


def describe(problem: ProblemError, path: str) -> dict[str, Any]:
    """What ``Problem`` documents, for a request to ``path``."""
    body = {
        "type": "about:blank",
        "code": problem.code,
        "title": responses.get(problem.status_code, "Error"),
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": path,
    }
    return {**body, "errors": problem.errors} if problem.errors else body


async def answer(request: Request, error: BaseException) -> JSONResponse:
    """Answer with the problem of ``error``, and leave its code to the telemetry."""
    problem = as_problem(error)
    request.state.problem = problem.code
    path = request.url.path
    body = describe(problem, path)
    if path.removeprefix(request.scope.get("root_path", "")).startswith("/v2"):
        body["error"] = problem.detail  # where the Open Inference Protocol has it
    return JSONResponse(body, problem.status_code, problem.headers, MEDIA_TYPE)
