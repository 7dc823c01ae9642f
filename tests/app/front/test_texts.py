import re
from html import unescape
from string import Formatter

import pytest
from markdown_it import MarkdownIt

from app.front.texts import (
    LANGUAGES,
    all_texts,
    escape_markdown,
    has_text,
    percent,
    translate,
    written,
)
from model.config import REPOSITORY

SOURCES = REPOSITORY / "src" / "app"


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name} - {"a"}  # English alone


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_the_same_placeholders(language):
    english, texts = all_texts("en"), all_texts(language)
    assert list(texts) == list(english)
    assert all(texts.values())
    assert {key: placeholders(text) for key, text in texts.items()} == {
        key: placeholders(text) for key, text in english.items()
    }


def literal_keys():
    """The keys that are literals in the page's code."""
    files = [*SOURCES.glob("front/*.py"), *SOURCES.glob("front/pages/*.py")]
    pattern = re.compile(r'\b(?:t|translate)\(\s*"([^"]+)"')
    return sorted({key for file in files for key in pattern.findall(file.read_text())})


@pytest.mark.parametrize("key", literal_keys())
def test_every_text_that_the_page_asks_for_exists(key):
    assert has_text(key)


def test_texts_are_filled_in():
    assert translate("digit.is", "en", digit=7) == "This is a 7"
    assert translate("digit.is", "fr", digit=7) == "C\N{RIGHT SINGLE QUOTATION MARK}est un 7"


@pytest.mark.parametrize("key", ["digit.is", "practice.draw", "practice.remove", "evidence.legend"])
def test_an_8_has_its_article(key):
    assert " an 8" in translate(key, "en", digit=8, most="upper")
    assert " a 7" in translate(key, "en", digit=7, most="upper")


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [(7, "7", "7"), (55_000, "55,000", "55\N{NARROW NO-BREAK SPACE}000"), (2.84, "2.8", "2,8")],
)
def test_numbers_are_written_as_people_write_them(number, english, french):
    assert (written(number, "en"), written(number, "fr")) == (english, french)
    assert english in translate("draw.upload_label", "en", megabytes=number)
    assert french in translate("draw.upload_label", "fr", megabytes=number)


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        translate("digit.is", "en")


@pytest.mark.parametrize(
    "text",
    [
        "![alt](http://stranger.example/a.png)",
        "[link](http://stranger.example) <b>bold</b> **bold** _it_ `code`",
        "| a cell | :red[colour] $x$ ~~gone~~",
        "# heading\n\n- list\n1. list",
        "C:\\path\\*",
    ],
)
def test_markdown_shows_escaped_text_as_it_is(text):
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(escape_markdown(text))
    assert unescape(shown) == f"<p>{' '.join(text.split())}</p>\n"
    assert "<" not in shown.removeprefix("<p>").removesuffix("</p>\n")


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0.9981, "99.8\N{NO-BREAK SPACE}%", "99,8\N{NO-BREAK SPACE}%"),
        (0.9994, "99.9\N{NO-BREAK SPACE}%", "99,9\N{NO-BREAK SPACE}%"),
        (0.99996, "more than 99.9\N{NO-BREAK SPACE}%", "plus de 99,9\N{NO-BREAK SPACE}%"),
        (0.0, "0.0\N{NO-BREAK SPACE}%", "0,0\N{NO-BREAK SPACE}%"),
    ],
)
def test_shares_are_written_as_people_write_them(share, english, french):
    assert (percent(share, "en"), percent(share, "fr")) == (english, french)
