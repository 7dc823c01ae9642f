"""Draw a digit and see the prediction after every stroke; upload or photograph one; correct it."""

from typing import Any

import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_language,
    current_session,
    model_names,
    show_api_errors,
    t,
)
from app.front.inputs import canvas_input, image_input
from app.front.session import Drawing, Session
from app.front.settings import BRUSH_WIDTH, BRUSH_WIDTHS
from errors import ApiError

INPUTS = ("canvas", "upload", "camera")
FRAGMENTS = ["draw", "history"]
LEAVE_OUT = -1


@st.fragment(key="draw")
def drawing_board() -> None:
    """Canvas or image on the left, answer on the right; reruns alone after each stroke."""
    session = current_session()
    with st.container(key="board"):
        left, right = st.columns([1, 2], gap="large")
    with left:
        source = st.segmented_control(
            t("draw.input"),
            INPUTS,
            default="canvas",
            required=True,
            format_func=lambda name: t(f"draw.{name}"),
            key="input",
            on_change=change_input,
            label_visibility="collapsed",
        )
        if source == "canvas":
            st.caption(t("draw.hint"))
            canvas_input(session.canvas, "canvas", session.draw, session.undo, clear)
        else:
            session.upload(image_input(source))
    settings = st.container(key="board-settings")
    with right, show_api_errors(kept=session.image is not None):
        names = model_names()
        with settings, st.container(horizontal=True):
            if source == "canvas":
                st.slider(t("draw.brush"), *BRUSH_WIDTHS, BRUSH_WIDTH, step=2, key="brush")
            index = names.index(session.model) if session.model in names else 0
            session.model = st.selectbox(t("draw.model"), names, index=index)
        ask_api(session)
        answer = session.answer if session.image else None
        waiting = "waiting_more" if source == "canvas" else "waiting_picture"
        st.html(components.answer(answer, current_language(), waiting))
        correction(answer)
        probabilities = answer["probabilities"] if answer else [0.0] * 10
        st.html(components.bars(probabilities, current_language()))


def clear() -> None:
    """Begin a new drawing; the old one goes to the history, which is redrawn."""
    current_session().clear()
    st.rerun(FRAGMENTS)


def change_input() -> None:
    """Come back to the canvas, or leave it, and keep the drawing."""
    current_session().upload(None)
    current_session().canvas.renew()


def ask_api(session: Session) -> None:
    """Ask the API about the current image, unless the chosen model has answered already."""
    if session.image is None:
        return
    if session.answer is None or session.answer["model"] != session.model:
        try:
            session.answer = client().predict(session.image, session.model, session.examples)
        except ApiError:
            session.correction = None  # it must not label a later drawing
            raise
    if session.uploaded or session.correction is not None:
        session.record()
    if session.answer is None:  # the correction is to be learnt
        session.answer = client().predict(session.image, session.model, session.examples)


def correction(answer: dict[str, Any] | None) -> None:
    """Ten buttons that say what the current image is; the models learn it at once."""
    if answer is None:
        st.caption(t("correct.waiting"))
    elif answer.get("is_digit", True):
        st.caption(t("correct.question", digit=answer["prediction"]))
    else:
        st.caption(t("correct.rejected"))
    with st.container(horizontal=True, key="correction"):
        for digit in range(10):
            st.button(
                str(digit),
                on_click=correct,
                args=(digit,),
                disabled=answer is None,
                key=f"correct-{digit}",
            )


def correct(digit: int) -> None:
    """Take the current image as an example of a digit, once the API has answered."""
    current_session().correction = digit
    st.rerun(FRAGMENTS)


@st.fragment(key="history")
def history() -> None:
    """The drawings of this session, to correct and to download."""
    session = current_session()
    st.header(t("history.title"), anchor=False)
    if not session.history:
        st.caption(t("history.empty"))
        return
    st.caption(t("history.correct"))
    with st.container(horizontal=True, key="history-cards"):
        for drawing in reversed(session.history):
            with st.container(key=f"history-card-{drawing.number}", width=132):
                history_card(drawing)
    with st.container(horizontal=True, vertical_alignment="bottom", key="history-download"):
        writer = st.text_input(t("history.writer"), t("history.writer_default"), width=240)
        lines = session.stroke_lines(writer.strip() or t("history.writer_default"))
        st.download_button(
            t("history.download", count=lines.count("\n")),
            lines,
            "drawings.jsonl",
            "application/jsonl",
            icon=":material/download:",
            disabled=not lines,
        )
    st.caption(t("history.evaluate"))


def history_card(drawing: Drawing) -> None:
    """One drawing with its answer and the choice of its label."""
    if drawing.answer:
        summary = components.summarize(drawing.answer, current_language())
    else:
        summary = t("history.loaded")
    alt = t("history.alt", number=drawing.number, answer=summary)
    st.html(components.small_image(drawing.image, alt, summary))
    key = f"label-{drawing.number}"
    st.session_state[key] = LEAVE_OUT if drawing.label is None else drawing.label
    st.selectbox(
        t("history.label"),
        [*range(10), LEAVE_OUT],
        format_func=lambda n: t("history.leave_out") if n == LEAVE_OUT else str(n),
        key=key,
        on_change=relabel,
        args=(drawing,),
        label_visibility="collapsed",
    )


def relabel(drawing: Drawing) -> None:
    """Take over the label that was chosen in the history, and read the current image again."""
    chosen = st.session_state[f"label-{drawing.number}"]
    current_session().set_label(drawing, None if chosen == LEAVE_OUT else chosen)
    st.rerun(FRAGMENTS)


drawing_board()
history()
