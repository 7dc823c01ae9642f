"""What one visitor has drawn and labelled."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

from app.client import Example
from app.front.events import Event, Labelled, Stroke
from app.front.settings import MAX_EXAMPLES


@dataclass(eq=False)
class Session:
    """Everything that the page keeps between two runs of its script."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    model: str | None = None  # the chosen one; None is the API's default
    image: bytes | None = None  # the drawing or the picture that is read
    picture: bytes | None = None  # the upload or the photograph
    reads_number: bool = False  # the visitor wants this image read as a number
    explains: bool = False  # "Why?" is pressed
    said: int | None = None  # what the visitor says that this image is
    doubted: bool = False  # the network finds that very unlikely
    labelled: list[Labelled] = field(default_factory=list)
    uses_examples: bool = True
    handled: int = 0  # number of the browser's last event that was taken over
    to_teach: list[Event] = field(default_factory=list)  # drawings that the API has yet to see
    changed: bool = False  # the browser has to keep `labelled` anew

    def __post_init__(self) -> None:
        SESSIONS[self.key] = self

    @property
    def examples(self) -> list[Example]:
        """The examples that go with every request: none while they are switched off."""
        return as_examples(self.labelled) if self.uses_examples else []

    def missing(self, wanted: int) -> list[int]:
        """The digits to ask for, in order, until there are `wanted` examples of each."""
        labels = [digit.label for digit in self.labelled]
        return [d for given in range(wanted) for d in range(10) if labels.count(d) <= given]

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
            self.labelled.append(Labelled(label=label, image=image, strokes=strokes))
            del self.labelled[:-MAX_EXAMPLES]
        self.changed = True

    def load(self, digits: Sequence[Labelled]) -> None:
        """Add examples that the browser kept or that come from a file."""
        for digit in digits:
            self.learn(**vars(digit))

    def forget(self, start: int = 0) -> None:
        """Remove the examples from an index on: all, or with -1 the last one."""
        del self.labelled[start:]
        self.changed = True

    def kept(self) -> list[dict[str, Any]] | None:
        """What the browser has to keep, if that has changed since it was asked last."""
        if not self.changed:
            return None
        self.changed = False
        return [digit.model_dump() for digit in self.labelled]


def as_examples(labelled: Sequence[Labelled]) -> list[Example]:
    """Labelled digits as the API takes them."""
    return [{"label": digit.label, "image": digit.image} for digit in labelled]


def recording(labelled: Sequence[Labelled]) -> str:
    """The examples that were drawn, in the form that `bash run.sh evaluate` reads."""
    lines = [
        json.dumps({"label": digit.label, "writer": "me", "strokes": digit.strokes})
        for digit in labelled
        if digit.strokes
    ]
    return "".join(f"{line}\n" for line in lines)


# The route that reads while somebody draws finds the model and the examples here. A session goes
# as soon as Streamlit forgets it.
SESSIONS: WeakValueDictionary[str, Session] = WeakValueDictionary()
