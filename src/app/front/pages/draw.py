"""Draw a digit and see it read after every stroke; upload or photograph one; keep the visit."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from app.front import components
from app.front.common import (
    api_errors_in_words,
    client,
    language,
    model_names,
    say,
    visit,
)
from app.front.pictures import data_url, refusal
from app.front.session import Visit
from app.front.settings import BRUSH_WIDTH, BRUSH_WIDTHS, CANVAS_SIDE, MAX_FILE_BYTES

PICTURE_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
INPUTS = ("canvas", "upload", "camera")
LEAVE_OUT = -1


@st.fragment(key="draw")
def drawing_board() -> None:
    """Canvas or picture on the left, answer on the right; reruns by itself after each stroke."""
    now = visit()
    with st.container(key="board"):
        left, right = st.columns([1, 2], gap="large")
    with left:
        source = st.segmented_control(
            say("draw.input"),
            INPUTS,
            default="canvas",
            required=True,
            format_func=lambda name: say(f"draw.{name}"),
            key="input",
            on_change=change_input,
            label_visibility="collapsed",
        )
        if source == "canvas":
            canvas()
        else:
            other_picture(source)
    settings = st.container(key="board-settings")
    with right, api_errors_in_words(kept=now.picture is not None):
        names = model_names()
        with settings, st.container(horizontal=True):
            if source == "canvas":
                st.slider(say("draw.brush"), *BRUSH_WIDTHS, BRUSH_WIDTH, step=2, key="brush")
            index = names.index(now.model) if now.model in names else 0
            now.model = st.selectbox(say("draw.model"), names, index=index)
        ask(now)
        waiting = "waiting_more" if source == "canvas" else "waiting_picture"
        st.html(components.answer(now.answer if now.picture else None, language(), waiting))


def canvas() -> None:
    """The canvas with its buttons."""
    now = visit()
    st.caption(say("draw.hint"))
    width = st.session_state.get("brush", BRUSH_WIDTH)
    with st.container(key="canvas-frame"):
        drawn = st_canvas(
            stroke_width=width,
            stroke_color="#fff",
            background_color="#000",
            height=CANVAS_SIDE,
            width=CANVAS_SIDE,
            initial_drawing={"objects": now.start},
            return_image_data=True,
            key=f"canvas-{now.canvas}",
        )
    now.draw(drawn.json_data["objects"], drawn.image_bytes)
    with st.container(horizontal=True, key="canvas-buttons"):
        st.button(
            say("draw.undo"),
            icon=":material/undo:",
            on_click=now.undo,
            disabled=not now.steps,
            width="stretch",
        )
        st.button(
            say("draw.clear"),
            icon=":material/delete:",
            on_click=clear,
            disabled=not now.steps,
            width="stretch",
        )


def clear() -> None:
    """Begin a new drawing; the old one goes to the history, which is shown anew."""
    visit().clear()
    st.rerun(["draw", "history"])


def change_input() -> None:
    """Come back to the canvas, or leave it, with the drawing kept."""
    visit().upload(None)
    visit().renew_canvas()


def other_picture(source: str) -> None:
    """A picture from a file or from the camera, within the limits of the API."""
    megabytes = MAX_FILE_BYTES // 1_000_000
    if source == "upload":
        file = st.file_uploader(
            say("draw.upload_label", megabytes=megabytes),
            PICTURE_TYPES,
            max_upload_size=megabytes,
            key="file",
        )
    else:
        file = st.camera_input(say("draw.camera_label"), key="photo")
    picture = file.getvalue() if file else None
    refused = refusal(picture) if picture else None
    if refused:
        key, values = refused
        st.warning(say(key, **values), icon=":material/block:")
        picture = None
    visit().upload(picture)
    if picture and source == "upload":
        st.image(picture, caption=say("draw.your_picture"), width=CANVAS_SIDE)


def ask(now: Visit) -> None:
    """Ask the API about the picture at hand, unless the chosen model has answered already."""
    if now.picture and (now.answer is None or now.answer["model"] != now.model):
        now.answer = client().predict(now.picture, now.model)
        if now.uploaded:
            now.remember(now.uploaded, now.answer, [])


@st.fragment(key="history")
def history() -> None:
    """What was drawn in this visit, to correct and to download."""
    now = visit()
    st.header(say("history.title"), anchor=False)
    if not now.history:
        st.caption(say("history.empty"))
        return
    st.caption(say("history.correct"))
    with st.container(horizontal=True, key="history-cards"):
        for number, entry in reversed(list(enumerate(now.history, start=1))):
            with st.container(key=f"history-card-{number}", width=132):
                short = components.brief_answer(entry.answer, language())
                alt = say("history.alt", number=number, answer=short)
                st.html(components.picture(data_url(entry.picture), alt, short, "drawn"))
                chosen = st.selectbox(
                    say("history.label"),
                    [*range(10), LEAVE_OUT],
                    index=[*range(10), LEAVE_OUT].index(
                        LEAVE_OUT if entry.label is None else entry.label
                    ),
                    format_func=lambda n: say("history.leave_out") if n == LEAVE_OUT else str(n),
                    key=f"label-{number}",
                    label_visibility="collapsed",
                )
                entry.label = None if chosen == LEAVE_OUT else chosen
    with st.container(horizontal=True, vertical_alignment="bottom", key="history-download"):
        writer = st.text_input(say("history.writer"), say("history.writer_default"), width=240)
        lines = now.recordings(writer.strip() or say("history.writer_default"))
        st.download_button(
            say("history.download", count=lines.count("\n")),
            lines,
            "drawings.jsonl",
            "application/jsonl",
            icon=":material/download:",
            disabled=not lines,
        )
    st.caption(say("history.measure"))


drawing_board()
history()
