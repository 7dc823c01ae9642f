"""The same model behind a ``def`` route of FastAPI, as a tutorial would write it."""

import io
import os
from collections.abc import Callable
from typing import Annotated, Any

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image

from model.checkpoint import find_model, load_checkpoint
from model.classifier import to_input
from model.config import IMAGE_SIZE, MEAN, STD
from model.preprocessing.normalize import preprocess
from model.registry import standardize


def plain() -> FastAPI:
    """Return an app that only resizes the image, with torchvision's transforms."""
    from torchvision import transforms

    transform = transforms.Compose(
        [
            transforms.Grayscale(),
            transforms.Resize((IMAGE_SIZE, IMAGE_SIZE)),
            transforms.ToTensor(),
            transforms.Normalize((MEAN,), (STD,)),
        ]
    )
    return _app(lambda data: transform(Image.open(io.BytesIO(data)))[None])


def preprocessed() -> FastAPI:
    """Return an app with this project's preprocessing."""
    return _app(lambda data: standardize(torch.from_numpy(to_input(preprocess(data).image[None]))))


def _app(inputs: Callable[[bytes], torch.Tensor]) -> FastAPI:
    """Return the app; ``inputs`` makes a batch of one (1, 1, 28, 28) from an uploaded file."""
    network = load_checkpoint(find_model(os.environ.get("API_MODEL", "cnn"))).network
    app = FastAPI()

    @app.get("/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/api/v1/predict")
    def predict(file: Annotated[UploadFile, File()]) -> dict[str, Any]:
        with torch.no_grad():
            probabilities = network(inputs(file.file.read())).softmax(dim=1)[0]
        return {"prediction": int(probabilities.argmax()), "probabilities": probabilities.tolist()}

    return app
