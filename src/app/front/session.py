"""What one visitor has drawn so far: the canvas, its undo steps, and the history."""

from dataclasses import dataclass, field
from typing import Any

from app.front.drawing import Stroke, recording_line, strokes_of


@dataclass(frozen=True)
class Snapshot:
    """The canvas after one stroke: its Fabric.js objects and its picture as PNG."""

    objects: list[dict]
    picture: bytes


@dataclass
class Entry:
    """One finished drawing or picture, with the answer it got and what it really was."""

    picture: bytes
    answer: dict[str, Any]
    strokes: list[Stroke]  # empty for an upload or a photograph
    label: int | None  # what the visitor says it is; None leaves it out of the download


@dataclass
class Visit:
    """Everything that the page keeps between two runs of its script."""

    model: str | None = None  # the chosen one; None is the API's default
    steps: list[Snapshot] = field(default_factory=list)
    uploaded: bytes | None = None
    answer: dict[str, Any] | None = None  # the last answer for the picture at hand
    history: list[Entry] = field(default_factory=list)
    canvas: int = 0  # a new number makes a new canvas, which starts from `start`
    start: list[dict] = field(default_factory=list)

    @property
    def drawn(self) -> bytes | None:
        """The picture on the canvas, PNG, or None while it is empty."""
        return self.steps[-1].picture if self.steps else None

    @property
    def picture(self) -> bytes | None:
        """The picture at hand: the upload if there is one, else what is on the canvas."""
        return self.uploaded or self.drawn

    def draw(self, objects: list[dict], picture: bytes | None) -> None:
        """Take over what the canvas sent; `picture` is None until the first stroke."""
        if picture is None:
            return
        if not objects:  # the canvas's own reset
            self.steps.clear()
            self.answer = None
        elif not self.steps or objects != self.steps[-1].objects:
            self.steps.append(Snapshot(objects, picture))
            self.answer = None

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.steps:
            self.steps.pop()
        self.answer = None
        self.renew_canvas()

    def clear(self) -> None:
        """Put the drawing into the history and begin a new one."""
        if self.drawn and self.answer:
            self.remember(self.drawn, self.answer, strokes_of(self.steps[-1].objects))
        self.steps.clear()
        self.answer = None
        self.renew_canvas()

    def upload(self, picture: bytes | None) -> None:
        """Take a picture in the drawing's place; None gives the place back."""
        if picture != self.uploaded:
            self.uploaded, self.answer = picture, None

    def remember(self, picture: bytes, answer: dict[str, Any], strokes: list[Stroke]) -> None:
        """Add to the history; the answer is taken as the label until somebody corrects it."""
        label = answer["prediction"] if answer.get("is_digit", True) else None
        self.history.append(Entry(picture, answer, strokes, label))

    def renew_canvas(self) -> None:
        """Let the page show a new canvas that starts from the last step."""
        self.canvas += 1
        self.start = self.steps[-1].objects if self.steps else []

    def recordings(self, writer: str) -> str:
        """The labelled drawings as JSON lines, oldest first."""
        lines = [
            recording_line(entry.label, writer, entry.strokes) + "\n"
            for entry in self.history
            if entry.strokes and entry.label is not None
        ]
        return "".join(lines)
