"""What the API keeps between requests: the loaded models, and the lanes of the work."""

import logging
import math
from dataclasses import dataclass, field

import numpy as np
import torch

from app.api.lanes import EventLoopLane, Lane
from app.api.problems import ProblemError
from app.api.reading import PictureJob, answer_pictures
from app.api.schemas import PredictionAnswer
from app.settings import ApiSettings
from errors import ModelFileError
from model.checkpoint import find_checkpoints
from model.classifier import Classifier
from model.config import NUM_CLASSES
from model.preprocessing.normalize import encode_png, preprocess
from model.registry import NETWORKS

WARM_UP_ROUNDS = 3
MAX_READ_TOGETHER = 8  # requests that wait, read in one forward pass
logger = logging.getLogger("digits")


@dataclass
class Service:
    """The models in service and the work in hand.

    Attributes:
        settings: as given at the start.
        readers: the models that answer, by name.
        failures: why the others do not, by name.
        drawings: small pictures, those that wait read together.
        pictures: other single pictures of ordinary size.
        quick: small requests of the Open Inference Protocol.
        heavy: large pictures, batches and explanations, one at a time, so that the memory they
            need is bounded and they never hold up the others.
        draining: whether the process was told to end.
    """

    settings: ApiSettings
    readers: dict[str, Classifier]
    failures: dict[str, str]
    drawings: EventLoopLane[PictureJob, PredictionAnswer] = field(init=False)
    pictures: Lane = field(init=False)
    quick: Lane = field(init=False)
    heavy: Lane = field(init=False)
    draining: bool = False
    in_flight: int = 0

    def __post_init__(self) -> None:
        """Start the lanes."""
        self.drawings = EventLoopLane(self.settings.queue, MAX_READ_TOGETHER, answer_pictures)
        self.pictures = Lane("pictures", self.settings.queue)
        self.quick = Lane("quick", self.settings.queue)
        self.heavy = Lane("heavy", self.settings.heavy_queue)

    @property
    def default(self) -> Classifier:
        """The model that answers when a request names none."""
        return self.readers[self.settings.model]

    def reader(self, name: str | None) -> Classifier:
        """Return the model called ``name``, or the default one.

        Raises:
            ProblemError: "unknown-model", naming those that exist.
        """
        if name is None:
            return self.default
        if name not in self.readers:
            reason = self.failures.get(name)
            raise ProblemError(
                "unknown-model",
                f"The model {name!r} could not be loaded: {reason}"
                if reason
                else f"There is no model {name!r}; there are: {', '.join(self.readers)}.",
            )
        return self.readers[name]

    def close(self) -> None:
        """End the threads."""
        self.pictures.close()
        self.quick.close()
        self.heavy.close()


def load_service(settings: ApiSettings) -> Service:
    """Load every model of ``settings.models_dir`` and let each answer once.

    Raises:
        ModelFileError: the default model is missing, damaged or fails its self-test. Any other
            model that fails is left out, logged, and listed with its reason.
    """
    torch.set_num_threads(1)  # where OMP_NUM_THREADS was not set before torch was loaded
    readers: dict[str, Classifier] = {}
    failures: dict[str, str] = {}
    for name, path in sorted(find_checkpoints(settings.models_dir).items()):
        try:
            reader = Classifier.load(path)
            if reader.name != name:
                raise ModelFileError(
                    f"The card of {path} says that its name is {reader.name!r}, its file's name "
                    f"says {name!r}; train it again."
                )
            reader.network.to(memory_format=torch.channels_last)  # a third faster on one picture
            self_test(reader)
            readers[name] = reader
        except ModelFileError as error:
            failures[name] = str(error)
            if name == settings.model:
                raise
            logger.warning("The model %s is left out: %s", name, error)
    if settings.model not in readers:
        found = ", ".join(readers) or "none"
        raise ModelFileError(
            f"The default model {settings.model!r} is not in {settings.models_dir} "
            f"(found: {found}); "
            + (
                f"train it with: bash run.sh {settings.model}"
                if settings.model in NETWORKS
                else "set API_MODEL to one that is there."
            )
        )
    return Service(settings, readers, failures)


def self_test(reader: Classifier) -> None:
    """Warm the model up and check that it answers with probabilities.

    Raises:
        ModelFileError: it does not.
    """
    stroke = np.zeros((140, 140), dtype=np.uint8)
    stroke[20:120, 62:78] = 255
    image = preprocess(encode_png(stroke)).image
    for _ in range(WARM_UP_ROUNDS):
        probabilities = reader.predict(image[None])[0].probabilities
    if len(probabilities) != NUM_CLASSES or not math.isclose(sum(probabilities), 1, abs_tol=1e-3):
        raise ModelFileError(
            f"The model {reader.name} does not answer with {NUM_CLASSES} probabilities that sum "
            "to 1; train it again."
        )
