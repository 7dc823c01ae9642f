"""Read the digit in a picture, or in each picture of a batch."""

import logging
import time
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile

from app.api import problems
from app.api.dependencies import ModelName, ServiceDep, TopK, read_upload
from app.api.problems import ProblemDetails, ProblemError, cut_off, problem_body
from app.api.reading import (
    Answering,
    PictureJob,
    Work,
    answer_picture,
    answer_pictures,
    milliseconds_since,
    work_of,
)
from app.api.schemas import BatchAnswer, PredictionAnswer
from app.settings import MAX_BATCH_FILES

logger = logging.getLogger("digits")
router = APIRouter(prefix="/api/v1", tags=["predict"])

PICTURE_PROBLEMS = (
    "malformed-request", "unknown-model", "upload-too-slow", "file-too-large", "too-many-pixels",
    "wrong-content-type", "not-a-picture", "damaged-picture", "no-file", "empty-file",
    "blank-picture", "invalid-parameter", "overloaded",
)  # fmt: skip
BATCH_PROBLEMS = (*PICTURE_PROBLEMS, "batch-too-large", "too-many-files")
Picture = Annotated[UploadFile, File(description="PNG, JPEG, WebP, BMP or GIF, at most 5 MB")]
Pictures = Annotated[list[UploadFile], File(description="up to 64 pictures, 16 MB in all")]


@router.post(
    "/predict",
    response_model_exclude_unset=True,
    responses=problems.responses(*PICTURE_PROBLEMS),
)
async def predict(
    service: ServiceDep, file: Picture, model: ModelName = None, top_k: TopK = 3
) -> PredictionAnswer:
    """Read the digit in a picture: light on dark or dark on light, anywhere, of any size.

    A picture of no digit is an answer too: `is_digit` is false and `reason` says why.
    """
    answering = Answering(service.reader(model), top_k)
    job = PictureJob(answering, await read_upload(file), time.perf_counter())
    work = work_of(job.data)
    if work is Work.QUICK:
        return await service.drawings.run(job)
    lane = service.heavy if work is Work.LARGE else service.pictures
    return await lane.run(answer_picture, job)


@router.post(
    "/predict/batch",
    response_model_exclude_unset=True,
    responses=problems.responses(*BATCH_PROBLEMS),
)
async def predict_batch(
    request: Request,
    service: ServiceDep,
    files: Pictures,
    model: ModelName = None,
    top_k: TopK = 3,
) -> BatchAnswer:
    """Read up to 64 pictures in one forward pass; a bad one answers for itself alone."""
    if len(files) > MAX_BATCH_FILES:
        raise ProblemError("too-many-files")
    if problem := cut_off(request):
        raise problem
    answering = Answering(service.reader(model), top_k)
    started = time.perf_counter()
    uploads = [await _upload_or_problem(file) for file in files]
    results = await service.heavy.run(_answer_batch, answering, uploads, started, request.url.path)
    return BatchAnswer(results=results, milliseconds=milliseconds_since(started))


async def _upload_or_problem(file: UploadFile) -> bytes | ProblemError:
    try:
        return await read_upload(file)
    except ProblemError as problem:
        return problem


def _answer_batch(
    answering: Answering, uploads: list[bytes | ProblemError], started: float, path: str
) -> list[PredictionAnswer | ProblemDetails]:
    jobs = [
        PictureJob(answering, upload, started) for upload in uploads if isinstance(upload, bytes)
    ]
    answers = iter(answer_pictures(jobs))
    results = [upload if isinstance(upload, ProblemError) else next(answers) for upload in uploads]
    return [_answer_or_problem(result, path) for result in results]


def _answer_or_problem(
    result: PredictionAnswer | Exception, path: str
) -> PredictionAnswer | ProblemDetails:
    if isinstance(result, PredictionAnswer):
        return result
    if not isinstance(result, ProblemError):
        logger.error("A picture of a batch could not be read", exc_info=result)
        result = ProblemError("internal-error")
    return ProblemDetails(**problem_body(result, path))
