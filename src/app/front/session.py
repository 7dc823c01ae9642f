"""What one visitor has drawn and labelled, and what the script in the browser tells about it."""

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from app.client import Example
from app.front.events import NextEvent
from app.front.examples import Entry, Stroke
from app.front.settings import MAX_EXAMPLES


@dataclass(eq=False)
class Labelled:
    """A digit whose label the visitor gave: the models learn it."""

    label: int
    image: str  # 28x28, as data URL
    strokes: list[Stroke]  # empty where it was not drawn on the canvas

    @property
    def example(self) -> Example:
        """What the API takes."""
        return {"label": self.label, "image": self.image}


@dataclass(eq=False)
class Session:
    """Everything that the page keeps between two runs of its script."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    model: str | None = None  # the chosen one; None is the API's default
    image: bytes | None = None  # the drawing or the picture that is read
    picture: bytes | None = None  # the upload or the photograph
    problem: str | None = None  # why the last file cannot be read
    reads_number: bool = False  # the visitor wants this image read as a number
    explains: bool = False  # "Why?" is pressed
    said: int | None = None  # what the visitor says that this image is
    labelled: list[Labelled] = field(default_factory=list)
    uses_examples: bool = True
    handled: int = 0  # number of the browser's last event that was taken over
    to_teach: list[NextEvent] = field(default_factory=list)  # drawings that the API has yet to see
    changed: bool = False  # the browser has to keep `labelled` anew
    failures: int = 0  # of the API, one after the other
    failed_at: float = -math.inf  # s, of `time.monotonic`

    def __post_init__(self) -> None:
        SESSIONS[self.key] = self

    @property
    def examples(self) -> list[Example]:
        """The examples that go with every request: none while they are switched off."""
        return [digit.example for digit in self.labelled] if self.uses_examples else []

    @property
    def counts(self) -> list[int]:
        """How many examples there are of each digit, 0 to 9."""
        labels = [digit.label for digit in self.labelled]
        return [labels.count(digit) for digit in range(10)]

    def missing(self, wanted: int) -> list[int]:
        """The digits to ask for, in order, until there are `wanted` examples of each."""
        counts = self.counts
        return [digit for given in range(wanted) for digit in range(10) if counts[digit] <= given]

    def show(self, image: bytes | None) -> None:
        """Take another image; what was said of the one before does not hold for it."""
        if image != self.image:
            self.image = image
            self.reads_number = self.explains = False
            self.said = None

    def learn(self, label: int, image: str, strokes: list[Stroke]) -> None:
        """Take an example; the same picture again only gets the new label."""
        known = next((digit for digit in self.labelled if digit.image == image), None)
        if known:
            known.label = label
        else:
            self.labelled.append(Labelled(label, image, strokes))
            del self.labelled[:-MAX_EXAMPLES]
        self.changed = True

    def load(self, digits: Iterable[Entry]) -> None:
        """Add examples that the browser kept or that come from a file."""
        for digit in digits:
            self.learn(digit.label, digit.image, digit.strokes)

    def forget(self, digit: Labelled | None = None) -> None:
        """Remove one example, or all of them."""
        self.labelled = [kept for kept in self.labelled if digit and kept is not digit]
        self.changed = True

    def kept(self) -> list[dict[str, Any]] | None:
        """What the browser has to keep, if that has changed since it was asked last."""
        if not self.changed:
            return None
        self.changed = False
        return [vars(digit) for digit in self.labelled]

    def recording(self) -> list[dict[str, Any]]:
        """The examples that were drawn, in the form that `bash run.sh evaluate` reads."""
        return [
            {"label": digit.label, "writer": "me", "strokes": digit.strokes}
            for digit in self.labelled
            if digit.strokes
        ]


# The route that reads while somebody draws finds the model and the examples here. A session goes
# as soon as Streamlit forgets it.
SESSIONS: WeakValueDictionary[str, Session] = WeakValueDictionary()
