"""The API's errors as RFC 9457 problem details: one table of types, and what answers with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.settings import MAX_BATCH_BYTES, MAX_BATCH_FILES, MAX_FILE_BYTES, MEGABYTE
from errors import (
    BlankImageError,
    DamagedImageError,
    ImageError,
    ImageTooLargeError,
    UnreadableImageError,
)
from model.config import IMAGE_FORMATS, MAX_HEAVY_PIXELS, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE

MEDIA_TYPE = "application/problem+json"
PROBLEMS_PATH = "/problems"
OPEN_INFERENCE_PREFIX = "/v2"
RETRY_AFTER = {"Retry-After": "1"}  # seconds
MAX_FAULTS = 20  # of a request that are told: it may have as many as it has bytes


@dataclass(frozen=True)
class ProblemType:
    """One cause of failure: its stable code, the HTTP status, what it means and what to do."""

    code: Annotated[str, Field(examples=["blank-picture"])]
    status: Annotated[int, Field(examples=[422])]
    title: Annotated[str, Field(examples=["The picture is blank."])]
    advice: Annotated[str, Field(examples=["Draw or photograph one digit, large."])]


FORMATS = ", ".join(IMAGE_FORMATS)
_TYPES = (
    ProblemType("malformed-request", 400, "The request cannot be parsed.",
                "Send a well-formed multipart/form-data body; most HTTP clients build it."),
    ProblemType("unauthorized", 401, "The request has no valid token.",
                "Send the service's token: Authorization: Bearer TOKEN"),
    ProblemType("origin-not-allowed", 400, "Pages of this origin may not call the service.",
                "API_CORS_ORIGINS names the origins that may."),
    ProblemType("not-found", 404, "There is nothing at this path.",
                "See /docs for the paths that exist."),
    ProblemType("unknown-model", 404, "There is no such model.",
                "GET /api/v1/models lists the models that can be asked."),
    ProblemType("unknown-figure", 404, "There is no such figure.",
                "The model card or the study lists its figures."),
    ProblemType("no-study", 404, "The study has not been made yet.",
                "Make it with: bash run.sh compare"),
    ProblemType("method-not-allowed", 405, "The path does not take this method.",
                "The Allow header names the methods it takes."),
    ProblemType("upload-too-slow", 408, "The request did not arrive in time.",
                "Send it again over a faster connection, or send a smaller picture."),
    ProblemType("file-too-large", 413, "The file is too large.",
                f"Send at most {MAX_FILE_BYTES // MEGABYTE} MB a file."),
    ProblemType("batch-too-large", 413, "The batch is too large.",
                f"Send at most {MAX_BATCH_BYTES // MEGABYTE} MB in all."),
    ProblemType("too-many-pixels", 413, "The picture has too many pixels.",
                f"Send at most {MAX_IMAGE_PIXELS // 1_000_000} megapixels "
                f"({MAX_HEAVY_PIXELS // 1_000_000} of WebP, HEIC, AVIF) "
                f"and {MAX_IMAGE_SIDE:,} pixels a side."),
    ProblemType("wrong-content-type", 415, "The request has the wrong content type.",
                "Send a form (curl -F file=@digit.png URL) or the picture itself as the body "
                "(curl --data-binary @digit.png -H 'Content-Type: image/png' URL)."),
    ProblemType("not-a-picture", 415, "The file is no picture that can be read here.",
                f"Send one of {FORMATS}."),
    ProblemType("damaged-picture", 422, "The picture is damaged or truncated.",
                "Save it again as PNG or JPEG and send that."),
    ProblemType("no-file", 422, "The request holds no file.",
                "Put the picture into the form field that the endpoint names."),
    ProblemType("empty-file", 422, "The file is empty.", "Send a picture of one digit."),
    ProblemType("blank-picture", 422, "The picture is blank.",
                "Draw or photograph one digit, large and with contrast."),
    ProblemType("too-many-files", 422, "The batch has too many files.",
                f"Send at most {MAX_BATCH_FILES} files a request."),
    ProblemType("invalid-parameter", 422, "A parameter is unknown or not allowed.",
                "See /docs for the parameters and the values that each takes."),
    ProblemType("internal-error", 500, "The service failed.",
                "It is a fault of the service: report it with the X-Request-ID of the answer."),
    ProblemType("overloaded", 503, "The service has more work than it can take.",
                "Try again after the seconds that Retry-After gives."),
    ProblemType("not-ready", 503, "The service is starting or shutting down.",
                "Ask another instance, or try again soon."),
)  # fmt: skip
PROBLEMS: Mapping[str, ProblemType] = {kind.code: kind for kind in _TYPES}
_IMAGE_PROBLEMS: Mapping[type[ImageError], str] = {
    BlankImageError: "blank-picture",
    ImageTooLargeError: "too-many-pixels",
    DamagedImageError: "damaged-picture",
    UnreadableImageError: "not-a-picture",
}
_STATUS_PROBLEMS = {  # what Starlette and FastAPI raise themselves
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "file-too-large",
}


class InvalidParameter(BaseModel):
    """One of the faults of a request."""

    place: str = Field(alias="in", examples=["query"], description="query, path or body")
    name: str = Field(examples=["top_k"])
    detail: str = Field(examples=["Input should be less than or equal to 10"])


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(
        description="path of the explanation", examples=[f"{PROBLEMS_PATH}/blank-picture"]
    )
    code: str = Field(description="stable name of the cause", examples=["blank-picture"])
    title: str
    status: int
    detail: str = Field(description="what went wrong this time and what to do")
    instance: str = Field(description="path of the request", examples=["/api/v1/predict"])
    error: str | None = Field(None, description="under /v2 alone: `detail` again, for its clients")
    errors: list[InvalidParameter] | None = Field(
        None, description=f"of `invalid-parameter` alone: the first {MAX_FAULTS} faults"
    )


class ProblemError(HTTPException):
    """Ends a request with the problem of a code; ``detail`` says what to do."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        """Make the problem; the first ``errors`` are told, as ``InvalidParameter`` has them."""
        self.kind = PROBLEMS[code]
        self.errors = [dict(error) for error in errors[:MAX_FAULTS]]
        text = detail or " ".join(error["detail"] for error in self.errors)
        text = text or f"{self.kind.title} {self.kind.advice}"
        super().__init__(self.kind.status, text, dict(headers or {}))


def invalid_body(faults: Mapping[str, str]) -> ProblemError:
    """Return the problem of a body with such faults, by the name of the field."""
    errors = [{"in": "body", "name": name, "detail": text} for name, text in faults.items()]
    return ProblemError("invalid-parameter", errors=errors)


def image_problem(error: ImageError) -> ProblemError:
    """Return the problem that tells a client of ``error``."""
    return ProblemError(_IMAGE_PROBLEMS[type(error)], str(error))


def problem_body(problem: ProblemError, instance: str, root_path: str = "") -> dict[str, Any]:
    """Return the problem as the JSON object of RFC 9457.

    ``instance`` is the path of the request, ``root_path`` the prefix by which clients know the app.
    """
    body = {
        "type": f"{root_path}{PROBLEMS_PATH}/{problem.kind.code}",
        "code": problem.kind.code,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": instance,
    }
    return {**body, "errors": problem.errors} if problem.errors else body


def problem_response(request: Request, problem: ProblemError) -> JSONResponse:
    """Answer with a problem; under /v2 with the Open Inference Protocol's ``error`` as well."""
    request.state.problem = problem.kind.code
    scope = request.scope
    body = problem_body(problem, request.url.path, scope.get("root_path", ""))
    if is_under(scope, OPEN_INFERENCE_PREFIX):
        body["error"] = problem.detail
    return JSONResponse(body, problem.status_code, problem.headers, MEDIA_TYPE)


