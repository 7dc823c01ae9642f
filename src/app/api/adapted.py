"""Classifiers that have learnt the examples of a request, kept for the person's next one."""

import hashlib
from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from app.api.executor import TooHeavyError
from app.api.forms import EXAMPLES
from app.api.problems import invalid_body
from app.api.reading import PredictOptions
from app.settings import MAX_ADAPTED
from errors import ExamplesError
from model.adaptation import adapt
from model.classifier import Classifier
from model.examples import read_examples


class AdaptedClassifiers:
    """The most recently used ones, in memory alone; safe to use from many threads.

    One is named by its model and its examples' hash: it depends on nothing else, so that every
    worker makes the same, and a lost one is made anew.
    """

    def __init__(self) -> None:
        """Keep none yet."""
        self._kept: OrderedDict[tuple[str, ...], tuple[Classifier, int]] = OrderedDict()
        self._lock = Lock()

    def learn(self, options: PredictOptions, examples: bytes | None, heavy: bool) -> PredictOptions:
        """Return ``options`` with a classifier that has learnt ``examples``, if there are any.

        Raises:
            TooHeavyError: it has to be fitted, and this is not the heavy queue.
            ProblemError: "invalid-parameter", naming the bad entry.
        """
        if examples is None:
            return options
        base = options.classifier
        digest = hashlib.sha256(examples).hexdigest()
        key = (base.name, base.version, digest)
        with self._lock:
            if existing := self._kept.get(key):
                self._kept.move_to_end(key)
        if existing is None:
            if not heavy:
                raise TooHeavyError
            existing = _fit(base, examples)
            with self._lock:
                self._kept[key] = existing
                if len(self._kept) > MAX_ADAPTED:
                    self._kept.popitem(last=False)
        classifier, count = existing
        return replace(options, classifier=classifier, examples=count)


def _fit(base: Classifier, text: bytes) -> tuple[Classifier, int]:
    """The adapted classifier and the number of examples."""
    try:
        images, labels = read_examples(text)
    except ExamplesError as error:
        name = EXAMPLES if error.entry is None else f"{EXAMPLES}[{error.entry}]"
        raise invalid_body({name: str(error)}) from error
    return adapt(base, images, labels), len(labels)
