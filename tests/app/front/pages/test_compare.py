import re
from html import unescape

import numpy as np
import pytest

from app.front.components import summarize
from app.front.images import corrupt, data_url, decode_data_url, encode_png, permute


@pytest.fixture
def visitor(open_page, full_api_url):
    """Somebody who has drawn a 7 and went on to compare."""
    visitor = open_page(url=full_api_url)
    visitor.draw(7)
    visitor.go_to("compare")
    return visitor


def seen(visitor):
    """The 28x28 picture that the cnn read."""
    return decode_data_url(visitor.session.answer["image"])


def move(visitor, **sliders):
    for name, value in sliders.items():
        visitor.app.slider(key=f"slider-{name}").set_value(value)
    visitor.run()


@pytest.mark.parametrize("name", ["compare", "look_inside"])
def test_without_a_drawing_the_page_leads_back_to_the_canvas(open_page, name):
    visitor = open_page(name)
    assert "Draw a digit first" in visitor.shown
    assert len(visitor.app.page_link) == 1


def test_every_model_has_its_card(visitor):
    for name in ("cnn", "cnn-permuted", "mlp-permuted"):
        assert f'<p class="card-name">{name}</p>' in visitor.shown
        assert f"The picture that {name} was given" in visitor.shown


def test_a_permuted_model_is_shown_with_the_picture_that_it_sees(visitor):
    reverse = list(range(783, -1, -1))
    expected = data_url(encode_png(permute(seen(visitor), reverse)))
    assert visitor.shown.count(expected) == 2
    assert np.array_equal(permute(seen(visitor), reverse), seen(visitor)[::-1, ::-1])


def test_untouched_sliders_leave_the_answer_of_the_drawing_page(visitor):
    [answer] = re.findall(r'card-name">cnn</p>.*?card-answer">(.*?)</p>', visitor.shown)
    assert unescape(answer) == summarize(visitor.session.answer, "en")


def test_the_sliders_alter_what_the_models_are_given(visitor):
    move(visitor, right=6, degrees=45)
    expected = corrupt(seen(visitor), 6, 0, 45, 100, 0)
    assert data_url(encode_png(expected)) in visitor.shown


def test_normalising_again_brings_a_shifted_digit_back(visitor):
    move(visitor, right=4, down=-3)
    assert data_url(encode_png(seen(visitor))) not in visitor.shown
    visitor.choose("toggle", "Normalise again", True)
    assert data_url(encode_png(seen(visitor))) in visitor.shown


def test_reset_puts_every_slider_back(visitor):
    move(visitor, right=5, noise=50)
    visitor.press("Reset")
    assert data_url(encode_png(seen(visitor))) in visitor.shown


def test_where_no_permuted_model_is_served_the_page_says_how_to_make_them(open_page, cnn_api_url):
    visitor = open_page(url=cnn_api_url)
    visitor.draw(7)
    visitor.go_to("compare")
    for network in ("cnn", "mlp"):
        assert f"bash run.sh {network} --permute 0" in visitor.shown
