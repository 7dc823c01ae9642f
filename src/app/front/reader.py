"""The canvas and what is beside it: the one part of the page with a script of its own.

The script reads while somebody draws, through the route `live`, and draws what the page answers in
the end. Undo, Clear and Next act in the browser at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from app.front.common import current_language
from app.front.components import waiting
from app.front.events import Event, read_events
from app.front.live import live_url
from app.front.session import Session
from app.front.settings import BRUSH_WIDTH, CANVAS_SIZE, MAX_FILE_BYTES
from app.front.texts import all_texts, translate

FOLDER = Path(__file__).with_name("reader")
_mount = st.components.v2.component(
    "reader",
    html=(FOLDER / "reader.html").read_text(encoding="utf-8"),
    js="".join((FOLDER / f"{name}.js").read_text() for name in ("canvas", "answer", "network")),
    isolate_styles=False,
)


def canvas(name: str) -> tuple[bytes | None, int]:
    """The canvas of that name; gives its drawing as PNG and the number of its strokes."""
    width, height = CANVAS_SIZE
    with st.container(key="canvas-frame"):
        drawn = st_canvas(
            stroke_width=BRUSH_WIDTH,
            stroke_color="#fff",
            background_color="#000",
            height=height,
            width=width,
            return_image_data=True,
            key=name,
        )
    raw = drawn.json_data  # anybody can send anything
    objects = raw.get("objects") if isinstance(raw, dict) else None
    if not objects or not isinstance(objects, list):
        return None, 0
    try:
        image = drawn.image_bytes
    except (AttributeError, ValueError):  # no data URL
        return None, 0
    return (image, len(objects)) if image and len(image) <= MAX_FILE_BYTES else (None, 0)


def new_events(session: Session) -> list[Event]:
    """What the visitor did in the browser since the last run."""
    events = read_events(st.session_state.get("reader"), session.handled)
    if events:
        session.handled = events[-1].number
    return events


def reader(
    session: Session,
    mode: str,
    view: dict[str, Any] | None = None,
    count: int = 0,
    todo: Sequence[int] = (),
) -> None:
    """Mount the answer beside the canvas.

    Args:
        session: the visitor's.
        mode: "read", "picture" where there is no canvas, or "practice".
        view: what is to be shown, of `components`; that an answer is waited for, if absent.
        count: the number of strokes that the answer is about.
        todo: the digits to practise, in order.
    """
    language = current_language()
    empty = waiting(language, mode)
    data = {
        "mode": mode,
        "view": view or empty,
        "waiting": empty,
        "count": count,
        "todo": list(todo),
        "url": live_url(session.key) if mode == "read" else "",
        "language": language,
        "texts": script_texts(language),
        "handled": session.handled,
        "fresh": not session.handled and not session.labelled,
        "examples": session.kept(),
    }
    _mount(key="reader", data=data, default={"events": []}, on_events_change=lambda: None)


def script_texts(language: str) -> dict[str, Any]:
    """The texts that the script fills in itself; where they name a digit, ten of them."""
    texts = all_texts(language)
    prefix = "script."
    single = {
        key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)
    }
    of_digits = {
        name: [translate(key, language, digit=digit) for digit in range(10)]
        for name, key in (("is", "digit.is"), ("label", "answer.label"), ("draw", "practice.draw"))
    }
    buttons = {name: texts[f"button.{name}"] for name in ("undo", "clear", "next", "why", "look")}
    way = [texts[f"way.{step}"] for step in ("drawn", "centred", "small")]
    return {**single, **of_digits, "buttons": buttons, "way": way}
