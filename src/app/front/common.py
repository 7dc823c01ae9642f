"""What all pages share: the client, the visit, the language, and the words for an absent API."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from app.client import DigitsClient
from app.front.session import Visit
from app.front.settings import PageSettings
from app.front.texts import LANGUAGES, has_text, translate
from errors import ApiError

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.png")  # a named icon would be asked for at another host
RECOVERABLE = ("unreachable", "slow", "busy", "failed")


@st.cache_resource
def settings() -> PageSettings:
    """The page's settings, read once a process."""
    return PageSettings()


@st.cache_resource
def client() -> DigitsClient:
    """The one client of this process, so that connections to the API are kept open."""
    page = settings()
    return DigitsClient(
        page.api_url, page.api_connect_seconds, page.api_answer_seconds, page.api_explain_seconds
    )


@st.cache_data(ttl=10, show_spinner=False)
def served_models() -> dict[str, Any]:
    """The models that the API serves, asked at most every 10 s; raises `ApiError`."""
    return client().models()


def model_names() -> list[str]:
    """The names of the models that answer, the default one first; raises `ApiError`."""
    listed = served_models()
    names = [model["name"] for model in listed["models"] if model["available"]]
    return sorted(names, key=lambda name: (name != listed["default"], name))


@st.cache_data(ttl=60, max_entries=500, show_spinner=False)
def reading(picture: bytes, model: str) -> dict[str, Any]:
    """What a model reads in a picture, remembered for a minute; raises `ApiError`."""
    return client().predict(picture, model)


@st.cache_data(ttl=60, show_spinner=False)
def model_card(name: str) -> dict[str, Any]:
    """A model's card, asked at most every minute; raises `ApiError`."""
    return client().model(name)


def visit() -> Visit:
    """This visitor's drawings, kept while the browser's tab is open."""
    return st.session_state.setdefault("visit", Visit())


def language() -> str:
    """The chosen language: a key of `LANGUAGES`."""
    return st.session_state.get("language") or "en"


def say(key: str, **values: object) -> str:
    """The text of `key` in the chosen language."""
    return translate(key, language(), **values)


def language_switch() -> None:
    """Let the visitor choose the language; it stays in the address as `?language=fr`."""
    st.segmented_control(
        say("page.language"),
        list(LANGUAGES),
        default="en",
        required=True,
        format_func=str.upper,
        key="language",
        bind="query-params",
        label_visibility="collapsed",
    )


def picture_at_hand() -> bytes:
    """The drawing or upload that other pages speak of; without one they say so and end."""
    picture = visit().picture
    if picture is None:
        st.info(say("page.nothing_yet"), icon=":material/draw:")
        st.page_link("front/pages/draw.py", label=say("page.to_draw"), icon=":material/arrow_back:")
        st.stop()
    return picture


def about_model(name: str) -> str:
    """What a model is, in a few words; empty for one that this page has not heard of."""
    return say(f"model.{name}") if has_text(f"model.{name}") else ""


@contextmanager
def api_errors_in_words(kept: bool = False) -> Iterator[None]:
    """Turn an `ApiError` inside the block into a message; the page goes on when the API is back.

    Args:
        kept: say that the drawing is kept.
    """
    try:
        yield
    except ApiError as error:
        message = in_words(error)
        if error.cause not in RECOVERABLE:
            st.info(message, icon=":material/info:")
            return
        st.warning(
            f"{message} {say('error.kept')}" if kept else message, icon=":material/cloud_off:"
        )
        _wait_for_api(time.monotonic())


def in_words(error: ApiError) -> str:
    """What an error of the API means for the visitor, in the chosen language."""
    if error.problem and has_text(f"error.{error.problem}"):
        return say(f"error.{error.problem}")
    return say(f"error.{error.cause}", url=settings().api_url, message=str(error))


def _wait_for_api(since: float) -> None:
    """Look again and again whether the API is ready, and run the page anew when it is."""
    pause = settings().api_retry_seconds

    @st.fragment(run_every=pause)
    def look() -> None:
        # The first run comes with the message itself, before anything can have changed.
        if time.monotonic() - since > pause / 2 and client().ready():
            st.cache_data.clear()
            st.rerun()

    look()
