"""Draw a digit or a number and see it read; upload, photograph, correct, ask why."""

from typing import Any

import numpy as np
import streamlit as st

from app.front.common import client, current_session, model_text, served_models, show_api_errors
from app.front.components import digit_view, number_view
from app.front.events import Event
from app.front.images import as_shown, data_url, encode_png, evidence
from app.front.reader import canvas, new_events, reader
from app.front.session import Session
from app.front.settings import MAX_FILE_BYTES
from app.front.texts import t

SOURCES = ("canvas", "upload", "camera")
DOUBTED = 3e-4  # a label less probable than this counts less than half (see model/adaptation.py)


@st.fragment
def board() -> None:
    """The canvas, the answer and the settings; reruns alone after each stroke."""
    session = current_session()
    source = st.session_state.get("source", SOURCES[0])
    mode = "read" if source == "canvas" else "picture"
    view, strokes = None, 0
    board, messages = st.container(key="board"), st.container()
    with board:
        if source == "canvas":
            image, strokes = canvas("drawing")
        else:
            frame = st.container(key="picture-frame")
            with frame:
                image = picture(session, source)
        session.show(image)
        choices = st.container(key="settings", horizontal=True)
    with messages, show_api_errors(kept=session.image is not None):
        with choices:
            settings(session)
        reply = read(session)
        if events := new_events(session):
            for event in events:
                take(session, event, reply)
            reply = read(session)
        if image and reply:
            if "number" in reply:
                view = number_view(reply, session.reads_number)
            else:
                view = digit_view(reply, session.said, session.doubted)
            if session.explains and view["image"]:
                view |= explanation(session, image)
            if source == "upload" and (small := as_shown(image)):
                frame.image(small, width="stretch", alt=t("draw.your_image"))
    with board:
        reader(session, mode, view, strokes)


def read(session: Session) -> dict[str, Any] | None:
    """The API's answer to the current image: as a digit, or as a number where it holds several."""
    if session.image is None:
        return None
    arguments = session.image, session.model, session.examples
    if not session.reads_number:
        answer = client().predict(*arguments)
        if answer["reason"] != "several_digits":
            return answer
    return client().predict(*arguments, "predict/number")


def take(session: Session, event: Event, reply: dict[str, Any] | None) -> None:
    """Do what the visitor has told: correct the answer to the current image, or ask why."""
    if event.kind == "restore":
        session.load(event.examples)
    elif event.kind == "number":
        session.reads_number = not session.reads_number
    elif event.kind == "why":
        session.explains = not session.explains
    elif event.kind == "label" and reply and event.part is not None:
        digits = reply.get("digits", [])
        if event.part < len(digits):
            session.learn(event.digit, digits[event.part]["image"], [])
    elif event.kind == "label" and reply and "number" not in reply:
        session.learn(event.digit, reply["image"], event.strokes)
        session.said = event.digit
        session.doubted = reply["probabilities"][event.digit] < DOUBTED


def explanation(session: Session, image: bytes) -> dict[str, Any]:
    """Which pixels spoke for the answer, as a picture and in words; raises `ApiError`."""
    answer = client().predict(image, session.model, session.examples, "explain")
    digit, values = answer["attribution"]["target"], np.array(answer["attribution"]["values"])
    half = "upper" if values[:14].sum() >= values[14:].sum() else "lower"
    legend = t("evidence.legend", digit=digit, most=t(f"evidence.{half}"))
    return {"evidence": data_url(encode_png(evidence(values))), "legend": legend}


def picture(session: Session, source: str) -> bytes | None:
    """Ask for a file or a photograph; give the latest one."""
    if source == "upload":
        label = t("draw.upload_label", megabytes=MAX_FILE_BYTES // 1_000_000)
        # Any kind of file: the browser's own refusal would leave the picture before in place.
        st.file_uploader(label, key="upload", on_change=take_file, args=("upload",))
    else:
        st.camera_input(t("draw.camera_label"), key="camera", on_change=take_file, args=("camera",))
    return session.picture


def take_file(widget: str) -> None:
    """Take the chosen file over: the page's server keeps only the latest uploads."""
    file = st.session_state[widget]
    current_session().picture = file.getvalue() if file else None


def settings(session: Session) -> None:
    """Where the picture comes from, and which model reads it; raises `ApiError`."""
    st.segmented_control(
        t("draw.source"),
        SOURCES,
        default=SOURCES[0],
        required=True,
        format_func=lambda source: t(f"draw.{source}"),
        key="source",
        on_change=leave_picture,
    )
    # networks for permuted pixels stand on Compare: they show something, they do not read better
    names = [model["name"] for model in served_models() if not model["permuted"]]
    session.model = st.selectbox(
        t("draw.model"),
        names,
        index=names.index(session.model) if session.model in names else 0,
        format_func=lambda name: model_text("name", name),
    )


def leave_picture() -> None:
    """Another source begins without the picture of the one before."""
    current_session().picture = None


board()
