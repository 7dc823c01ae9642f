"""The pages by AppTest against the real API."""

import base64
import json
import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from tests.support.networks import card
from tests.support.services import running_api
from tests.support.study import result

from app.client import DigitsClient
from app.front.session import Session
from model.export import save_model
from model.train import NETWORKS

REPOSITORY = Path(__file__).resolve().parents[4]
SCRIPT = REPOSITORY / "src" / "app" / "streamlit_app.py"
# A stroke as the canvas records it; what is read is the picture that comes with it.
STROKE = {"path": [["M", 60, 60], ["Q", 80, 90, 140, 160], ["L", 220, 220]]}


class Visitor:
    """Somebody who uses the page; fails as soon as the page shows a traceback."""

    def __init__(self, name: str, **query: str) -> None:
        self.app = AppTest.from_file(SCRIPT, default_timeout=20)
        for key, value in query.items():
            self.app.query_params[key] = value
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

    def draw(self, digit: int, strokes: int = 1, canvas: str = "canvas") -> None:
        """Let a canvas send a drawing of the repository."""
        data = base64.b64encode(digit_png(digit)).decode()
        raw = {"objects": [STROKE | {"left": 140, "top": 140}] * strokes}
        number = getattr(self.session, canvas).number
        self.app.session_state[f"{canvas}-{number}"] = {
            "drawing": {"raw": raw, "data": f"data:image/png;base64,{data}"}
        }
        self.run()

    @property
    def shown(self) -> str:
        """All that the page says: texts, messages and its own HTML."""
        app = self.app
        kinds = (app.title, app.header, app.markdown, app.caption, app.warning, app.info)
        text = "\n".join(element.value for kind in (*kinds, app.html) for element in kind)
        return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)  # as Markdown shows it

    @property
    def session(self) -> Session:
        return self.app.session_state["session"]

    def widget(self, kind: str, name: str):
        """The widget of that kind (`button`, `selectbox`, ...) and label or key."""
        found = [one for one in getattr(self.app, kind) if name in (one.label, one.key)]
        assert len(found) == 1, f"{len(found)} of {kind} {name!r}"
        return found[0]

    def press(self, label: str) -> None:
        """Press the button of that label."""
        self.widget("button", label).click()
        self.run()

    def choose(self, kind: str, name: str, value: object) -> None:
        """Give the widget of that kind and label or key a value."""
        self.widget(kind, name).set_value(value)
        self.run()

    def switch(self, key: str, option: str) -> None:
        """Choose an option of those in a row."""
        self.choose("segmented_control", key, option)

    def upload(self, content: bytes, kind: str = "png") -> None:
        """Give the page a file of a kind that its name tells."""
        [uploader] = self.app.file_uploader
        uploader.upload(f"file.{kind}", content)
        self.run()


def digit_png(digit: int) -> bytes:
    """A digit of the repository, drawn on the canvas."""
    return (REPOSITORY / "data" / "digits" / f"{digit}.png").read_bytes()


def copy_cnn(folder: Path) -> None:
    """Leave the repository's cnn with its card and figures."""
    for path in (REPOSITORY / "models").glob("mnist-0.0.1*"):
        shutil.copy(path, folder)


def permuted_model(network: str, folder: Path) -> None:
    """Leave a network of random weights that sees its pixels in reverse order."""
    torch.manual_seed(0)
    name = f"{network}-permuted"
    permutation = {"seed": 0, "indices": list(range(783, -1, -1))}
    training = {"epochs": 0, "seconds": 0.0, "augmentation": "none"}
    untrained = card(name, threshold=0.0, training=training, permutation=permutation)
    save_model(NETWORKS[network](), untrained, folder, {})


def study_file(folder: Path) -> None:
    """Leave the results of a small study and one figure."""
    results = [
        result(network, pixels, "none", accuracy + seed / 1000)
        for network, pixels, accuracy in (("mlp", "in order", 0.98), ("cnn", "permuted", 0.97))
        for seed in (0, 1, 2)
    ]
    (folder / "comparison.json").write_text(json.dumps({"results": results}))
    (folder / "figures").mkdir()
    (folder / "figures" / "accuracy.png").write_bytes(digit_png(8))


@pytest.fixture(scope="session")
def full_api_url(tmp_path_factory):
    """The base URL of an API that has permuted models and a study too."""
    folder = tmp_path_factory.mktemp("models")
    copy_cnn(folder)
    permuted_model("mlp", folder)
    permuted_model("cnn", folder)
    study_file(folder)
    with running_api(MODELS_DIR=str(folder)) as api:
        yield api.url


@pytest.fixture(scope="session")
def cnn_api_url(tmp_path_factory):
    """The base URL of an API that has the cnn alone and no study."""
    folder = tmp_path_factory.mktemp("cnn-alone")
    copy_cnn(folder)
    with running_api(MODELS_DIR=str(folder)) as api:
        yield api.url


@pytest.fixture
def open_page(api_url, monkeypatch):
    """Opens a page, by its file's name, in a new session; `query` is that of the address."""

    def open_(name: str = "draw", url: str = api_url, **query: str) -> Visitor:
        monkeypatch.setenv("API_URL", url)
        st.cache_resource.clear()
        st.cache_data.clear()
        return Visitor(name, **query)

    yield open_
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def visitor(open_page):
    """Somebody who has just come to draw."""
    return open_page()


@pytest.fixture
def sent_labels(monkeypatch):
    """The labels of the examples of each request, as the page sends them to the API."""
    labels: list[list[int]] = []
    predict = DigitsClient._predict

    def predict_and_note(client, path, pictures, examples, *arguments, **options):
        labels.append([example["label"] for example in examples])
        return predict(client, path, pictures, examples, *arguments, **options)

    monkeypatch.setattr(DigitsClient, "_predict", predict_and_note)
    return labels


@pytest.fixture
def digit_image():
    """Gives the PNG of a digit of the repository."""
    return digit_png
