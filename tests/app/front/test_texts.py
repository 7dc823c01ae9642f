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
    ("shown", "value", "english", "french"),
    [
        (written, 7, "7", "7"),
        (written, 55_000, "55,000", f"55{NARROW}000"),
        (written, 2.84, "2.8", "2,8"),
        (percent, 0.9981, f"99.8{BLANK}%", f"99,8{BLANK}%"),
        (percent, 0.9994, f"99.9{BLANK}%", f"99,9{BLANK}%"),
        (percent, 0.99996, f"more than 99.9{BLANK}%", f"plus de 99,9{BLANK}%"),
        (percent, 0.0, f"0.0{BLANK}%", f"0,0{BLANK}%"),
    ],
)
def test_numbers_and_shares_are_written_as_people_write_them(
    shown, value, english, french, write_in
):
    assert shown(value) == english
    write_in("fr")
    assert shown(value) == french


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