def is_under(scope: Scope, *prefixes: str) -> bool:
    """Whether a request's path, without the root path, lies under one of ``prefixes``."""
    path = get_route_path(scope) + "/"
    return any(path.startswith(prefix + "/") for prefix in prefixes)


def responses(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems called ``names``, with an example of each."""
    entries: dict[int | str, dict[str, Any]] = {}
    for problem in map(ProblemError, names):
        title, status = problem.kind.title, problem.status_code
        example = {"summary": title, "value": problem_body(problem, "/api/v1/predict")}
        if status in entries:
            title = f"{entries[status]['description']} / {title}"
            examples = entries[status]["content"][MEDIA_TYPE]["examples"]
        else:
            examples = {}
        examples[problem.kind.code] = example
        content = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": examples}
        entries[status] = {"description": title, "content": {MEDIA_TYPE: content}}
    return entries


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(request, _from_http_error(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(request, _from_validation_error(error))


def _from_http_error(error: HTTPException) -> ProblemError:
    """Name the errors that Starlette and FastAPI raise themselves."""
    if isinstance(error, ProblemError):
        return error
    headers = dict(error.headers or {})
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"
    return ProblemError(_STATUS_PROBLEMS[error.status_code], headers=headers)


def _from_validation_error(error: RequestValidationError) -> ProblemError:
    """Tell in words what is wrong with a request's parameters, all of it."""
    faults = []
    for fault in error.errors():
        place, *names = map(str, fault["loc"])
        name = ".".join(names)
        detail = f"The parameter {name} is not accepted: {fault['msg']}."
        if fault["type"] == "extra_forbidden":
            detail = f"There is no parameter {name!r}."
        faults.append({"in": place, "name": name, "detail": detail})
    return ProblemError("invalid-parameter", errors=faults)
