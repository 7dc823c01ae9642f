import re

import numpy as np
import pytest

from app.front.images import corrupt, data_url, decode_data_url, encode_png
from model.card import find_model
from model.classifier import Classifier

REVERSED = list(range(783, -1, -1))


@pytest.fixture
def visitor(open_page):
    """Somebody who has drawn a 7 and went on to compare."""
    visitor = open_page()
    visitor.draw(7)
    visitor.seen = decode_data_url(visitor.given["view"]["image"])
    visitor.go_to("compare")
    return visitor


def names(visitor):
    return re.findall(r'card-name">(.*?)</p>', visitor.shown)


def url(pixels):
    return data_url(encode_png(pixels))


def test_without_a_drawing_the_page_leads_back_to_the_canvas(open_page):
    visitor = open_page("compare")
    assert "Draw a digit first" in visitor.shown
    assert "Draw one" in [link.proto.label for link in visitor.app.get("page_link")]


def test_every_model_with_pixels_in_order_has_its_card(visitor):
    assert sorted(names(visitor)) == ["CNN", "Deep CNN", "MLP"]
    assert "The picture that CNN was given" in visitor.shown
    assert 'class="pictures"' not in visitor.shown


def test_shuffled_pixels_are_an_experiment_with_the_models_that_learnt_them(visitor):
    visitor.switch("experiment", "shuffle")
    assert names(visitor) == ["CNN, shuffled", "MLP, shuffled"]
    order = Classifier.load(find_model("cnn-permuted")).permutation
    moved = corrupt(visitor.seen, right=-4)
    assert visitor.shown.count(url(moved.ravel()[order].reshape(28, 28))) == 2


def test_the_digit_is_shown_in_order_shuffled_and_put_in_order_again(visitor, monkeypatch):
    order = {"permutation": REVERSED, "recovered": REVERSED}
    monkeypatch.setattr("app.front.common.study", lambda: {"order": order})
    visitor.switch("experiment", "shuffle")
    row = visitor.shown.partition('class="pictures"')[2]
    in_order, shuffled = url(visitor.seen), url(visitor.seen[::-1, ::-1])
    assert re.findall(r'src="(.*?)"', row) == [in_order, shuffled, in_order]
    assert "which pixels change together" in visitor.shown


@pytest.mark.parametrize(
    ("experiment", "change"),
    [("aside", {"right": 6}), ("turn", {"degrees": 90}), ("noise", {"noise": 20})],
)
def test_an_experiment_alters_what_the_models_are_given(visitor, experiment, change):
    visitor.switch("experiment", experiment)
    assert url(corrupt(visitor.seen, **change)) in visitor.shown


def test_sliders_shift_centring_brings_back_and_as_drawn_resets_both(visitor):
    for name, value in (("right", 4), ("down", -3)):
        visitor.app.slider(key=f"slider-{name}").set_value(value)
    visitor.run()
    assert url(np.roll(visitor.seen, (-3, 4), (0, 1))) in visitor.shown
    visitor.choose("toggle", "centre", True)
    assert url(visitor.seen) in visitor.shown
    visitor.switch("experiment", "turn")
    visitor.switch("experiment", "as_drawn")
    assert url(visitor.seen) in visitor.shown
    assert visitor.widget("toggle", "centre").value is False


def test_without_permuted_models_or_a_study_the_page_says_how_to_make_the_models(
    open_page, cnn_api_url
):
    visitor = open_page(url=cnn_api_url)
    visitor.draw(7)
    visitor.go_to("compare")
    visitor.switch("experiment", "shuffle")
    for network in ("cnn", "mlp"):
        assert f"bash run.sh {network} --permute 0" in visitor.shown
    assert 'class="pictures"' not in visitor.shown
