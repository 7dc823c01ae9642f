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
    view = view or empty
    data = {
        "mode": mode,
        "view": view,
        "parts": parts(mode, view, language),
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


def parts(mode: str, view: dict[str, Any], language: str) -> dict[str, dict[str, Any]]:
    """What the elements of `reader.html` are given, by their classes: properties of the DOM."""

    def text(key: str, **properties: bool) -> dict[str, Any]:
        return {"textContent": translate(key, language), **properties}

    drawn = mode != "picture"
    explained = mode == "read" and view["image"] is not None
    hint = {"waiting": "", "number": translate("answer.correct_number", language)}
    return {
        "undo": text("button.undo"),
        "clear": text("button.clear"),
        "next": text("button.next", hidden=mode != "practice"),
        "why": text("button.why", hidden=not explained, ariaPressed=bool(view["evidence"])),
        "look": text("button.look", hidden=not explained),
        "whole": {"textContent": view["whole"], "hidden": not view["whole"]},
        "legend": {"textContent": view["legend"]},
        "hint": {"textContent": hint.get(view["kind"], translate("answer.correct", language))},
        "bars": {"ariaLabel": translate("answer.bars", language)},
        "small": {"alt": translate("answer.small", language)},
        "drawn-words": text("way.drawn"),
        "centred-words": text("way.centred"),
        "small-words": text("way.small"),
        "tools": {"hidden": not drawn},
        "over": {"hidden": not drawn},
        "values": {"hidden": mode == "practice"},
    }


def script_texts(language: str) -> dict[str, Any]:
    """The texts that the script fills in itself; where they name a digit, ten of them."""
    texts = all_texts(language)
    network = {
        key.removeprefix("network."): text
        for key, text in texts.items()
        if key.startswith("network.")
    }
    return network | {
        "is": [translate("digit.is", language, digit=digit) for digit in range(10)],
        "is_number": texts["number.is"],
        "sure": texts["digit.sure"],
        "draw": [translate("practice.draw", language, digit=digit) for digit in range(10)],
        "complete": texts["practice.last"],
    }
