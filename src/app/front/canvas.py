"""The state of a drawing canvas: its strokes step by step, to undo and to restore."""

from dataclasses import dataclass, field

from app.front.settings import MAX_UNDO_STEPS
from app.front.strokes import CanvasObject, Stroke, canvas_strokes


@dataclass(frozen=True)
class CanvasStep:
    """The canvas after one stroke: its Fabric.js objects and its image as PNG."""

    objects: list[CanvasObject]
    image: bytes


@dataclass
class Canvas:
    """What is drawn on one canvas."""

    steps: list[CanvasStep] = field(default_factory=list)
    number: int = 0  # a new number makes a new canvas, which starts from `initial_objects`
    initial_objects: list[CanvasObject] = field(default_factory=list)

    @property
    def image(self) -> bytes | None:
        """The image on the canvas, PNG, or None while it is empty."""
        return self.steps[-1].image if self.steps else None

    @property
    def strokes(self) -> list[Stroke]:
        """The strokes on the canvas."""
        return canvas_strokes(self.steps[-1].objects) if self.steps else []

    def update(self, objects: list[CanvasObject], image: bytes | None) -> bool:
        """Take over what the browser sent, and return whether the drawing changed.

        Args:
            objects: empty after the canvas's own reset.
            image: PNG; None until the first stroke.
        """
        if image is None or (self.steps and objects == self.steps[-1].objects):
            return False
        if objects:
            self.steps.append(CanvasStep(objects, image))
            del self.steps[:-MAX_UNDO_STEPS]
            return True
        changed = bool(self.steps)
        self.steps.clear()
        return changed

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.steps:
            self.steps.pop()
        self.renew()

    def clear(self) -> None:
        """Begin a new drawing."""
        self.steps.clear()
        self.renew()

    def renew(self) -> None:
        """Let the page show a new canvas that starts from the last step."""
        self.number += 1
        self.initial_objects = self.steps[-1].objects if self.steps else []
