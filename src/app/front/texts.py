"""Every text of the page, from `texts/en.toml` and `texts/fr.toml`, in the chosen language."""

import functools
import re
import tomllib
from pathlib import Path

import streamlit as st

LANGUAGES = ("en", "fr")  # the first is the default
FOLDER = Path(__file__).with_name("texts")
MORE_THAN = {"en": "more than", "fr": "plus de"}
FRENCH = str.maketrans({",": "\N{NARROW NO-BREAK SPACE}", ".": ","})


@functools.cache
def all_texts(language: str) -> dict[str, str]:
    """The texts of a language by dotted key: `{"draw.clear": "Clear", ...}`."""
    sections = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": text
        for section, texts in sections.items()
        for name, text in texts.items()
    }


def current_language() -> str:
    """The chosen language: one of `LANGUAGES`."""
    return st.session_state.get("language", LANGUAGES[0])


def t(key: str, **values: object) -> str:
    """The text of `key`, with `{placeholders}` filled in; numbers as `written` writes them.

    Beside a `{digit}` there is its English article, `{a}`: an 8, but a 7.

    Raises:
        KeyError: there is no such text, or a placeholder got no value.
    """
    shown = {
        name: written(value) if isinstance(value, int | float) else value
        for name, value in values.items()
    }
    article = "an" if values.get("digit") == 8 else "a"
    return all_texts(current_language())[key].format(a=article, **shown)


def has_text(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in all_texts(LANGUAGES[0])


def escape_markdown(text: str) -> str:
    """Text from outside, in one line, so that Markdown shows it as it is."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def written(number: float, digits: int = 1) -> str:
    """A number as a person writes it: 1,234 or 1,234.5 in English, 1 234,5 in French."""
    shown = f"{number:,}" if isinstance(number, int) else f"{number:,.{digits}f}"
    return shown.translate(FRENCH) if current_language() == "fr" else shown


def percent(share: float, digits: int = 1) -> str:
    """A share in [0, 1] as a person writes it: 99.8 % in English, 99,8 % in French.

    Rounding never claims certainty: what would round to 100 % is "more than 99.9 %".
    """
    rounded = round(100.0 * share, digits)
    unit = "\N{NO-BREAK SPACE}%"
    if rounded < 100:
        return written(rounded, digits) + unit
    return f"{MORE_THAN[current_language()]} {written(99.9)}{unit}"
