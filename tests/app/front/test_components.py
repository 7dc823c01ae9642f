import re

import pytest

from app.front import components
from model.classifier import REASONS
from model.numbers.read import REASONS as NUMBER_REASONS

REPLY = {
    "prediction": 7,
    "confidence": 0.9,
    "probabilities": [0.01, 0.01, 0.02, 0.02, 0.01, 0.01, 0.01, 0.9, 0.0, 0.01],
    "is_digit": True,
    "reason": None,
    "image": "data:image/png;base64,AAAA",
}
LINE = {
    "number": "70",
    "confidence": 0.8,
    "digits": [{**REPLY, "box": [0, 0, 9, 9]}, {**REPLY, "is_digit": False, "box": [9, 0, 9, 9]}],
    "is_number": True,
    "reason": None,
}
NUMBER = {**LINE, "lines": [LINE]}


def test_a_digit_is_told_with_how_sure_it_is():
    view = components.digit_view(REPLY, "en")
    assert (view["kind"], view["sign"], view["head"]) == ("digit", "7", "This is a 7")
    assert view["more"] == "It is 90.0\N{NO-BREAK SPACE}% sure."
    assert view["probabilities"] == REPLY["probabilities"]


def test_of_what_the_visitor_said_nothing_is_claimed():
    view = components.digit_view(REPLY, "en", said=8)
    assert (view["sign"], view["head"]) == ("8", "You said 8")
    assert "sure" not in view["more"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_classifier_has_words_of_its_own(reason, language):
    shown, other = (
        components.digit_view({**REPLY, "is_digit": False, "reason": one}, language)
        for one in (reason, "not_a_digit")
    )
    assert (shown["kind"], shown["sign"]) == ("rejected", "?")
    assert (shown["head"] == other["head"]) == (reason == "not_a_digit")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("reason", NUMBER_REASONS)
def test_every_reason_of_the_number_reader_has_words_of_its_own(reason, language):
    shown, other = (
        components.number_view({**NUMBER, "is_number": False, "reason": one}, language)
        for one in (reason, "not_a_number")
    )
    assert shown["kind"] == "rejected"
    assert (shown["head"] == other["head"]) == (reason == "not_a_number")


def test_a_reason_that_this_page_does_not_know_is_still_a_rejection():
    view = components.digit_view({**REPLY, "is_digit": False, "reason": "a_cat"}, "en")
    assert view["head"] == "This is not a digit"


def test_a_number_is_told_as_a_whole_and_digit_by_digit():
    view = components.number_view(NUMBER, "en")
    assert (view["kind"], view["sign"], view["head"]) == ("number", "70", "This is 70")
    assert [digit["words"] for digit in view["digits"]] == [
        "7, 90.0\N{NO-BREAK SPACE}%",
        "no digit",
    ]


def test_further_lines_are_told_too():
    lines = [LINE, {**LINE, "number": "12"}, {**LINE, "number": None}]
    assert (
        "Further lines: 12, ?." in components.number_view({**NUMBER, "lines": lines}, "en")["more"]
    )


def test_every_image_has_a_text_alternative_or_words_beside_it():
    card = components.model_card("CNN", "", REPLY["image"], REPLY, "en")
    assert 'alt="The picture that CNN was given"' in card
    listed = components.examples([(7, REPLY["image"])], "en")
    assert re.search(r'<img[^>]*alt=""><b>7</b>', listed)


def test_what_comes_from_outside_cannot_add_to_the_page():
    html = components.model_card("<b>", "<i>", '"><script>alert(1)</script>', REPLY, "en")
    assert not any(tag in html for tag in ("<script>", "<b>", "<i>"))
