"""Pieces of the page as HTML: pure functions from answers to text, styled by `style.css`."""

from html import escape
from typing import Any

from app.front.texts import has_text, percent, translate

BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICTAEAOw=="


def answer(
    reply: dict[str, Any] | None,
    language: str,
    waiting: str = "waiting_more",
    what: str = "digit",
) -> str:
    """What was read, or why nothing was, in words and as a large sign; of a digit its 28x28 image.

    Args:
        reply: the API's answer, or None while there is nothing to read.
        language: of the texts.
        waiting: the text that says when an answer will come.
        what: "digit" or "number".
    """
    learnt = ""
    if reply is None:
        kind, sign = "waiting", "\N{NO-BREAK SPACE}"
        head = translate(f"{what}.waiting", language)
        more = translate(f"answer.{waiting}", language)
    else:
        kind, sign, head, more = _verdict(what, reply, language)
        if count := reply.get("examples", 0):
            key = "answer.learnt_one" if count == 1 else "answer.learnt"
            learnt = f'<p class="answer-learnt">{escape(translate(key, language, count=count))}</p>'
    return (
        f'<section class="answer {what} {kind}" role="status" lang="{language}">'
        f'<p class="answer-sign" aria-hidden="true">{escape(sign)}</p>'
        f'<div class="answer-words"><p class="answer-head">{escape(head)}</p>'
        f'<p class="answer-more">{escape(more)}</p>{learnt}</div>'
        f"{_seen(reply, language) if what == 'digit' else ''}</section>"
    )


def digit_boxes(digits: list[dict[str, Any]], chosen: int | None, size: tuple[int, int]) -> str:
    """A frame around each digit, to lie over the picture; only for the eye.

    Args:
        digits: of the API's answer.
        chosen: the index of the digit to stress.
        size: width and height of the picture in the pixels of the digits' boxes.
    """
    width, height = size
    frames = []
    for index, digit in enumerate(digits):
        x, y, w, h = digit["box"]
        frames.append(
            f'<span class="box{" chosen" if index == chosen else ""}" style="left:{x / width:.2%};'
            f'top:{y / height:.2%};width:{w / width:.2%};height:{h / height:.2%}">'
            f"<b>{digit_sign(digit)}</b></span>"
        )
    shape = f"aspect-ratio:{width}/{height}"
    return f'<div class="boxes" aria-hidden="true" style="{shape}">{"".join(frames)}</div>'


def digit_sign(digit: dict[str, Any]) -> str:
    """What was read in a digit's place: the digit, or a question mark where it is none."""
    return str(digit["prediction"]) if digit["is_digit"] else "?"


def number_digits(digits: list[dict[str, Any]], language: str) -> str:
    """What the model saw of each digit, from left to right, with how sure it is."""
    alt = translate("answer.seen_alt", language)
    figures = (
        small_image(digit["image"], alt, summarize(digit, language), "digit") for digit in digits
    )
    return f'<div class="digits">{"".join(figures)}</div>'


def bars(probabilities: list[float], language: str) -> str:
    """Ten horizontal bars, the longest in the accent colour; a list for screen readers."""
    best = max(range(len(probabilities)), key=probabilities.__getitem__)
    rows = []
    for digit, probability in enumerate(probabilities):
        likeliest = " best" if digit == best and probability > 0 else ""
        shown = percent(probability, language) if any(probabilities) else ""
        rows.append(
            f'<li class="bar{likeliest}"><span class="bar-digit">{digit}</span>'
            f'<span class="bar-track"><span class="bar-fill" style="width:{probability:.2%}">'
            f'</span></span><span class="bar-value">{shown}</span></li>'
        )
    label = escape(translate("answer.bars", language))
    return f'<ol class="bars" aria-label="{label}">{"".join(rows)}</ol>'


def small_image(source: str, alt: str, caption: str = "", mark: str = "") -> str:
    """A 28x28 image, enlarged without smoothing, over its caption.

    Args:
        source: a data URL.
        alt: the text alternative.
        caption: a line below.
        mark: a class of `style.css`.
    """
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="seen {mark}"><img class="pixels" src="{escape(source)}" '
        f'alt="{escape(alt)}">{below}</figure>'
    )


def model_card(name: str, about: str, seen: str, reply: dict[str, Any], language: str) -> str:
    """One model's answer beside those of others: its name, the image it saw, its prediction.

    Args:
        name, about: the model's name and what it is.
        seen: the image it saw, as data URL.
        reply: has "prediction", "confidence" and "is_digit".
        language: of the texts.
    """
    kind = "digit" if reply["is_digit"] else "rejected"
    share = f"{reply['confidence']:.2%}"
    image = small_image(seen, translate("compare.alt", language, name=name))
    return (
        f'<li class="card {kind}"><p class="card-name">{escape(name)}</p>'
        f'<p class="card-about">{escape(about)}</p>{image}'
        f'<p class="card-digit" aria-hidden="true">{reply["prediction"]}</p>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{share}"></span></span>'
        f'<p class="card-answer">{escape(summarize(reply, language))}</p></li>'
    )


def cards(items: list[str], heading: str) -> str:
    """Cards side by side under their heading, as many in a row as fit."""
    return (
        f'<section class="group" style="flex-grow:{len(items)}"><h2>{escape(heading)}</h2>'
        f'<ul class="cards">{"".join(items)}</ul></section>'
    )


def summarize(reply: dict[str, Any], language: str) -> str:
    """An answer in a few words: "read as 7, 99.8 %" or "rejected"."""
    if not reply["is_digit"]:
        return translate("history.rejected", language)
    return translate(
        "history.read_as",
        language,
        digit=reply["prediction"],
        percent=percent(reply["confidence"], language),
    )


def counts(numbers: list[int], language: str) -> str:
    """How many examples there are of each digit, as ten small cells."""
    cells = "".join(
        f'<li class="count{" some" if number else ""}"><span class="count-digit">{digit}</span>'
        f'<span class="count-number">{number}</span></li>'
        for digit, number in enumerate(numbers)
    )
    label = escape(translate("hand.counts", language))
    return f'<ol class="counts" start="0" aria-label="{label}">{cells}</ol>'


def _seen(reply: dict[str, Any] | None, language: str) -> str:
    """The image that the model saw, or its empty place."""
    return small_image(
        reply["image"] if reply else BLANK,
        translate("answer.seen_alt" if reply else "answer.seen_alt_empty", language),
        f"{translate('answer.seen', language)}\n{translate('answer.seen_size', language)}",
    )


def _verdict(what: str, reply: dict[str, Any], language: str) -> tuple[str, str, str, str]:
    """The kind of answer, its large sign, its first line and its second."""
    value = reply["prediction" if what == "digit" else "number"]
    share = percent(reply["confidence"], language)
    if reply[f"is_{what}"]:
        kind, sign = "accepted", str(value)
        head = translate(f"{what}.is", language, **{what: value})
        more = translate(f"{what}.sure", language, percent=share)
    else:
        reason = reply["reason"]
        if not has_text(f"{what}.{reason}"):  # a newer API may know more reasons than this page
            reason = f"not_a_{what}"
        kind, sign, head = "rejected", "?", translate(f"{what}.{reason}", language)
        more = translate(f"{what}.{reason}_try", language)
        if what == "digit" and reason != "several_digits":
            more += f" {translate('digit.nearest', language, digit=value, percent=share)}."
    if others := reply.get("lines", [])[1:]:
        numbers = ", ".join(line["number"] or "?" for line in others)
        more += f" {translate('number.lines', language, numbers=numbers)}"
    return kind, sign, head, more
