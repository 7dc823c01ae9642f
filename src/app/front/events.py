"""What the script in the browser tells: checked, since anybody can send anything."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from app.front.settings import MAX_EXAMPLES, MAX_FILE_BYTES

PNG_URL = "^data:image/png;base64,"
MAX_IMAGE_CHARACTERS = 1_900  # of a 28x28 data URL; the API takes 400 kB for 200 examples

Digit = Annotated[int, Field(ge=0, le=9, strict=True)]
Point = tuple[float, float]  # in pixels of the canvas, x right, y down
Stroke = Annotated[list[Point], Field(max_length=5_000)]  # a second of drawing has about a hundred
Strokes = Annotated[list[Stroke], Field(max_length=200)]


class Labelled(BaseModel):
    """A digit whose label the visitor gave: the models learn it."""

    label: Digit
    image: str = Field(max_length=MAX_IMAGE_CHARACTERS, pattern=PNG_URL)  # 28x28
    strokes: Strokes = []  # none where it was not drawn on the canvas


class Event(BaseModel):
    """Something that the visitor did; only some kinds have further values.

    - "label": the current image is a `digit`, or `part` of it is, as a digit of a number
    - "next": the `digit` that was asked for is drawn, as `image` and `strokes`
    - "restore": the browser has `examples` that this session does not know
    - "why", "number": that button was pressed
    """

    kind: Literal["label", "next", "restore", "why", "number"]
    number: int  # counts the events of a tab
    digit: Digit = 0
    part: int | None = Field(None, ge=0)
    image: str = Field("", max_length=MAX_FILE_BYTES // 10, pattern=f"{PNG_URL}|^$")
    strokes: Strokes = []
    examples: list[Labelled] = Field([], max_length=MAX_EXAMPLES)


def read_events(state: dict[str, Any], handled: int) -> list[Event]:
    """The new events of the component's state `{"events": [...]}`; others are left out.

    Args:
        state: as the browser sent it.
        handled: the number of the last event that was taken over.
    """
    events = []
    for sent in state["events"]:
        try:
            event = Event.model_validate(sent)
        except ValidationError:
            continue
        if event.number > handled:
            events.append(event)
    return events
