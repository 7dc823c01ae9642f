import re
from pathlib import Path
from string import Formatter

import pytest

from app.front.texts import LANGUAGES, all_texts, percent, translate

SOURCES = Path(__file__).parents[3] / "src" / "app"


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", all_texts())
def test_every_text_is_in_every_language_with_the_same_placeholders(key):
    texts = all_texts()[key]
    assert set(texts) == set(LANGUAGES)
    assert all(texts.values())
    assert placeholders(texts["en"]) == placeholders(texts["fr"])


def written_keys():
    """The keys that stand in the page's code in full."""
    files = [*SOURCES.glob("front/*.py"), *SOURCES.glob("front/pages/*.py")]
    pattern = re.compile(r'(?:say|translate)\(\s*"([^"]+)"')
    return sorted({key for file in files for key in pattern.findall(file.read_text())})


@pytest.mark.parametrize("key", written_keys())
def test_every_text_that_the_page_asks_for_exists(key):
    assert key in all_texts()


def test_texts_are_filled_in():
    assert translate("answer.is", "en", digit=7) == "This is a 7"
    assert translate("answer.is", "fr", digit=7) == "C\N{RIGHT SINGLE QUOTATION MARK}est un 7"


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        translate("answer.is", "en")


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0.9981, "99.8\N{NO-BREAK SPACE}%", "99,8\N{NO-BREAK SPACE}%"),
        (0.9994, "99.9\N{NO-BREAK SPACE}%", "99,9\N{NO-BREAK SPACE}%"),
        (0.99996, "> 99.9\N{NO-BREAK SPACE}%", "> 99,9\N{NO-BREAK SPACE}%"),
        (0.0, "0.0\N{NO-BREAK SPACE}%", "0,0\N{NO-BREAK SPACE}%"),
    ],
)
def test_shares_are_written_as_people_write_them(share, english, french):
    assert (percent(share, "en"), percent(share, "fr")) == (english, french)
