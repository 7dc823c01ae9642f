"""What one visitor has drawn and labelled: the canvas, the history, and the examples in it."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from app.client import Example
from app.front.canvas import Canvas
from app.front.settings import MAX_HISTORY
from app.front.strokes import CanvasObject, Stroke, stroke_line


@dataclass(eq=False)
class Drawing:
    """A finished drawing or an image, with the API's answer and its true label."""

    number: int
    source: int  # hash of what was sent to the API
    image: str  # the 28x28 image, as data URL
    answer: dict[str, Any] | None  # None for an example from a file
    strokes: list[Stroke]  # empty for an upload or a photograph
    label: int | None  # the digit that the visitor meant; None leaves it out of the download
    is_example: bool = False  # the visitor chose the label, and the models learn it


@dataclass
class Session:
    """Everything that the page keeps between two runs of its script."""

    model: str | None = None  # the chosen one; None is the API's default
    canvas: Canvas = field(default_factory=Canvas)
    wide: Canvas = field(default_factory=Canvas)  # where a number is drawn
    practice: Canvas = field(default_factory=Canvas)  # where examples are drawn to order
    uploaded: bytes | None = None
    answer: dict[str, Any] | None = None  # of the API for the current image
    correction: int | None = None  # the digit that the visitor meant, until it is recorded
    history: list[Drawing] = field(default_factory=list)
    uses_examples: bool = True
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def image(self) -> bytes | None:
        """The current image: the upload if there is one, else what is on the canvas."""
        return self.uploaded or self.canvas.image

    @property
    def number_image(self) -> bytes | None:
        """The image that is read as a number: the upload, or what is on the wide canvas."""
        return self.uploaded or self.wide.image

    @property
    def saved_examples(self) -> list[Example]:
        """The drawings whose labels the visitor chose, oldest first."""
        return [
            {"label": drawing.label, "image": drawing.image}
            for drawing in self.history
            if drawing.is_example and drawing.label is not None
        ]

    @property
    def examples(self) -> list[Example]:
        """The examples that go with every request: none while they are switched off."""
        return self.saved_examples if self.uses_examples else []

    @property
    def counts(self) -> list[int]:
        """How many examples there are of each digit, 0 to 9."""
        labels = [example["label"] for example in self.saved_examples]
        return [labels.count(digit) for digit in range(10)]

    def next_digit(self, requested: int) -> int | None:
        """The digit with the fewest examples, or None where each has `requested` of them."""
        digit = min(range(10), key=self.counts.__getitem__)
        return digit if self.counts[digit] < requested else None

    def draw(self, objects: list[CanvasObject], image: bytes | None) -> None:
        """Take over what the canvas sent; a label was meant for the drawing before."""
        before = self.canvas.image
        if self.canvas.update(objects, image):
            if objects:
                self._withdraw(before)
            self.answer = None

    def undo(self) -> None:
        """Take the last stroke back."""
        self._withdraw(self.canvas.image)
        self.canvas.undo()
        self.answer = self.correction = None

    def clear(self) -> None:
        """Put the drawing into the history and begin a new one."""
        self.record()
        self.canvas.clear()
        self.answer = self.correction = None

    def renew_canvases(self) -> None:
        """Let the page show new canvases with the same drawings."""
        for canvas in (self.canvas, self.wide, self.practice):
            canvas.renew()

    def upload(self, image: bytes | None) -> None:
        """Take an image in the drawing's place; None gives the place back."""
        if image != self.uploaded:
            self.uploaded = image
            self.answer = self.correction = None

    def record(self) -> None:
        """Add the current image to the history if it is answered and not there yet; correct it."""
        if self.image is None or self.answer is None:
            return
        strokes = [] if self.uploaded else self.canvas.strokes
        drawing = self._drawing(hash(self.image), self.answer, strokes)
        if self.correction is not None:
            self.set_label(drawing, self.correction)
            self.correction = None

    def add(self, source: int, answer: dict[str, Any], strokes: list[Stroke]) -> Drawing:
        """Add to the history; the prediction is the label until somebody corrects it."""
        label = answer["prediction"] if answer["is_digit"] else None
        return self._append(
            Drawing(next(self._numbers), source, answer["image"], answer, strokes, label)
        )

    def learn_digit(self, digit: dict[str, Any], label: int) -> None:
        """Take one digit of a number's answer as an example."""
        self.set_label(self._drawing(hash(digit["image"]), digit, []), label)

    def set_label(self, drawing: Drawing, label: int | None) -> None:
        """Say what a drawing is; the models learn it. None leaves the drawing out."""
        drawing.label, drawing.is_example = label, label is not None
        self.answer = None

    def use_examples(self, used: bool) -> None:
        """Switch the examples on or off."""
        self.uses_examples = used
        self.answer = None

    def load(self, examples: list[Example]) -> None:
        """Add the examples of a file; those that are there already get the file's labels."""
        existing = {drawing.image: drawing for drawing in self.history}
        for example in examples:
            image, label = example["image"], example["label"]
            if image not in existing:
                existing[image] = self._append(
                    Drawing(next(self._numbers), hash(image), image, None, [], None)
                )
            self.set_label(existing[image], label)

    def forget_examples(self) -> None:
        """Remove every example."""
        self.history = [drawing for drawing in self.history if not drawing.is_example]
        self.answer = None

    def stroke_lines(self, writer: str) -> str:
        """The labelled drawings as JSON lines, oldest first."""
        lines = [
            stroke_line(drawing.label, writer, drawing.strokes) + "\n"
            for drawing in self.history
            if drawing.strokes and drawing.label is not None
        ]
        return "".join(lines)

    def _drawing(self, source: int, answer: dict[str, Any], strokes: list[Stroke]) -> Drawing:
        """The drawing of that source in the history, added if it is not there yet."""
        existing = (drawing for drawing in self.history if drawing.source == source)
        return next(existing, None) or self.add(source, answer, strokes)

    def _append(self, drawing: Drawing) -> Drawing:
        self.history.append(drawing)
        if len(self.history) > MAX_HISTORY:  # the oldest that is no example goes first
            older = self.history[:-1]
            self.history.remove(next((d for d in older if not d.is_example), older[0]))
        return drawing

    def _withdraw(self, image: bytes | None) -> None:
        """Remove an unfinished drawing from the history."""
        source = hash(image)
        self.history = [drawing for drawing in self.history if drawing.source != source]
