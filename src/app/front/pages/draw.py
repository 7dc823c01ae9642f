"""Draw a digit and see the prediction after every stroke; upload or photograph one."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas  # type: ignore[import-untyped]

from app.front import components
from app.front.common import (
    client,
    current_language,
    current_session,
    model_names,
    show_api_errors,
    t,
)
from app.front.images import upload_problem
from app.front.session import Session
from app.front.settings import BRUSH_WIDTH, BRUSH_WIDTHS, CANVAS_SIDE, MAX_FILE_BYTES

IMAGE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
INPUTS = ("canvas", "upload", "camera")
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
            canvas()
        else:
            image_input(source)
    settings = st.container(key="board-settings")
    with right, show_api_errors(kept=session.image is not None):
        names = model_names()
        with settings, st.container(horizontal=True):
            if source == "canvas":
                st.slider(t("draw.brush"), *BRUSH_WIDTHS, BRUSH_WIDTH, step=2, key="brush")
            index = names.index(session.model) if session.model in names else 0
            session.model = st.selectbox(t("draw.model"), names, index=index)
        ask_api(session)
        waiting = "waiting_more" if source == "canvas" else "waiting_picture"
        st.html(
            components.answer(
                session.answer if session.image else None, current_language(), waiting
            )
        )


def canvas() -> None:
    """The canvas with its buttons."""
    session = current_session()
    st.caption(t("draw.hint"))
    width = st.session_state.get("brush", BRUSH_WIDTH)
    with st.container(key="canvas-frame"):
        drawn = st_canvas(
            stroke_width=width,
            stroke_color="#fff",
            background_color="#000",
            height=CANVAS_SIDE,
            width=CANVAS_SIDE,
            initial_drawing={"objects": session.initial_objects},
            return_image_data=True,
            key=f"canvas-{session.canvas}",
        )
    session.draw(drawn.json_data["objects"], drawn.image_bytes)
    with st.container(horizontal=True, key="canvas-buttons"):
        st.button(
            t("draw.undo"),
            icon=":material/undo:",
            on_click=session.undo,
            disabled=not session.steps,
            width="stretch",
        )
        st.button(
            t("draw.clear"),
            icon=":material/delete:",
            on_click=clear,
            disabled=not session.steps,
            width="stretch",
        )


def clear() -> None:
    """Begin a new drawing; the old one goes to the history, which is redrawn."""
    current_session().clear()
    st.rerun(["draw", "history"])


def change_input() -> None:
    """Come back to the canvas, or leave it, and keep the drawing."""
    current_session().upload(None)
    current_session().renew_canvas()


def image_input(source: str) -> None:
    """An image from a file or from the camera, within the limits of the API."""
    megabytes = MAX_FILE_BYTES // 1_000_000
    if source == "upload":
        file = st.file_uploader(
            t("draw.upload_label", megabytes=megabytes),
            IMAGE_TYPES,
            max_upload_size=megabytes,
            key="file",
        )
    else:
        file = st.camera_input(t("draw.camera_label"), key="photo")
    image = file.getvalue() if file else None
    rejected = upload_problem(image) if image else None
    if rejected:
        key, values = rejected
        st.warning(t(key, **values), icon=":material/block:")
        image = None
    current_session().upload(image)
    if image and source == "upload":
        st.image(image, caption=t("draw.your_image"), width=CANVAS_SIDE)


def ask_api(session: Session) -> None:
    """Ask the API about the current image, unless the chosen model has answered already."""
    if session.image and (session.answer is None or session.answer["model"] != session.model):
        session.answer = client().predict(session.image, session.model)
        if session.uploaded:
            session.add_to_history(session.answer, [])


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
        for number, entry in reversed(list(enumerate(session.history, start=1))):
            with st.container(key=f"history-card-{number}", width=132):
                short = components.summarize(entry.answer, current_language())
                alt = t("history.alt", number=number, answer=short)
                st.html(components.small_image(entry.answer["image"], alt, short))
                chosen = st.selectbox(
                    t("history.label"),
                    [*range(10), LEAVE_OUT],
                    index=[*range(10), LEAVE_OUT].index(
                        LEAVE_OUT if entry.label is None else entry.label
                    ),
                    format_func=lambda n: t("history.leave_out") if n == LEAVE_OUT else str(n),
                    key=f"label-{number}",
                    label_visibility="collapsed",
                )
                entry.label = None if chosen == LEAVE_OUT else chosen
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


drawing_board()
history()
