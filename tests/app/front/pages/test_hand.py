import json

import pytest

from app.front.examples import save_examples


def teach(visitor, digit, drawing=None):
    """Draw on the canvas of the page a digit that it asks for, and go on to the next."""
    assert f"Draw a {digit}" in visitor.shown
    visitor.draw(digit if drawing is None else drawing, canvas="practice")
    visitor.press("Next")


@pytest.fixture
def visitor(open_page):
    return open_page("hand")


@pytest.fixture
def with_examples(visitor):
    """Somebody who has given a 0, and a 1 that looks like the 7 of the repository."""
    teach(visitor, 0)
    teach(visitor, 1, drawing=7)
    return visitor


def test_the_page_asks_for_one_digit_after_the_other(visitor):
    visitor.switch("wanted", 1)
    for digit in range(10):
        assert f"{digit} of 10" in visitor.app.get("progress")[0].proto.text
        teach(visitor, digit)
    assert visitor.session.counts == [1] * 10
    assert "enough examples" in visitor.app.success[0].value


def test_next_waits_for_a_drawing(visitor):
    assert visitor.widget("button", "Next").disabled


def test_what_the_examples_change_is_counted(with_examples):
    assert "1 of 2 without your examples, 2 of 2 with them" in with_examples.shown


@pytest.mark.parametrize(("used", "read"), [(True, 1), (False, 7)])
def test_the_drawing_page_uses_the_examples_unless_they_are_switched_off(with_examples, used, read):
    with_examples.choose("toggle", "Use the examples", used)
    with_examples.go_to("draw")
    with_examples.draw(7)
    assert f"This is a {read}" in with_examples.shown
    assert with_examples.session.counts[1] == 1


def test_forgotten_examples_are_gone(visitor):
    teach(visitor, 0)
    visitor.press("Forget them")
    assert visitor.session.counts == [0] * 10
    assert "no examples yet" in visitor.shown


def test_another_visitor_has_the_examples_only_after_loading_them(visitor, open_page):
    other = open_page("hand")
    teach(visitor, 0)
    other.run()
    examples = visitor.session.saved_examples
    assert (len(examples), other.session.saved_examples) == (1, [])
    other.upload(save_examples(examples).encode(), "json")
    assert other.session.saved_examples == examples


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello", "not a file of examples"),
        (json.dumps([{"label": 7, "image": "http://stranger.example/7.png"}]), "Entry 1"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_explained(visitor, content, message):
    visitor.upload(content.encode(), "json")
    assert message in visitor.app.warning[0].value
    assert visitor.session.counts == [0] * 10


@pytest.mark.parametrize("name", ["compare", "look_inside"])
def test_the_other_pages_send_the_examples_too(open_page, sent_labels, name):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("1")
    sent_labels.clear()
    visitor.go_to(name)
    assert sent_labels
    assert all(labels == [1] for labels in sent_labels)


def test_compare_says_that_moved_pictures_do_without_the_examples(open_page):
    visitor = open_page()
    visitor.draw(7)
    visitor.press("1")
    visitor.go_to("compare")
    assert "have learnt your examples" in visitor.shown
    visitor.choose("slider", "slider-right", 4)
    assert "do without your examples" in visitor.shown
    visitor.choose("toggle", "Normalise again", True)
    assert "have learnt your examples" in visitor.shown
