"""Pieces of the page as HTML: pure functions from answers to text, styled by `style.css`."""

from html import escape
from typing import Any

from app.front.texts import has_text, percent, translate

BLANK = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICTAEAOw=="
REASONS = ("not_a_digit", "several_digits", "ambiguous")


def answer(reply: dict[str, Any] | None, language: str, waiting: str = "waiting_more") -> str:
    """The answer to a drawing: the digit large, how sure, the 28x28 image.

    Args:
        reply: the API's answer to `/predict`, or None while there is nothing to predict.
        language: of the texts.
        waiting: the text that says when an answer will come.
    """
    if reply is None:
        digit, kind = "&nbsp;", "waiting"
        head, more = translate("answer.waiting", language), translate(f"answer.{waiting}", language)
        image, alt = BLANK, translate("answer.seen_alt_empty", language)
    else:
        digit, kind, head, more = _verdict(reply, language)
        image, alt = reply["image"], translate("answer.seen_alt", language)
    seen, size = translate("answer.seen", language), translate("answer.seen_size", language)
    return (
        f'<section class="answer {kind}" role="status" lang="{language}">'
        f'<p class="answer-digit" aria-hidden="true">{digit}</p>'
        f"{_words(head, more, reply, language)}"
        f'<figure class="seen"><img class="pixels" src="{escape(image)}" alt="{escape(alt)}">'
        f"<figcaption>{escape(seen)}<br>{escape(size)}</figcaption></figure>"
        "</section>"
    )


def number_answer(reply: dict[str, Any] | None, language: str, waiting: str) -> str:
    """The answer to a picture of a number: the number large, how sure or why it is none.

    Args:
        reply: the API's answer to `/predict/number`, or None while there is nothing to read.
        language: of the texts.
        waiting: the text that says when an answer will come.
    """
    number, kind = "&nbsp;", "waiting"
    if reply is None:
        head = translate("number.waiting", language)
        more = translate(f"answer.{waiting}", language)
    elif reply["is_number"]:
        number, kind = escape(reply["number"]), "digit"
        head = translate("number.is", language, number=reply["number"])
        share = percent(reply["confidence"], language)
        more = translate("number.sure", language, percent=share)
    else:
        reason = reply["reason"]
        if not has_text(f"number.{reason}"):  # a newer API may know more reasons than this page
            reason = "not_a_number"
        number, kind = "?", "rejected"
        head = translate(f"number.{reason}", language)
        more = translate(f"number.{reason}_try", language)
    if reply and len(reply["lines"]) > 1:
        others = ", ".join(line["number"] or "?" for line in reply["lines"][1:])
        more += " " + translate("number.lines", language, numbers=others)
    return (
        f'<section class="answer number {kind}" role="status" lang="{language}">'
        f'<p class="answer-number" aria-hidden="true">{number}</p>'
        f"{_words(head, more, reply, language)}</section>"
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
            f"<b>{digit['prediction']}</b></span>"
        )
    shape = f"aspect-ratio:{width}/{height}"
    return f'<div class="boxes" aria-hidden="true" style="{shape}">{"".join(frames)}</div>'


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


def model_card(
    name: str, about: str, source: str, alt: str, reply: dict[str, Any], summary: str
) -> str:
    """One model's answer beside those of others: its name, the image it saw, its prediction.

    Args:
        name, about: the model's name and what it is.
        source, alt: the image it saw, as data URL, with its text alternative.
        reply: has "prediction", "confidence" and "is_digit".
        summary: the reply in a few words.
    """
    kind = "digit" if reply["is_digit"] else "rejected"
    share = f"{reply['confidence']:.2%}"
    return (
        f'<li class="card {kind}"><p class="card-name">{escape(name)}</p>'
        f'<p class="card-about">{escape(about)}</p>{small_image(source, alt)}'
        f'<p class="card-digit" aria-hidden="true">{reply["prediction"]}</p>'
        f'<span class="bar-track"><span class="bar-fill" style="width:{share}"></span></span>'
        f'<p class="card-answer">{escape(summary)}</p></li>'
    )


def cards(items: list[str], heading: str) -> str:
    """Cards side by side under their heading, as many in a row as fit."""
    return (
        f'<section class="group" style="flex-grow:{len(items)}"><h2>{escape(heading)}</h2>'
        f'<ul class="cards">{"".join(items)}</ul></section>'
    )


def summarize(reply: dict[str, Any], language: str) -> str:
    """An answer in a few words: "read as 7, 99.8 %" or "rejected"."""
    if not reply.get("is_digit", True):
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


def _words(head: str, more: str, reply: dict[str, Any] | None, language: str) -> str:
    """The words of an answer, with how many examples the model learnt for it."""
    examples = reply.get("examples", 0) if reply else 0
    key = "answer.learnt_one" if examples == 1 else "answer.learnt"
    words = translate(key, language, count=examples)
    learnt = f'<p class="answer-learnt">{escape(words)}</p>' if examples else ""
    return (
        f'<div class="answer-words"><p class="answer-head">{escape(head)}</p>'
        f'<p class="answer-more">{escape(more)}</p>{learnt}</div>'
    )


def _verdict(reply: dict[str, Any], language: str) -> tuple[str, str, str, str]:
    """The large sign, the kind of answer, its first line and its second."""
    digit, share = reply["prediction"], percent(reply["confidence"], language)
    if reply.get("is_digit", True):
        head = translate("answer.is", language, digit=digit)
        return str(digit), "digit", head, translate("answer.sure", language, percent=share)
    reason = reply.get("reason")
    if not has_text(f"answer.{reason}"):  # a newer API may know more reasons than this page
        reason = "not_a_digit"
    advice = translate(f"answer.{reason}_try", language)
    if reason != "several_digits":
        advice += " " + translate("answer.nearest", language, digit=digit, percent=share) + "."
    return "?", "rejected", translate(f"answer.{reason}", language), advice
