"""What all pages share: the client, the session, the language, the messages for API errors."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from app.client import DigitsClient, Example
from app.front.session import Session
from app.front.settings import (
    MAX_CACHED_ANSWERS,
    MAX_CACHED_BATCHES,
    MAX_CACHED_CARDS,
    PageSettings,
)
from app.front.texts import LANGUAGES, escape_markdown, has_text, translate
from errors import ApiError

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.png")  # a named icon would be asked for at another host
RECOVERABLE = ("unreachable", "slow", "busy", "failed")


@st.cache_resource
def settings() -> PageSettings:
    """The page's settings, read once per process."""
    return PageSettings()


@st.cache_resource
def client() -> DigitsClient:
    """The one client of this process, so that connections to the API are kept open."""
    page = settings()
    return DigitsClient(
        page.api_url,
        page.api_connect_seconds,
        page.api_answer_seconds,
        page.api_explain_seconds,
        page.api_token.get_secret_value(),
    )


@st.cache_data(ttl=10, max_entries=1, show_spinner=False)
def model_names() -> list[str]:
    """The names of the models that answer, the default first, cached 10 s; raises `ApiError`."""
    served = client().models()
    names = [model["name"] for model in served["models"] if model["available"]]
    return sorted(names, key=lambda name: (name != served["default"], name))


@st.cache_data(ttl=60, max_entries=MAX_CACHED_ANSWERS, show_spinner=False)
def predict(image: bytes, model: str, examples: Sequence[Example]) -> dict[str, Any]:
    """A model's prediction for an image, cached for a minute; raises `ApiError`."""
    return client().predict(image, model, examples)


@st.cache_data(ttl=60, max_entries=MAX_CACHED_ANSWERS, show_spinner=False)
def read_number(image: bytes, model: str | None, examples: Sequence[Example]) -> dict[str, Any]:
    """The number that a model reads in an image, cached for a minute; raises `ApiError`."""
    return client().number(image, model, examples)


@st.cache_data(ttl=60, max_entries=MAX_CACHED_BATCHES, show_spinner=False)
def predict_batch(
    images: Sequence[bytes], model: str | None, examples: Sequence[Example]
) -> list[dict[str, Any]]:
    """A model's predictions for many images, cached for a minute; raises `ApiError`."""
    return client().predict_batch(images, model, examples)


@st.cache_data(ttl=60, max_entries=MAX_CACHED_CARDS, show_spinner=False)
def model_card(name: str) -> dict[str, Any]:
    """A model's card, asked at most every minute; raises `ApiError`."""
    return client().model(name)


def current_session() -> Session:
    """This visitor's drawings, kept while the browser's tab is open."""
    return st.session_state.setdefault("session", Session())


def current_language() -> str:
    """The chosen language: a key of `LANGUAGES`."""
    return st.session_state.get("language", LANGUAGES[0])


def read_language() -> None:
    """Take the language from the address (`?language=fr`, any case) in a new session."""
    asked = st.query_params.get("language", "").lower()
    st.session_state.setdefault("language", asked if asked in LANGUAGES else LANGUAGES[0])


def t(key: str, **values: object) -> str:
    """The text of `key` in the chosen language."""
    return translate(key, current_language(), **values)


def language_switch() -> None:
    """Let the visitor choose the language, keep it in the address, and tell it to the browser."""
    st.segmented_control(
        t("page.language"),
        LANGUAGES,
        required=True,
        format_func=str.upper,
        key="language",
        label_visibility="collapsed",
    )
    language = current_language()
    # Not bound to the address by Streamlit: it would take the label "FR", and only after the title.
    if st.query_params.get("language", LANGUAGES[0]) != language:
        st.query_params["language"] = language
    st.html(
        f"<script>document.documentElement.lang = '{language}'</script>",
        unsafe_allow_javascript=True,
    )


def current_image() -> bytes:
    """The drawing or upload that other pages explain; without one they say so and stop."""
    image = current_session().image
    if image is None:
        st.info(t("page.nothing_yet"), icon=":material/draw:")
        st.page_link("front/pages/draw.py", label=t("page.to_draw"), icon=":material/arrow_back:")
        st.stop()
    return image


def describe_model(name: str) -> str:
    """What a model is, in a few words; empty for a model that this page does not know."""
    return t(f"model.{name}") if has_text(f"model.{name}") else ""


@contextmanager
def show_api_errors(kept: bool = False) -> Iterator[None]:
    """Show an `ApiError` of the block as a message; rerun the page when the API is back.

    Args:
        kept: say that the drawing is kept.
    """
    try:
        yield
    except ApiError as error:
        message = describe_error(error)
        if error.cause not in RECOVERABLE:
            st.info(message, icon=":material/info:")
            return
        st.warning(f"{message} {t('error.kept')}" if kept else message, icon=":material/cloud_off:")
        _wait_for_api(time.monotonic())


def describe_error(error: ApiError) -> str:
    """What an error of the API means for the visitor, in the chosen language."""
    if error.problem and has_text(f"error.{error.problem}"):
        return t(f"error.{error.problem}")
    message = escape_markdown(str(error))
    return t(f"error.{error.cause}", url=settings().api_url, message=message)


def _wait_for_api(since: float) -> None:
    """Ask regularly whether the API is ready, and rerun the page when it is."""
    pause = settings().api_retry_seconds

    @st.fragment(run_every=pause)
    def look() -> None:
        # The first run comes with the message itself, before anything can have changed.
        if time.monotonic() - since > pause / 2 and client().ready():
            st.cache_data.clear()
            st.rerun()

    look()
