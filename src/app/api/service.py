"""What the API keeps between requests: the loaded models, and the threads that use them."""

import logging
import sys
from dataclasses import dataclass, field

from fastapi import FastAPI, Request

from app.api.adapted import AdaptedClassifiers
from app.api.executor import Executor
from app.api.memory import tune_allocator
from app.api.problems import ProblemError
from app.settings import ApiSettings
from errors import ModelFileError
from model.classifier import Classifier, load_classifiers
from model.config import RECIPES

SWITCH_SECONDS = 0.0005  # that the event loop waits at most for a thread that computes
logger = logging.getLogger("digits")


@dataclass
class Service:
    """The models in service and the work in hand.

    Attributes:
        settings: as given at the start.
        classifiers: the models that answer, by name.
        failures: why the others do not, by name.
        executor: does all work on pixels.
        adapted: the classifiers that have learnt a person's examples.
        draining: whether the process was told to end.
    """

    settings: ApiSettings
    classifiers: dict[str, Classifier]
    failures: dict[str, str]
    executor: Executor
    adapted: AdaptedClassifiers = field(default_factory=AdaptedClassifiers)
    draining: bool = False

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
    return ensure_service(request.app)


def ensure_service(app: FastAPI) -> Service:
    """Return the app's service; load it where the server knows no lifespan, as test transports.

    Raises:
        ModelFileError: as ``load_service`` says.
    """
    if not hasattr(app.state, "service"):
        app.state.service = load_service(app.state.settings)
    return app.state.service


def load_service(settings: ApiSettings) -> Service:
    """Load the models of ``settings.models_dir``.

    Raises:
        ModelFileError: the default model is missing or cannot be used. Any other one that cannot
            is left out, logged, and listed with its reason.
    """
    tune_allocator()
    sys.setswitchinterval(SWITCH_SECONDS)
    classifiers, failures = load_classifiers(settings.models_dir)
    for name, reason in failures.items():
        logger.warning("The model %s is left out: %s", name, reason)
    if settings.model in failures:
        raise ModelFileError(failures[settings.model])
    if settings.model not in classifiers:
        how = (
            f"train it with: bash run.sh {settings.model}"
            if settings.model in RECIPES
            else "set API_MODEL to one that is there."
        )
        raise ModelFileError(
            f"The default model {settings.model!r} is not in {settings.models_dir} "
            f"(found: {', '.join(classifiers) or 'none'}); {how}"
        )
    executor = Executor(settings.threads, settings.queue, settings.heavy_queue)
    return Service(settings, classifiers, failures, executor)
