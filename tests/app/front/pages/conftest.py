"""The pages by AppTest against the real API."""

import io
import json
import re
import shutil

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from tests.support.services import running_api

from app.front.images import data_url
from app.front.session import Session
from model.config import REPOSITORY

SCRIPT = REPOSITORY / "src" / "app" / "streamlit_app.py"
STROKES = [[[60, 60], [140, 160], [220, 220]]]


class Visitor:
    """Somebody who uses the page; fails as soon as the page shows a traceback."""

    def __init__(self, name: str) -> None:
        self.app = AppTest.from_file(SCRIPT, default_timeout=20)
        self.run()
        if name != "draw":
            self.go_to(name)

    def run(self) -> None:
        self.app.run()
        assert not self.app.exception

    def go_to(self, name: str) -> None:
        """Choose another page from the navigation."""
        self.app.switch_page(f"front/pages/{name}.py")
        self.run()

    def send(self, strokes: int, png: bytes = b"") -> None:
        """Let the canvas send a drawing of so many strokes."""
        drawing = {"raw": {"objects": [{}] * strokes}, "data": data_url(png)}
        self.app.session_state["drawing"] = {"drawing": drawing}
        self.run()

    def draw(self, digit: int, turned: float = 0) -> None:
        """Let the canvas send a drawing of the repository, turned by degrees."""
        self.send(1, digit_png(digit, turned))

    def tell(self, kind: str, **values: object) -> None:
        """Do something that the script in the browser tells the page."""
        event = {"number": self.session.handled + 1, "kind": kind, **values}
        self.app.session_state["reader"] = {"events": [event]}
        self.run()

    def label(self, digit: int, part: int | None = None) -> None:
        """Say which digit the current image is, or a digit of the number."""
        self.tell("label", digit=digit, part=part, strokes=STROKES)

    def give(self, digit: int, drawing: int | None = None, turned: float = 0) -> None:
        """Draw a digit that *Your handwriting* asks for, and go on to the next."""
        image = data_url(digit_png(digit if drawing is None else drawing, turned))
        self.tell("next", digit=digit, image=image, strokes=STROKES)

    @property
    def given(self) -> dict:
        """What the page gives to the script in the browser."""
        components = [element.proto for element in self.app.get("bidi_component")]
        [reader] = [one for one in components if one.component_name == "reader"]
        return json.loads(reader.json)

    @property
    def answer(self) -> str:
        """The answer in words."""
        view = self.given["view"]
        return f"{view['head']}. {view['more']}"

    @property
    def shown(self) -> str:
        """All that the page says beside the answer: texts, messages and its own HTML."""
        app = self.app
        kinds = (app.title, app.header, app.markdown, app.caption, app.warning, app.info, app.html)
        text = "\n".join(element.value for kind in (*kinds, app.success) for element in kind)
        return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)  # as Markdown shows it

    @property
    def session(self) -> Session:
        return self.app.session_state["session"]

    @property
    def labels(self) -> list[int]:
        """The labels of what the visitor has taught."""
        return [digit.label for digit in self.session.labelled]

    def widget(self, kind: str, name: str):
        """The widget of that kind (`button`, `selectbox`, ...) and label or key."""
        [found] = [one for one in getattr(self.app, kind) if name in (one.label, one.key)]
        return found

    def press(self, label: str) -> None:
        """Press the button of that label."""
        self.widget("button", label).click()
        self.run()

    def choose(self, kind: str, name: str, value: object) -> None:
        """Give the widget of that kind and label or key a value."""
        self.widget(kind, name).set_value(value)
        self.run()

    def switch(self, key: str, option: object) -> None:
        """Choose an option of those in a row."""
        self.choose("segmented_control", key, option)

    def upload(self, content: bytes, name: str = "7.png") -> None:
        """Give the page a file."""
        [uploader] = self.app.file_uploader
        uploader.upload(name, content)
        self.run()


def digit_png(digit: int, turned: float = 0) -> bytes:
    """A digit of the repository, drawn on the canvas, turned by degrees."""
    image = Image.open(REPOSITORY / "data" / "digits" / f"{digit}.png").convert("L").rotate(turned)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def cnn_api_url(tmp_path_factory):
    """The base URL of an API that has the cnn alone and no study."""
    folder = tmp_path_factory.mktemp("cnn-alone")
    for path in (REPOSITORY / "models").glob("mnist-0.0.1*"):
        shutil.copy(path, folder)
    with running_api(MODELS_DIR=str(folder)) as api:
        yield api.url


@pytest.fixture
def open_page(api_url, monkeypatch):
    """Opens a page, by its file's name, in a new session."""

    def open_(name: str = "draw", url: str = api_url) -> Visitor:
        monkeypatch.setenv("API_URL", url)
        st.cache_resource.clear()
        st.cache_data.clear()
        return Visitor(name)

    yield open_
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def visitor(open_page):
    """Somebody who has just come to draw."""
    return open_page()


@pytest.fixture
def digit_image():
    """Gives the PNG of a digit of the repository."""
    return digit_png
