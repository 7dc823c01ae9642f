"""Draw a digit or a number and see the answer after every stroke; upload, photograph, correct."""

import functools
from typing import Any

import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_language,
    current_session,
    read_number,
    show_api_errors,
    t,
)
from app.front.images import as_shown
from app.front.inputs import canvas_input, choose_model, digit_buttons, image_input
from app.front.session import Drawing, Session
from app.front.settings import (
    BRUSH_WIDTH,
    BRUSH_WIDTHS,
    CANVAS_SIDE,
    WIDE_BRUSH_WIDTH,
    WIDE_CANVAS,
)
from errors import ApiError

READS = ("digit", "number")
INPUTS = ("canvas", "upload", "camera")
WAITING = dict.fromkeys(INPUTS, "waiting_picture") | {"canvas": "waiting_more"}
FRAGMENTS = ["draw", "history"]
LEAVE_OUT = -1
WORD_JOINER = "\N{WORD JOINER}"


@st.fragment(key="draw")
def drawing_board() -> None:
    """The switch between a digit and a number, and the board; reruns alone after each stroke."""
    if choose("reads", READS) == "number":
        number_board(current_session())
    else:
        digit_board(current_session())


def choose(name: str, options: tuple[str, ...]) -> str:
    """One of the options in a row, the first at first; another one keeps the drawing."""
    return st.segmented_control(
        t(f"draw.{name}"),
        options,
        default=options[0],
        required=True,
        format_func=lambda option: t(f"draw.{option}"),
        key=name,
        on_change=current_session().renew_canvases,
        label_visibility="collapsed",
    )


def digit_board(session: Session) -> None:
    """Canvas or image on the left, answer on the right."""
    with st.container(key="board"):
        left, right = st.columns([1, 2], gap="large")
    with left:
        source = choose("input", INPUTS)
        if source == "canvas":
            session.upload(None)  # Streamlit forgets the input where another page is shown
            st.caption(t("draw.hint"))
            brush = st.session_state.get("brush", BRUSH_WIDTH)
            canvas_input(session.canvas, "canvas", session.draw, session.undo, clear, brush=brush)
        else:
            session.upload(image_input(source))
            if source == "upload":
                with st.container(width=CANVAS_SIDE):
                    show_upload(session)
    settings = st.container(key="board-settings", horizontal=True)
    with right, show_api_errors(kept=session.image is not None):
        with settings:
            choose_settings(session, source, "brush", BRUSH_WIDTH)
        ask_api(session)
        answer = session.answer if session.image else None
        st.html(components.answer(answer, current_language(), WAITING[source]))
        correction(answer)
        probabilities = answer["probabilities"] if answer else [0.0] * 10
        st.html(components.bars(probabilities, current_language()))
    if st.session_state["history-shown"] not in (None, labels(session)):
        st.rerun()


def show_upload(session: Session) -> tuple[int, int] | None:
    """The image that was given, as wide as its place, if there is one that can be shown.

    Returns:
        Its width and height, upright.
    """
    shown = as_shown(session.uploaded) if session.uploaded else None
    if shown is None:
        return None
    text = t("draw.your_image")
    st.image(shown.file, caption=text, width="stretch", alt=text)
    return shown.size


def choose_settings(session: Session, source: str, brush: str, width: int) -> None:
    """The brush's width and the model; raises `ApiError` where the models are not known."""
    if source == "canvas":
        st.slider(t("draw.brush"), *BRUSH_WIDTHS, width, step=2, key=brush)
    session.model = choose_model(session.model)


def number_board(session: Session) -> None:
    """A wide canvas or an image with a box around each digit; the answer is below."""
    source = choose("input", INPUTS)
    if source == "canvas":
        session.upload(None)
        st.caption(t("number.hint"))
        wide, brush = session.wide, st.session_state.get("wide-brush", WIDE_BRUSH_WIDTH)
        size: tuple[int, int] | None = WIDE_CANVAS
        picture = canvas_input(wide, "wide", wide.update, wide.undo, wide.clear, WIDE_CANVAS, brush)
    else:
        session.upload(image_input(source))
        picture = st.container(key="picture-frame")
        with picture:
            size = show_upload(session)
    answer_place = st.container()
    settings = st.container(key="board-settings", horizontal=True)
    with answer_place, show_api_errors(kept=session.number_image is not None):
        with settings:
            choose_settings(session, source, "wide-brush", WIDE_BRUSH_WIDTH)
        image, answer = session.number_image, None
        if image:
            answer = read_number(image, session.model, session.examples)
        st.html(components.answer(answer, current_language(), WAITING[source], "number"))
        if image and answer and answer["digits"]:
            chosen = number_correction(image, answer["digits"])
            if size:
                picture.html(components.digit_boxes(answer["digits"], chosen, size))


def number_correction(image: bytes, digits: list[dict[str, Any]]) -> int:
    """Choose a digit of the number, at first what is none or the least sure one, and correct it.

    Returns:
        The chosen digit's index.
    """
    number = hash(image), len(digits)
    chosen = st.session_state.get("digit")
    if chosen is None or st.session_state["digit-of"] != number:
        doubtful = [(digit["is_digit"], digit["confidence"]) for digit in digits]
        chosen = doubtful.index(min(doubtful))
    # set in every run, since the browser forgets it where a label changes
    st.session_state.update({"digit": chosen, "digit-of": number})
    st.html(components.number_digits(digits, current_language()))
    st.segmented_control(
        t("number.choose"),
        range(len(digits)),
        required=True,
        # Streamlit tells options apart by their labels, so equal digits differ by invisible signs.
        format_func=lambda index: components.digit_sign(digits[index]) + WORD_JOINER * index,
        key="digit",
    )
    question(digits[chosen])
    digit_buttons(functools.partial(correct_digit, digits))
    return chosen


def correct_digit(digits: list[dict[str, Any]], label: int) -> None:
    """Take the chosen digit as an example; the number is read again at once."""
    current_session().learn_digit(digits[st.session_state["digit"]], label)
    st.rerun(FRAGMENTS)


def clear() -> None:
    """Begin a new drawing; the old one goes to the history, which is redrawn."""
    current_session().clear()
    st.rerun(FRAGMENTS)


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
    else:
        question(answer)
    digit_buttons(correct, disabled=answer is None)


def question(answer: dict[str, Any]) -> None:
    """Ask whether what was read is right, of one image or of a digit of a number."""
    if answer["is_digit"]:
        st.caption(t("correct.question", digit=answer["prediction"]))
    else:
        st.caption(t("correct.rejected"))


def correct(digit: int) -> None:
    """Take the current image as an example of a digit, once the API has answered."""
    current_session().correction = digit
    st.rerun(FRAGMENTS)


def labels(session: Session) -> list[tuple[int, int | None]]:
    """What is in the history: the number of each drawing and its label."""
    return [(drawing.number, drawing.label) for drawing in session.history]


@st.fragment(key="history")
def history() -> None:
    """The drawings of this session, to correct and to download."""
    session = current_session()
    st.session_state["history-shown"] = labels(session)
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


st.session_state["history-shown"] = None  # all of the page runs, the history after the board
drawing_board()
history()
