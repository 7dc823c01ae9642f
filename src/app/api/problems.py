"""The API's errors as RFC 9457 problem details: one table of types, and what answers with them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.settings import MAX_BATCH_BYTES, MAX_BATCH_FILES, MAX_FILE_BYTES, MEGABYTE
from errors import (
    BlankImageError,
    DamagedImageError,
    ImageError,
    ImageTooLargeError,
    UnreadableImageError,
)
from model.config import (
    IMAGE_FORMATS,
    MAX_HEAVY_PIXELS,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE,
)

MEDIA_TYPE = "application/problem+json"
OPEN_INFERENCE_PREFIX = "/v2"
RETRY_AFTER = {"Retry-After": "1"}  # seconds


@dataclass(frozen=True)
class ProblemType:
    """One cause of failure: its stable name, the HTTP status, what it means and what to do."""

    name: str
    status: int
    title: str
    advice: str


_FORMATS = ", ".join(IMAGE_FORMATS)
_TYPES = (
    ProblemType("malformed-request", 400, "The request cannot be parsed.",
                "Send a well-formed multipart/form-data body; most HTTP clients build it."),
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
                "Send multipart/form-data, for instance: curl -F file=@digit.png URL"),
    ProblemType("not-a-picture", 415, "The file is no picture that can be read here.",
                f"Send one of {_FORMATS}."),
    ProblemType("damaged-picture", 415, "The picture is damaged or truncated.",
                "Save it again as PNG or JPEG and send that."),
    ProblemType("no-file", 422, "The request holds no file.",
                "Put the picture into the form field that the endpoint names."),
    ProblemType("empty-file", 422, "The file is empty.", "Send a picture of one digit."),
    ProblemType("blank-picture", 422, "The picture is blank.",
                "Draw or photograph one digit, large and with contrast."),
    ProblemType("too-many-files", 422, "The batch has too many files.",
                f"Send at most {MAX_BATCH_FILES} files a request."),
    ProblemType("invalid-parameter", 422, "A parameter has a value that is not allowed.",
                "See /docs for the values that each parameter takes."),
    ProblemType("internal-error", 500, "The service failed.",
                "It is a fault of the service: report it with the X-Request-ID of the answer."),
    ProblemType("overloaded", 503, "The service has more work than it can take.",
                "Try again after the seconds that Retry-After gives."),
    ProblemType("not-ready", 503, "The service is starting or shutting down.",
                "Ask another instance, or try again soon."),
)  # fmt: skip
PROBLEMS: Mapping[str, ProblemType] = {kind.name: kind for kind in _TYPES}


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="stable name of the cause", examples=["blank-picture"])
    title: str
    status: int
    detail: str = Field(description="what went wrong this time and what to do")
    instance: str = Field(description="path of the request", examples=["/api/v1/predict"])


class ProblemError(HTTPException):
    """Ends a request with the problem called ``name``; ``detail`` says what to do."""

    def __init__(
        self, name: str, detail: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.kind = PROBLEMS[name]
        text = detail or f"{self.kind.title} {self.kind.advice}"
        super().__init__(self.kind.status, text, dict(headers or {}))


def picture_problem(error: ImageError) -> ProblemError:
    """Return the problem that tells a client of ``error``."""
    names: tuple[tuple[type[ImageError], str], ...] = (
        (BlankImageError, "blank-picture"),
        (ImageTooLargeError, "too-many-pixels"),
        (DamagedImageError, "damaged-picture"),
        (UnreadableImageError, "not-a-picture"),
    )
    return ProblemError(next(name for kind, name in names if isinstance(error, kind)), str(error))


def problem_body(problem: ProblemError, instance: str) -> dict[str, Any]:
    """Return the problem as the JSON object of RFC 9457."""
    return {
        "type": problem.kind.name,
        "title": problem.kind.title,
        "status": problem.kind.status,
        "detail": problem.detail,
        "instance": instance,
    }


def problem_response(request: Request, problem: ProblemError) -> JSONResponse:
    """Answer with a problem; under /v2 in the error form of the Open Inference Protocol."""
    path = request.url.path
    request.state.problem = problem.kind.name
    if path == OPEN_INFERENCE_PREFIX or path.startswith(OPEN_INFERENCE_PREFIX + "/"):
        return JSONResponse({"error": problem.detail}, problem.status_code, problem.headers)
    return JSONResponse(
        problem_body(problem, path), problem.status_code, problem.headers, MEDIA_TYPE
    )


def responses(*names: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems called ``names``, with an example of each."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for name in names:
        problem = ProblemError(name)
        entry = by_status.setdefault(
            problem.status_code,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/ProblemDetails"},
                        "examples": {},
                    }
                },
            },
        )
        entry["description"] = " / ".join(filter(None, (entry["description"], problem.kind.title)))
        entry["content"][MEDIA_TYPE]["examples"][name] = {
            "summary": problem.kind.title,
            "value": problem_body(problem, "/api/v1/predict"),
        }
    return by_status


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        return problem_response(request, _from_http_error(request, error))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(request, _from_validation_error(request, error))


def _from_http_error(request: Request, error: HTTPException) -> ProblemError:
    """Name the errors that Starlette and FastAPI raise themselves."""
    if isinstance(error, ProblemError):
        return error
    if error.status_code == 400 and "Too many files" in str(error.detail):
        return ProblemError("too-many-files")
    names = {400: "malformed-request", 404: "not-found", 405: "method-not-allowed"}
    name = names.get(error.status_code)
    if name is None:
        _unmapped(error)
    return ProblemError(name, headers=error.headers)


def _unmapped(error: HTTPException) -> NoReturn:
    raise RuntimeError(f"no problem type for status {error.status_code}") from error


def _from_validation_error(request: Request, error: RequestValidationError) -> ProblemError:
    """Tell in words what is wrong with a request's parameters or form."""
    first = error.errors()[0]
    place, *names = first["loc"]
    field = str(names[0]) if names else ""
    if place != "body":
        return ProblemError(
            "invalid-parameter", f"The parameter {field} is not accepted: {first['msg']}."
        )
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type and content_type != "multipart/form-data":
        return ProblemError("wrong-content-type")
    if content_type and (problem := cut_off(request)):
        return problem
    detail = f"The request holds no file: put the picture into the form field '{field}'."
    return ProblemError("no-file", detail)


def cut_off(request: Request) -> ProblemError | None:
    """Return the problem of a form without its last boundary; None where `UploadLimits` saw it.

    The parser leaves out a part that is cut off, as if it had not been sent.
    """
    if getattr(request.state, "closed_form", True):
        return None
    return ProblemError("malformed-request", "The form is cut off: its last boundary is missing.")


def megabytes(count: int) -> str:
    """Write a number of bytes as megabytes, rounded up so that too many never reads as allowed."""
    return f"{math.ceil(count / MEGABYTE * 10) / 10:.1f} MB"


def table() -> str:
    """Return the types of problems as a Markdown table, for the README."""
    rows = [f"| `{kind.name}` | {kind.status} | {kind.title} {kind.advice} |" for kind in _TYPES]
    return "\n".join(["| type | status | meaning |", "| --- | ---: | --- |", *rows])
