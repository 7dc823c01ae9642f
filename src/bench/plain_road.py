"""A model behind a ``def`` route of FastAPI: what a tutorial would write."""

from typing import Annotated, Any

from fastapi import FastAPI, File, UploadFile

from bench.roads import NormalisedReading, PlainReading


def _app(read: PlainReading | NormalisedReading) -> FastAPI:
    app = FastAPI()

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/api/v1/predict")
    def predict(file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        return read(file.file.read())

    return app


def plain() -> FastAPI:
    """Resize only."""
    return _app(PlainReading())


def normalised() -> FastAPI:
    """This project's preprocessing on the same road."""
    return _app(NormalisedReading())
