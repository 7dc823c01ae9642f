import re

import numpy as np
import pytest

from app.front.images import corrupt, data_url, decode_data_url, encode_png, permute


@pytest.fixture
def visitor(open_page, full_api_url):
    """Somebody who has drawn a 7 and went on to compare."""
    visitor = open_page(url=full_api_url)
    visitor.draw(7)
    visitor.seen = decode_data_url(visitor.given["view"]["image"])
    visitor.go_to("compare")
    return visitor


def names(visitor):
    return re.findall(r'card-name">(.*?)</p>', visitor.shown)


def move(visitor, **sliders):
    for name, value in sliders.items():
        visitor.app.slider(key=f"slider-{name}").set_value(value)
    visitor.run()


def test_without_a_drawing_the_page_leads_back_to_the_canvas(open_page):
    visitor = open_page("compare")
    assert "Draw a digit first" in visitor.shown
    assert "Draw one" in [link.proto.label for link in visitor.app.get("page_link")]


def test_every_model_with_pixels_in_order_has_its_card(visitor):
    assert names(visitor) == ["CNN"]
    assert "The picture that CNN was given" in visitor.shown


def test_shuffled_pixels_are_an_experiment_with_the_models_that_learnt_them(visitor):
    visitor.switch("experiment", "shuffle")
    assert names(visitor) == ["CNN, shuffled", "MLP, shuffled"]
    reverse = list(range(783, -1, -1))
    moved = corrupt(visitor.seen, -4, 0, 0, 100, 0)
    assert visitor.shown.count(data_url(encode_png(permute(moved, reverse)))) == 2
    assert np.array_equal(permute(moved, reverse), moved[::-1, ::-1])


@pytest.mark.parametrize(
    ("experiment", "change"),
    [("aside", (6, 0, 0, 100, 0)), ("turn", (0, 0, 90, 100, 0)), ("noise", (0, 0, 0, 100, 20))],
)
def test_an_experiment_alters_what_the_models_are_given(visitor, experiment, change):
    visitor.switch("experiment", experiment)
    assert data_url(encode_png(corrupt(visitor.seen, *change))) in visitor.shown


def test_centring_again_brings_a_shifted_digit_back(visitor):
    move(visitor, right=4, down=-3)
    assert data_url(encode_png(visitor.seen)) not in visitor.shown
    visitor.choose("toggle", "centre", True)
    assert data_url(encode_png(visitor.seen)) in visitor.shown


def test_as_drawn_puts_every_slider_and_the_switch_back(visitor):
    visitor.switch("experiment", "noise")
    visitor.choose("toggle", "centre", True)
    visitor.switch("experiment", "as_drawn")
    assert data_url(encode_png(visitor.seen)) in visitor.shown
    assert visitor.widget("toggle", "centre").value is False


def test_where_no_permuted_model_is_served_the_page_says_how_to_make_them(open_page, cnn_api_url):
    visitor = open_page(url=cnn_api_url)
    visitor.draw(7)
    visitor.go_to("compare")
    visitor.switch("experiment", "shuffle")
    for network in ("cnn", "mlp"):
        assert f"bash run.sh {network} --permute 0" in visitor.shown
