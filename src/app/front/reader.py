"""The canvas and what is beside it: the one part of the page with a script of its own.

The script reads while somebody draws, through the route `live`, and draws what the page answers in
the end. Undo, Clear and Next act in the browser at once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from app.front.components import waiting
from app.front.events import Event, read_events
from app.front.live import live_url
from app.front.session import Session
from app.front.settings import BRUSH_WIDTH, CANVAS_SIZE
from app.front.texts import all_texts, current_language, t

FOLDER = Path(__file__).with_name("reader")
SECTIONS = ("answer", "button", "digit", "network", "number", "practice", "way")  # the script's
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
    strokes = len(drawn.json_data["objects"]) if drawn.json_data else 0
    return (drawn.image_bytes, strokes) if strokes else (None, 0)


def new_events(session: Session) -> list[Event]:
    """What the visitor did in the browser since the last run."""
    events = read_events(st.session_state.get("reader", {"events": []}), session.handled)
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
        mode: "read", "picture" for an upload or the camera, or "practice".
        view: what is to be shown, of `components`; that an answer is waited for, if absent.
        count: the number of strokes that the answer is about.
        todo: the digits to practise, in order.
    """
    texts = all_texts(current_language())
    empty = waiting(mode)
    data = {
        "mode": mode,
        "view": view or empty,
        "waiting": empty,
        "count": count,
        "todo": list(todo),
        "draw": [t("practice.draw", digit=digit) for digit in range(10)],
        "is": [t("digit.is", digit=digit) for digit in range(10)],
        "url": live_url(session.key) if mode == "read" else "",
        "language": current_language(),
        "texts": {key: text for key, text in texts.items() if key.split(".")[0] in SECTIONS},
        "handled": session.handled,
        "fresh": not session.handled and not session.labelled,
        "examples": session.kept(),
    }
    _mount(key="reader", data=data, default={"events": []}, on_events_change=lambda: None)
