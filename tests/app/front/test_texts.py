import re
from html import unescape
from string import Formatter

import pytest
from markdown_it import MarkdownIt

from app.front.texts import LANGUAGES, all_texts, escape_markdown, percent, t, written
from model.config import REPOSITORY

SOURCES = REPOSITORY / "src" / "app"
NARROW, BLANK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name} - {"a"}  # English alone


def test_every_language_has_every_text_with_the_same_placeholders():
    english, *others = (all_texts(language) for language in LANGUAGES)
    for texts in others:
        assert list(texts) == list(english)
        assert all(texts.values())
        assert list(map(placeholders, texts.values())) == list(map(placeholders, english.values()))


def test_every_text_that_the_page_asks_for_exists():
    code = "".join(
        file.read_text()
        for kind in ("*.py", "*.js", "*.html")
        for file in (SOURCES / "front").rglob(kind)
    )
    asked = set(re.findall(r'\bt\(\s*"([^"]+)"', code) + re.findall(r'data-text="(.+?)"', code))
    asked |= set(re.findall(r'texts\["(.+?)"\]', code))
    assert asked <= set(all_texts("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short(language):
    sentences = [
        sentence.split()
        for text in all_texts(language).values()
        for sentence in re.split(r"[.!?] |\n", text.strip())
        if len(sentence.split()) > 3  # the rest are labels
    ]
    assert sum(map(len, sentences)) / len(sentences) <= 12
    assert max(map(len, sentences)) <= 25


def test_texts_are_filled_in(write_in):
    assert t("digit.is", digit=7) == "This is a 7"
    assert t("digit.is", digit=8) == "This is an 8"
    with pytest.raises(KeyError):
        t("digit.is")
    write_in("fr")
    assert t("digit.is", digit=7) == "C\N{RIGHT SINGLE QUOTATION MARK}est un 7"


@pytest.mark.parametrize(
    ("number", "english", "french"),
    [(7, "7", "7"), (55_000, "55,000", f"55{NARROW}000"), (2.84, "2.8", "2,8")],
)
def test_numbers_are_written_as_people_write_them(number, english, french, write_in):
    assert written(number) == english
    assert english in t("draw.upload_label", megabytes=number)
    write_in("fr")
    assert written(number) == french


@pytest.mark.parametrize(
    ("share", "english", "french"),
    [
        (0.9981, "99.8", "99,8"),
        (0.9994, "99.9", "99,9"),
        (0.99996, "more than 99.9", "plus de 99,9"),
        (0.0, "0.0", "0,0"),
    ],
)
def test_shares_are_written_as_people_write_them(share, english, french, write_in):
    assert percent(share) == f"{english}{BLANK}%"
    write_in("fr")
    assert percent(share) == f"{french}{BLANK}%"


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
