"""Every string of the page in English and French, from `texts.toml`."""

import functools
import tomllib
from pathlib import Path

LANGUAGES = {"en": "English", "fr": "Français"}


@functools.cache
def all_texts() -> dict[str, dict[str, str]]:
    """The texts by dotted key: `{"draw.clear": {"en": "Clear", "fr": "Effacer"}, ...}`."""
    sections = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))
    return {
        f"{section}.{name}": {language: text.strip() for language, text in texts.items()}
        for section, entries in sections.items()
        for name, texts in entries.items()
    }


def translate(key: str, language: str, **values: object) -> str:
    """The text of `key` in `language`, with `{placeholders}` filled in.

    Raises:
        KeyError: there is no such text, or a placeholder got no value.
    """
    return all_texts()[key][language].format(**values)


def has_text(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in all_texts()


def percent(share: float, language: str) -> str:
    """A share in [0, 1] as a person writes it: 99.8 % in English, 99,8 % in French.

    Rounding never claims certainty: what would round to 100.0 % is "> 99.9 %".
    """
    shown = f"{100 * share:.1f}"
    if shown == "100.0":
        shown = "> 99.9"
    if language == "fr":
        shown = shown.replace(".", ",")
    return f"{shown}\N{NO-BREAK SPACE}%"
