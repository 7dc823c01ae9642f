"""What the page shows of an answer: pure functions from answers to values and HTML."""

from html import escape
from typing import Any

from app.front.texts import has_text, percent, translate

EMPTY: dict[str, Any] = {
    "probabilities": [0.0] * 10,
    "image": None,  # 28x28, as data URL
    "digits": [],  # of a number
    "evidence": None,  # the picture to lay over the drawing
    "legend": "",
    "whole": "",  # the button that reads the same picture as a number, or as one digit
}


def labels(probabilities: list[float], language: str) -> list[str]:
    """What each of the ten values is for somebody who does not see it, and what it is for."""
    return [
        f"{translate('answer.label', language, digit=digit)}, {percent(share, language)}"
        for digit, share in enumerate(probabilities)
    ]


def waiting(language: str, mode: str) -> dict[str, Any]:
    """What stands where the answer will be."""
    head, more = (translate(f"waiting.{mode}{part}", language) for part in ("", "_more"))
    texts = {"kind": "waiting", "sign": "", "head": head, "more": more}
    return EMPTY | texts | {"labels": labels(EMPTY["probabilities"], language)}


def digit_view(reply: dict[str, Any], language: str, said: int | None = None) -> dict[str, Any]:
    """An answer of `/api/v1/predict` in words and as a large sign.

    Args:
        reply: the API's answer.
        language: of the texts.
        said: what the visitor says that it is; then nothing is claimed any more.
    """
    view = EMPTY | {
        "probabilities": [round(share, 4) for share in reply["probabilities"]],
        "labels": labels(reply["probabilities"], language),
        "image": reply["image"],
        "whole": translate("button.as_number", language),
    }
    if said is not None:
        head, more = (
            translate(f"digit.said{part}", language, digit=said) for part in ("", "_more")
        )
        return view | {"kind": "digit", "sign": str(said), "head": head, "more": more}
    if not reply["is_digit"]:
        return view | _rejection("digit", reply["reason"], language)
    digit = reply["prediction"]
    more = translate("digit.sure", language, percent=percent(reply["confidence"], language))
    head, more = translate("digit.is", language, digit=digit), more + _learnt(reply, language)
    return view | {"kind": "digit", "sign": str(digit), "head": head, "more": more}


def number_view(reply: dict[str, Any], language: str, wanted: bool = False) -> dict[str, Any]:
    """An answer of `/api/v1/predict/number` in words, as a sign, and digit by digit.

    Args:
        reply: the API's answer.
        language: of the texts.
        wanted: the visitor wants a number, though the picture may hold one digit.
    """
    digits = [
        {"image": digit["image"], "words": summary(digit, language)} for digit in reply["digits"]
    ]
    view = waiting(language, "read") | {
        "digits": digits,
        "whole": translate("button.as_digit", language) if wanted else "",
    }
    if not reply["is_number"]:
        return view | _rejection("number", reply["reason"], language)
    number = reply["number"]
    more = translate("number.sure", language, percent=percent(reply["confidence"], language))
    if others := reply["lines"][1:]:
        numbers = ", ".join(line["number"] or "?" for line in others)
        more += f" {translate('number.lines', language, numbers=numbers)}"
    head, more = translate("number.is", language, number=number), more + _learnt(reply, language)
    return view | {"kind": "number", "sign": number, "head": head, "more": more}


def _learnt(reply: dict[str, Any], language: str) -> str:
    """A further sentence: how many examples the model has learnt, if any."""
    count = reply.get("examples", 0)
    key = "answer.learnt_one" if count == 1 else "answer.learnt"
    return f" {translate(key, language, count=count)}" if count else ""


def _rejection(what: str, reason: str, language: str) -> dict[str, Any]:
    if not has_text(f"{what}.{reason}"):  # a newer API may know more reasons than this page
        reason = f"not_a_{what}"
    head, more = (translate(f"{what}.{reason}{part}", language) for part in ("", "_try"))
    return {"kind": "rejected", "sign": "?", "head": head, "more": more}


def summary(reply: dict[str, Any], language: str) -> str:
    """An answer in a few words: "7, 99.8 %" or "no digit"."""
    if not reply["is_digit"]:
        return translate("answer.rejected", language)
    return f"{reply['prediction']}, {percent(reply['confidence'], language)}"


def model_card(name: str, about: str, seen: str, reply: dict[str, Any], language: str) -> str:
    """One model's answer beside those of others.

    Args:
        name, about: the model's name and what it is.
        seen: the image it saw, as data URL.
        reply: has "prediction", "confidence" and "is_digit".
        language: of the texts.
    """
    kind = "digit" if reply["is_digit"] else "rejected"
    sign = reply["prediction"] if reply["is_digit"] else "?"
    alt = translate("compare.alt", language, name=name)
    return (
        f'<li class="card {kind}"><p class="card-name">{escape(name)}</p>'
        f'<img class="pixels" src="{escape(seen)}" alt="{escape(alt)}">'
        f'<p class="card-digit" aria-hidden="true">{sign}</p>'
        f'<p class="card-answer">{escape(summary(reply, language))}</p>'
        f'<p class="card-about">{escape(about)}</p></li>'
    )


def cards(items: list[str], label: str) -> str:
    """Cards side by side, as many in a row as fit."""
    return f'<ul class="cards" aria-label="{escape(label)}">{"".join(items)}</ul>'


def examples(digits: list[tuple[int, str]], language: str) -> str:
    """The labelled digits, each with its label below.

    Args:
        digits: label and image (data URL) of each.
        language: of the texts.
    """
    items = "".join(
        f'<li><img class="pixels" src="{escape(image)}" alt=""><b>{label}</b></li>'
        for label, image in digits
    )
    label = escape(translate("practice.examples", language))
    return f'<ul class="examples" aria-label="{label}">{items}</ul>'
