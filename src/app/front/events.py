"""What the script in the browser tells: checked, since anybody can send anything."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.front.examples import Digit, Entry, Stroke
from app.front.settings import MAX_EXAMPLES, MAX_FILE_BYTES

Strokes = Annotated[list[Stroke], Field(max_length=200)]


class LabelEvent(BaseModel):
    """The visitor says which digit the current image is, or one digit of a number."""

    kind: Literal["label"]
    number: int
    digit: Digit
    part: int | None = Field(None, ge=0)  # index of the digit in the number
    strokes: Strokes


class NextEvent(BaseModel):
    """The visitor has drawn the digit that was asked for."""

    kind: Literal["next"]
    number: int
    digit: Digit
    image: str = Field(pattern="^data:image/png;base64,", max_length=MAX_FILE_BYTES // 10)
    strokes: Strokes


class RestoreEvent(BaseModel):
    """The browser has examples that this session does not know."""

    kind: Literal["restore"]
    number: int
    examples: list[Entry] = Field(max_length=MAX_EXAMPLES)


class PressEvent(BaseModel):
    """A button without further values."""

    kind: Literal["why", "number"]
    number: int


Event = LabelEvent | NextEvent | RestoreEvent | PressEvent
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def read_events(value: object, handled: int) -> list[Event]:
    """The events of a component's state that are new; what is no event is left out.

    Args:
        value: the state `{"events": [...]}` as the browser sent it, if it sent any.
        handled: the number of the last event that was taken over.
    """
    sent = value.get("events") if isinstance(value, dict) else None
    events = []
    for one in sent if isinstance(sent, list) else []:
        number = one.get("number") if isinstance(one, dict) else None
        if not isinstance(number, int) or number <= handled:
            continue
        try:
            events.append(_EVENT.validate_python(one))
        except ValidationError:
            continue
    return events
