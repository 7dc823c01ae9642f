"""What the page shows of an answer: pure functions from answers to values and HTML."""

from collections.abc import Iterable
from html import escape
from typing import Any

from app.front.texts import has_text, percent, t

EMPTY: dict[str, Any] = {
    "probabilities": [0.0] * 10,
    "image": None,  # 28x28, as data URL
    "digits": [],  # of a number
    "evidence": None,  # the picture to lay over the drawing
    "legend": "",
    "whole": "",  # the button that reads the same picture as a number, or as one digit
}


def view(kind: str, sign: str, head: str, more: str, **values: object) -> dict[str, Any]:
    """What the script in the browser shows: a large sign, two lines of words, and the values."""
    shown = EMPTY | {"kind": kind, "sign": sign, "head": head, "more": more} | values
    # What each of the ten values is for somebody who does not see it, and what it is for
    shown["labels"] = [
        f"{t('answer.label', digit=digit)}, {percent(share)}"
        for digit, share in enumerate(shown["probabilities"])
    ]
    return shown


def waiting(mode: str) -> dict[str, Any]:
    """What stands where the answer will be."""
    return view("waiting", "", t(f"waiting.{mode}"), t(f"waiting.{mode}_more"))


def digit_view(
    reply: dict[str, Any], said: int | None = None, doubted: bool = False
) -> dict[str, Any]:
    """An answer of `/api/v1/predict` in words and as a large sign.

    Args:
        reply: the API's answer.
        said: what the visitor says that it is; then nothing is claimed any more.
        doubted: the network finds that very unlikely.
    """
    values = {
        "probabilities": [round(share, 4) for share in reply["probabilities"]],
        "image": reply["image"],
        "whole": t("button.as_number"),
    }
    if said is not None:
        more = t("digit.doubted" if doubted else "digit.learnt")
        return view("digit", str(said), t("digit.said", digit=said), more, **values)
    if not reply["is_digit"]:
        return _rejection("digit", reply["reason"], values)
    digit = reply["prediction"]
    more = t("digit.sure", percent=percent(reply["confidence"])) + _learnt(reply)
    return view("digit", str(digit), t("digit.is", digit=digit), more, **values)


def number_view(reply: dict[str, Any], wanted: bool = False) -> dict[str, Any]:
    """An answer of `/api/v1/predict/number` in words, as a sign, and digit by digit.

    Args:
        reply: the API's answer.
        wanted: the visitor wants a number, though the picture may hold one digit.
    """
    values = {
        "digits": [{"image": one["image"], "words": summary(one)} for one in reply["digits"]],
        "whole": t("button.as_digit") if wanted else "",
    }
    if not reply["is_number"]:
        return _rejection("number", reply["reason"], values)
    more = t("number.sure", percent=percent(reply["confidence"]))
    if others := reply["lines"][1:]:
        numbers = ", ".join(line["number"] or "?" for line in others)
        more += f" {t('number.lines', numbers=numbers)}"
    head = t("number.is", number=reply["number"])
    return view("number", reply["number"], head, more + _learnt(reply), **values)


def _learnt(reply: dict[str, Any]) -> str:
    """A further sentence: how many examples the model has learnt, if any."""
    count = reply.get("examples", 0)
    if not count:
        return ""
    return f" {t('answer.learnt_one' if count == 1 else 'answer.learnt', count=count)}"


def _rejection(what: str, reason: str, values: dict[str, Any]) -> dict[str, Any]:
    if not has_text(f"{what}.{reason}"):  # a newer API may know more reasons than this page
        reason = f"not_a_{what}"
    return view("rejected", "?", t(f"{what}.{reason}"), t(f"{what}.{reason}_try"), **values)


def summary(reply: dict[str, Any]) -> str:
    """An answer in a few words: "7, 99.8 %" or "no digit"."""
    if not reply["is_digit"]:
        return t("answer.rejected")
    return f"{reply['prediction']}, {percent(reply['confidence'])}"


def model_card(name: str, about: str, seen: str, reply: dict[str, Any]) -> str:
    """One model's answer beside those of others.

    Args:
        name, about: the model's name and what it is.
        seen: the image it saw, as data URL.
        reply: has "prediction", "confidence" and "is_digit".
    """
    kind = "digit" if reply["is_digit"] else "rejected"
    sign = reply["prediction"] if reply["is_digit"] else "?"
    return (
        f'<li class="card {kind}"><p class="card-name">{escape(name)}</p>'
        f'<img class="pixels" src="{escape(seen)}" alt="{escape(t("compare.alt", name=name))}">'
        f'<p class="card-digit" aria-hidden="true">{sign}</p>'
        f'<p class="card-answer">{escape(summary(reply))}</p>'
        f'<p class="card-about">{escape(about)}</p></li>'
    )


def cards(items: list[str]) -> str:
    """Cards side by side, as many in a row as fit."""
    return f'<ul class="cards" aria-label="{escape(t("compare.cards"))}">{"".join(items)}</ul>'


def pictures(captioned: Iterable[tuple[str, str]], label: str) -> str:
    """Small pictures in a row, each (data URL, caption) with its caption below."""
    items = "".join(
        f'<li><img class="pixels" src="{escape(url)}" alt=""><b>{escape(caption)}</b></li>'
        for url, caption in captioned
    )
    return f'<ul class="pictures" aria-label="{escape(label)}">{items}</ul>'
