import pytest


@pytest.fixture
def visitor(open_page, full_api_url):
    visitor = open_page(url=full_api_url)
    visitor.draw(7)
    visitor.go_to("look_inside")
    return visitor


def test_the_attribution_of_the_digit_that_was_read_is_shown(visitor):
    assert "Where it looked for a 7" in visitor.shown
    assert "Your drawing with red where it speaks for a 7" in visitor.shown


def test_each_convolution_of_the_cnn_is_shown(visitor):
    assert "Convolution 1" in visitor.shown
    assert "Convolution 2" in visitor.shown
    assert "Convolution 3" not in visitor.shown


def test_another_digit_can_be_explained(visitor):
    visitor.choose("selectbox", "Digit to explain", 2)
    assert "Where it looked for a 2" in visitor.shown
    assert "The model read a 7" in visitor.shown


def test_an_mlp_is_said_to_have_no_convolutions(visitor):
    visitor.choose("selectbox", "Model", "mlp-permuted")
    assert "no convolutions" in visitor.shown
