"""What all pages share: the client, the session, the language, the messages for API errors."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from app.client import DigitsClient
from app.front.session import Session
from app.front.settings import FIRST_PAUSE, LONGEST_PAUSE, MAX_CACHED_CARDS, PageSettings
from app.front.texts import LANGUAGES, escape_markdown, has_text, translate
from errors import ApiError

STYLE = Path(__file__).with_name("style.css")
ICON = Path(__file__).with_name("icon.png")  # a named icon would be asked for at another host
PASSING = ("unreachable", "slow", "busy")  # asking again can help


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
def served_models() -> list[dict[str, Any]]:
    """The models that answer, the default first, asked at most every 10 s; raises `ApiError`."""
    served = client().models()
    models = [model for model in served["models"] if model["available"]]
    return sorted(models, key=lambda model: (model["name"] != served["default"], model["name"]))


@st.cache_data(ttl=60, max_entries=MAX_CACHED_CARDS, show_spinner=False)
def model_card(name: str) -> dict[str, Any]:
    """A model's card, asked at most every minute; raises `ApiError`."""
    return client().model(name)


def current_session() -> Session:
    """This visitor's drawings, kept while the browser's tab is open."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
    return st.session_state["session"]


def current_language() -> str:
    """The chosen language: a key of `LANGUAGES`."""
    return st.session_state.get("language", LANGUAGES[0])


def read_language() -> None:
    """Take the language in a new session from the address (`?language=fr`), else the browser."""
    asked = st.query_params.get("language", "").lower()
    language = asked if asked in LANGUAGES else browser_language()
    st.session_state.setdefault("language", language)


def browser_language() -> str:
    """The language that the browser asks for, if the page has it."""
    asked = (st.context.locale or "").lower().split("-")[0]
    return asked if asked in LANGUAGES else LANGUAGES[0]


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
    # Not bound to the address by Streamlit: it would take the label "FR".
    if st.query_params.get("language", browser_language()).lower() != current_language():
        st.query_params["language"] = current_language()
    st.html(
        f"<script>document.documentElement.lang = '{current_language()}'</script>",
        unsafe_allow_javascript=True,
    )


def model_text(kind: str, name: str) -> str:
    """What a model is ("about") or is called ("name"); its own name where no text says it."""
    key = f"model_{kind}.{name}"
    return t(key) if has_text(key) else name


@contextmanager
def show_api_errors(kept: bool = False) -> Iterator[None]:
    """Show an `ApiError` of the block as a message; try again later where that can help.

    Args:
        kept: say that the drawing is kept.
    """
    session = current_session()
    try:
        yield
    except ApiError as error:
        message = describe_error(error)
        if error.cause not in PASSING:
            st.info(message, icon=":material/info:")
            return
        st.warning(f"{message} {t('error.kept')}" if kept else message, icon=":material/cloud_off:")
        now = time.monotonic()
        if now - session.failed_at > 2 * LONGEST_PAUSE:  # not since the last failure: a new one
            session.failures = 0
        _try_again(pause_after(session.failures))
        session.failures, session.failed_at = session.failures + 1, now


def pause_after(failures: int) -> int:
    """The seconds to wait before the API is asked again, after so many failures before this one."""
    return min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE)


def describe_error(error: ApiError) -> str:
    """What an error of the API means for the visitor, in the chosen language."""
    if error.problem and has_text(f"error.{error.problem}"):
        return t(f"error.{error.problem}")
    return t(f"error.{error.cause}", message=escape_markdown(str(error)))


def _try_again(pause: float) -> None:
    """Run the page again after so many seconds."""
    runs = iter((False, True))  # the first run comes with the message itself

    @st.fragment(run_every=pause)
    def wait() -> None:
        if next(runs, True):
            st.rerun()

    wait()
