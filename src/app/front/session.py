"""What one visitor has drawn: the canvas, its undo steps, and the history."""

from dataclasses import dataclass, field
from typing import Any

from app.front.settings import MAX_HISTORY, MAX_UNDO_STEPS
from app.front.strokes import CanvasObject, Stroke, canvas_strokes, stroke_line


@dataclass(frozen=True)
class CanvasStep:
    """The canvas after one stroke: its Fabric.js objects and its image as PNG."""

    objects: list[CanvasObject]
    image: bytes


@dataclass
class HistoryEntry:
    """A finished drawing or an image, with the API's answer and its true label."""

    answer: dict[str, Any]
    strokes: list[Stroke]  # empty for an upload or a photograph
    label: int | None  # the digit that the visitor meant; None leaves it out of the download


@dataclass
class Session:
    """Everything that the page keeps between two runs of its script."""

    model: str | None = None  # the chosen one; None is the API's default
    steps: list[CanvasStep] = field(default_factory=list)
    uploaded: bytes | None = None
    answer: dict[str, Any] | None = None  # of the API for the current image
    history: list[HistoryEntry] = field(default_factory=list)
    canvas: int = 0  # a new number makes a new canvas, which starts from `initial_objects`
    initial_objects: list[CanvasObject] = field(default_factory=list)

    @property
    def drawing(self) -> bytes | None:
        """The image on the canvas, PNG, or None while it is empty."""
        return self.steps[-1].image if self.steps else None

    @property
    def image(self) -> bytes | None:
        """The current image: the upload if there is one, else what is on the canvas."""
        return self.uploaded or self.drawing

    def draw(self, objects: list[CanvasObject], image: bytes | None) -> None:
        """Take over what the canvas sent; `image` is None until the first stroke."""
        if image is None:
            return
        if not objects:  # the canvas's own reset
            self.steps.clear()
            self.answer = None
        elif not self.steps or objects != self.steps[-1].objects:
            self.steps.append(CanvasStep(objects, image))
            del self.steps[:-MAX_UNDO_STEPS]
            self.answer = None

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.steps:
            self.steps.pop()
        self.answer = None
        self.renew_canvas()

    def clear(self) -> None:
        """Put the drawing into the history and begin a new one."""
        if self.drawing and self.answer:
            self.add_to_history(self.answer, canvas_strokes(self.steps[-1].objects))
        self.steps.clear()
        self.answer = None
        self.renew_canvas()

    def upload(self, image: bytes | None) -> None:
        """Take an image in the drawing's place; None gives the place back."""
        if image != self.uploaded:
            self.uploaded, self.answer = image, None

    def add_to_history(self, answer: dict[str, Any], strokes: list[Stroke]) -> None:
        """Add to the history; the prediction is the label until somebody corrects it."""
        label = answer["prediction"] if answer.get("is_digit", True) else None
        self.history.append(HistoryEntry(answer, strokes, label))
        del self.history[:-MAX_HISTORY]

    def renew_canvas(self) -> None:
        """Let the page show a new canvas that starts from the last step."""
        self.canvas += 1
        self.initial_objects = self.steps[-1].objects if self.steps else []

    def stroke_lines(self, writer: str) -> str:
        """The labelled drawings as JSON lines, oldest first."""
        lines = [
            stroke_line(entry.label, writer, entry.strokes) + "\n"
            for entry in self.history
            if entry.strokes and entry.label is not None
        ]
        return "".join(lines)
