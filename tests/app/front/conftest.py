"""The language in which the page writes, without a session of Streamlit."""

from collections.abc import Callable

import pytest

from app.front import texts


@pytest.fixture
def write_in(monkeypatch) -> Callable[[str], None]:
    """Chooses the language: "en" or "fr"."""
    return lambda language: monkeypatch.setattr(texts, "current_language", lambda: language)


@pytest.fixture(autouse=True)
def _english(request):
    """English, except for the pages, which have a session."""
    if "pages" not in request.path.parts:
        request.getfixturevalue("write_in")("en")
