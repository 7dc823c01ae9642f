"""The same model behind other servers, to compare with: what most projects would write.

``plain`` resizes the picture as it stands with torchvision's transforms; ``normalised`` is the same
road with this project's preprocessing; LitServe's has ``plain``'s reading on its own server.
"""

import io
import os
from typing import Any

import torch
from PIL import Image

from model.checkpoint import find_checkpoints, load_checkpoint
from model.config import IMAGE_SIZE, MEAN, MODELS_DIR, STD


def load_network() -> torch.nn.Module:
    """Return the default model's network in evaluation mode."""
    name = os.environ.get("API_MODEL", "cnn")
    return load_checkpoint(find_checkpoints(MODELS_DIR)[name]).network


class PlainReading:
    """Bytes of a picture -> digit and probabilities, by resizing alone."""

    def __init__(self) -> None:
        from torchvision import transforms

        self.network = load_network()
        self.transform = transforms.Compose(
            [
                transforms.Grayscale(),
                transforms.Resize((IMAGE_SIZE, IMAGE_SIZE)),
                transforms.ToTensor(),
                transforms.Normalize((MEAN,), (STD,)),
            ]
        )

    def __call__(self, data: bytes) -> dict[str, Any]:
        """Read one picture."""
        picture = self.transform(Image.open(io.BytesIO(data)))
        with torch.no_grad():
            probabilities = self.network(picture[None]).softmax(dim=1)[0].tolist()
        digit = max(range(10), key=probabilities.__getitem__)
        return {"prediction": digit, "probabilities": probabilities}


class NormalisedReading:
    """The same with this project's preprocessing."""

    def __init__(self) -> None:
        self.network = load_network()

    def __call__(self, data: bytes) -> dict[str, Any]:
        """Read one picture."""
        from model.classifier import standardize, to_tensor
        from model.preprocessing.normalize import preprocess

        with torch.no_grad():
            logits = self.network(standardize(to_tensor(preprocess(data).image[None])))
        probabilities = logits.softmax(dim=1)[0].tolist()
        digit = max(range(10), key=probabilities.__getitem__)
        return {"prediction": digit, "probabilities": probabilities}
