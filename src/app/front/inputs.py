"""The ways to give an image: a canvas, a file, the camera."""

from collections.abc import Callable
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit_drawable_canvas import st_canvas

from app.front.canvas import Canvas
from app.front.common import model_names, t
from app.front.images import upload_problem
from app.front.settings import BRUSH_WIDTH, CANVAS_SIDE, MAX_FILE_BYTES
from app.front.strokes import CanvasObject

IMAGE_TYPES = ["png", "jpg", "jpeg", "webp", "heic", "heif", "avif", "bmp", "gif"]


def canvas_input(
    canvas: Canvas,
    name: str,
    on_draw: Callable[[list[CanvasObject], bytes | None], object],
    on_undo: Callable[[], None],
    on_clear: Callable[[], None],
    size: tuple[int, int] = (CANVAS_SIDE, CANVAS_SIDE),
    brush: int = BRUSH_WIDTH,
) -> DeltaGenerator:
    """A canvas with its buttons; gives the canvas's frame, to lay something over it.

    Args:
        canvas: its state.
        name: the prefix of the widgets' keys.
        on_draw: takes what the canvas sends.
        on_undo, on_clear: what the buttons do.
        size: width and height in pixels.
        brush: its width in pixels.
    """
    frame = st.container(key=f"{name}-frame")
    with frame:
        drawn = st_canvas(
            stroke_width=brush,
            stroke_color="#fff",
            background_color="#000",
            height=size[1],
            width=size[0],
            initial_drawing={"objects": canvas.initial_objects},
            return_image_data=True,
            key=f"{name}-{canvas.number}",
        )
    on_draw(drawn.json_data["objects"], drawn.image_bytes)
    buttons = {"undo": (on_undo, ":material/undo:"), "clear": (on_clear, ":material/delete:")}
    with st.container(horizontal=True, key=f"{name}-buttons"):
        for button, (on_click, icon) in buttons.items():
            st.button(
                t(f"draw.{button}"),
                icon=icon,
                on_click=on_click,
                disabled=not canvas.steps,
                width="stretch",
                key=f"{name}-{button}",
            )
    return frame


def image_input(source: str) -> bytes | None:
    """An image from a file or from the camera, within the limits of the API, if one was chosen."""
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
    problem = upload_problem(image) if image else None
    if problem:
        key, values = problem
        st.warning(t(key, **values), icon=":material/block:")
        return None
    return image


def choose_model(current: str | None, width: int | Literal["stretch"] = "stretch") -> str:
    """One of the models that answer, at first the current one; raises `ApiError`."""
    names = model_names()
    index = names.index(current) if current in names else 0
    return st.selectbox(t("draw.model"), names, index=index, width=width)


def digit_buttons(on_click: Callable[[int], None], disabled: bool = False) -> None:
    """Ten buttons to say which digit something is."""
    with st.container(horizontal=True, key="correction"):
        for digit in range(10):
            st.button(
                str(digit),
                on_click=on_click,
                args=(digit,),
                disabled=disabled,
                key=f"correct-{digit}",
            )
