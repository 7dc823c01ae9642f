"""What all pages share: the client, the session, the language, the messages for API errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from app.client import DigitsClient
from app.front.session import Session
from app.front.settings import PageSettings
from app.front.texts import LANGUAGES, current_language, escape_markdown, has_text, t
from errors import ApiError

RETRY_SECONDS = 5  # after a failure that can pass
PASSING = ("unreachable", "slow", "busy")


@st.cache_resource
def client() -> DigitsClient:
    """The one client of this process, so that connections to the API are kept open."""
    settings = PageSettings()
    return DigitsClient(
        settings.api_url,
        settings.api_token.get_secret_value(),
        settings.api_connect_seconds,
        settings.api_answer_seconds,
        settings.api_explain_seconds,
    )


@st.cache_data(ttl=10, show_spinner=False)
def served_models() -> list[dict[str, Any]]:
    """The models that answer, the default first, asked at most every 10 s; raises `ApiError`."""
    served = client().models()
    models = [model for model in served["models"] if model["available"]]
    return sorted(models, key=lambda model: (model["name"] != served["default"], model["name"]))


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def model_card(name: str) -> dict[str, Any]:
    """A model's card, asked at most every minute; raises `ApiError`."""
    return client().model(name)


@st.cache_data(ttl=60, show_spinner=False)
def study() -> dict[str, Any] | None:
    """The study's results, or None if there are none yet; raises `ApiError`."""
    try:
        return client().study()
    except ApiError as error:
        if error.cause == "missing":
            return None
        raise


def current_session() -> Session:
    """This visitor's drawings, kept while the browser's tab is open."""
    if "session" not in st.session_state:
        st.session_state["session"] = Session()
    return st.session_state["session"]


def read_language() -> None:
    """Take the language in a new session from the address (`?language=fr`), else the browser."""
    asked = st.query_params.get("language", "").lower()
    language = asked if asked in LANGUAGES else browser_language()
    st.session_state.setdefault("language", language)


def browser_language() -> str:
    """The language that the browser asks for, if the page has it."""
    asked = (st.context.locale or "").lower().split("-")[0]
    return asked if asked in LANGUAGES else LANGUAGES[0]


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
    try:
        yield
    except ApiError as error:
        message = describe_error(error)
        if error.cause in PASSING:
            kept_too = f" {t('error.kept')}" if kept else ""
            st.warning(message + kept_too, icon=":material/cloud_off:")
            _try_again()
        else:
            st.info(message, icon=":material/info:")


def describe_error(error: ApiError) -> str:
    """What an error of the API means for the visitor, in the chosen language."""
    if error.problem and has_text(f"error.{error.problem}"):
        return t(f"error.{error.problem}")
    return t(f"error.{error.cause}", message=escape_markdown(str(error)))


def _try_again() -> None:
    """Run the page again after a pause."""
    runs = iter((False, True))  # the first run comes with the message itself

    @st.fragment(run_every=RETRY_SECONDS)
    def wait() -> None:
        if next(runs, True):
            st.rerun()

    wait()
