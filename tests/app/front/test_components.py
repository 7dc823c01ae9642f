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
BLANK = "\N{NO-BREAK SPACE}"


def test_a_digit_is_told_with_how_sure_it_is():
    view = components.digit_view(REPLY)
    assert (view["kind"], view["sign"], view["head"]) == ("digit", "7", "This is a 7")
    assert view["more"] == f"It is 90.0{BLANK}% sure."
    assert view["probabilities"] == REPLY["probabilities"]
    assert view["labels"][7] == f"7: this is what I drew, 90.0{BLANK}%"
    assert "learnt one of your digits" in components.digit_view({**REPLY, "examples": 1})["more"]


@pytest.mark.parametrize("doubted", [True, False])
def test_of_what_the_visitor_said_nothing_is_claimed(doubted):
    view = components.digit_view(REPLY, said=8, doubted=doubted)
    assert (view["sign"], view["head"]) == ("8", "You said 8")
    assert "sure" not in view["more"]
    assert ("surprised" in view["more"]) == doubted


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("view", "reply", "reasons", "other"),
    [
        (components.digit_view, {**REPLY, "is_digit": False}, REASONS, "not_a_digit"),
        (components.number_view, {**NUMBER, "is_number": False}, NUMBER_REASONS, "not_a_number"),
    ],
)
def test_every_reason_has_words_of_its_own(view, reply, reasons, other, language, write_in):
    write_in(language)
    shown = [view({**reply, "reason": reason}) for reason in reasons]
    assert {(one["kind"], one["sign"]) for one in shown} == {("rejected", "?")}
    assert len({one["head"] for one in shown}) == len(reasons)
    unknown = view({**reply, "reason": "of a newer API"})
    assert unknown["head"] == view({**reply, "reason": other})["head"]


def test_a_number_is_told_as_a_whole_line_by_line_and_digit_by_digit():
    lines = [LINE, {**LINE, "number": "12"}, {**LINE, "number": None}]
    view = components.number_view({**NUMBER, "lines": lines})
    assert (view["kind"], view["sign"], view["head"]) == ("number", "70", "This is 70")
    assert [digit["words"] for digit in view["digits"]] == [f"7, 90.0{BLANK}%", "no digit"]
    assert "More lines: 12, ?." in view["more"]


def test_every_image_has_a_text_alternative_or_words_beside_it():
    card = components.model_card("CNN", "", REPLY["image"], REPLY)
    assert 'alt="The picture that CNN was given"' in card
    assert 'alt=""><b>7</b>' in components.pictures([(REPLY["image"], "7")], "Your digits")


def test_what_comes_from_outside_cannot_add_to_the_page():
    html = components.model_card("<b>", "<i>", '"><script>alert(1)</script>', REPLY)
    html += components.pictures([('"><script>', "<i>")], '"><u>')
    assert not any(tag in html for tag in ("<script>", "<i>", "<u>"))
