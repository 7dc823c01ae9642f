"""What the API keeps between requests: the loaded models, and the threads that use them."""

import logging
import math
from dataclasses import dataclass, field

import numpy as np
from fastapi import FastAPI, Request

from app.api.executor import Executor
from app.api.memory import tune_allocator
from app.api.problems import ProblemError
from app.settings import ApiSettings
from errors import ModelFileError
from model.checkpoint import find_checkpoints
from model.classifier import Classifier
from model.config import NUM_CLASSES, RECIPES
from model.preprocessing.normalize import encode_png, preprocess

logger = logging.getLogger("digits")


@dataclass
class Service:
    """The models in service and the work in hand.

    Attributes:
        settings: as given at the start.
        classifiers: the models that answer, by name.
        failures: why the others do not, by name.
        executor: does all work on pixels.
        draining: whether the process was told to end.
        in_flight: requests that are not answered yet.
    """

    settings: ApiSettings
    classifiers: dict[str, Classifier]
    failures: dict[str, str]
    executor: Executor = field(init=False)
    draining: bool = False
    in_flight: int = 0

    def __post_init__(self) -> None:
        """Make the executor."""
        settings = self.settings
        self.executor = Executor(settings.threads, settings.queue, settings.heavy_queue)

    def classifier(self, name: str | None) -> Classifier:
        """Return the model called ``name``, or the default one.

        Raises:
            ProblemError: "unknown-model", naming those that exist.
        """
        name = self.settings.model if name is None else name
        if name not in self.classifiers:
            reason = self.failures.get(name)
            raise ProblemError(
                "unknown-model",
                f"The model {name!r} could not be loaded: {reason}"
                if reason
                else f"There is no model {name!r}; there are: {', '.join(self.classifiers)}.",
            )
        return self.classifiers[name]


def service_of(request: Request) -> Service:
    """Return the service of the app that answers ``request``."""
    app: FastAPI = request.scope["app"]
    return ensure_service(app)


def ensure_service(app: FastAPI) -> Service:
    """Return the app's service; load it where the server knows no lifespan, as test transports.

    Raises:
        ModelFileError: as ``load_service`` says.
    """
    if not hasattr(app.state, "service"):
        app.state.service = load_service(app.state.settings)
    service: Service = app.state.service
    return service


def load_service(settings: ApiSettings) -> Service:
    """Load every model of ``settings.models_dir`` and let each answer once.

    Raises:
        ModelFileError: the default model is missing, damaged or fails its self-test. Any other
            model that fails is left out, logged, and listed with its reason.
    """
    tune_allocator()
    classifiers: dict[str, Classifier] = {}
    failures: dict[str, str] = {}
    for name, path in sorted(find_checkpoints(settings.models_dir).items()):
        try:
            classifier = Classifier.load(path)
            if classifier.name != name:
                raise ModelFileError(
                    f"The card of {path} says that its name is {classifier.name!r}, its file's "
                    f"name says {name!r}; train it again."
                )
            self_test(classifier)
            classifiers[name] = classifier
        except ModelFileError as error:
            failures[name] = str(error)
            if name == settings.model:
                raise
            logger.warning("The model %s is left out: %s", name, error)
    if settings.model not in classifiers:
        found = ", ".join(classifiers) or "none"
        raise ModelFileError(
            f"The default model {settings.model!r} is not in {settings.models_dir} "
            f"(found: {found}); "
            + (
                f"train it with: bash run.sh {settings.model}"
                if settings.model in RECIPES
                else "set API_MODEL to one that is there."
            )
        )
    return Service(settings, classifiers, failures)


def self_test(classifier: Classifier) -> None:
    """Warm the model up and check that it answers with probabilities.

    Raises:
        ModelFileError: it does not.
    """
    stroke = np.zeros((140, 140), dtype=np.uint8)
    stroke[20:120, 62:78] = 255
    image = preprocess(encode_png(stroke)).image
    probabilities = classifier.predict(image[None])[0].probabilities
    if len(probabilities) != NUM_CLASSES or not math.isclose(sum(probabilities), 1, abs_tol=1e-3):
        raise ModelFileError(
            f"The model {classifier.name} does not answer with {NUM_CLASSES} probabilities that "
            "sum to 1; train it again."
        )
