import re
from html.parser import HTMLParser

import pytest

from app.front import components
from model.classifier import REASONS

REPLY = {
    "prediction": 7,
    "confidence": 0.9,
    "probabilities": [0.01, 0.01, 0.02, 0.02, 0.01, 0.01, 0.01, 0.9, 0.0, 0.01],
    "is_digit": True,
    "reason": None,
    "image": "data:image/png;base64,AAAA",
}


def words(html):
    """What a person reads or hears: the text and the pictures' alternatives."""
    parts = []

    class TextParser(HTMLParser):
        def handle_data(self, data):
            parts.append(data)

        def handle_starttag(self, tag, attributes):
            if tag == "img":
                parts.append(dict(attributes)["alt"])

    TextParser().feed(html)
    return " ".join(parts)


def test_a_digit_is_told_with_how_sure_it_is():
    shown = words(components.answer(REPLY, "en"))
    assert "This is a 7" in shown
    assert "90.0\N{NO-BREAK SPACE}% sure" in shown


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_classifier_has_words_of_its_own(reason, language):
    rejected = {**REPLY, "is_digit": False, "reason": reason}
    others = {**REPLY, "is_digit": False, "reason": "not_a_digit"}
    shown = components.answer(rejected, language)
    assert "This is a 7" not in shown
    assert (shown == components.answer(others, language)) == (reason == "not_a_digit")


def test_a_reason_that_this_page_does_not_know_is_still_a_rejection():
    rejected = {**REPLY, "is_digit": False, "reason": "a_cat"}
    assert "This is not a digit" in words(components.answer(rejected, "en"))


def test_ten_bars_are_as_long_as_the_probabilities():
    widths = re.findall(r"width:([\d.]+)%", components.bars(REPLY["probabilities"], "en"))
    assert [float(width) / 100 for width in widths] == pytest.approx(REPLY["probabilities"])


def test_only_the_likeliest_bar_is_marked():
    rows = components.bars(REPLY["probabilities"], "en").split("<li")[1:]
    assert [digit for digit, row in enumerate(rows) if "best" in row] == [7]


def test_every_image_has_a_text_alternative():
    for html in (components.answer(REPLY, "en"), components.answer(None, "en")):
        assert all('alt="' in tag and 'alt=""' not in tag for tag in re.findall("<img[^>]*>", html))


def test_what_comes_from_outside_cannot_add_to_the_page():
    html = components.small_image('"><script>alert(1)</script>', "<b>", "<i>")
    assert "<script>" not in html
    assert "<b>" not in html
    assert "<i>" not in html
