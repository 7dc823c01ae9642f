import json

import pytest

from app.front.examples import save_examples


def teach(visitor, digit, drawing=None):
    """Draw on the canvas of the page a digit that it asks for, and go on to the next."""
    assert f"Draw a {digit}" in visitor.shown
    visitor.draw(digit if drawing is None else drawing, canvas="practice")
    visitor.press("Next")


def counts(visitor):
    return visitor.app.session_state["session"].counts


def test_the_page_asks_for_one_digit_after_the_other(open_page):
    visitor = open_page("hand")
    visitor.app.segmented_control(key="wanted").set_value(1)
    visitor.run()
    for digit in range(10):
        assert f"{digit} of 10" in visitor.app.get("progress")[0].proto.text
        teach(visitor, digit)
    assert counts(visitor) == [1] * 10
    assert "enough examples" in visitor.app.success[0].value


def test_next_waits_for_a_drawing(open_page):
    visitor = open_page("hand")
    assert visitor.widget("button", "Next").disabled


def test_what_the_examples_change_is_counted(open_page):
    visitor = open_page("hand")
    teach(visitor, 0)
    teach(visitor, 1, drawing=7)  # as if somebody's 1 looked like this 7
    assert "1 of 2 without your examples, 2 of 2 with them" in visitor.shown


def test_examples_of_this_page_are_used_on_the_drawing_page(open_page):
    visitor = open_page("hand")
    teach(visitor, 0)
    teach(visitor, 1, drawing=7)
    visitor.go_to("draw")
    visitor.draw(7)
    assert "This is a 1" in visitor.shown


def test_switched_off_examples_are_not_sent(open_page):
    visitor = open_page("hand")
    teach(visitor, 0)
    teach(visitor, 1, drawing=7)
    visitor.choose("toggle", "Use the examples", False)
    visitor.go_to("draw")
    visitor.draw(7)
    assert "This is a 7" in visitor.shown
    assert counts(visitor)[1] == 1


def test_forgotten_examples_are_gone(open_page):
    visitor = open_page("hand")
    teach(visitor, 0)
    visitor.press("Forget them")
    assert counts(visitor) == [0] * 10
    assert "no examples yet" in visitor.shown


def test_two_visitors_have_examples_of_their_own(open_page):
    ada, bob = open_page("hand"), open_page("hand")
    teach(ada, 0)
    bob.run()
    assert (counts(ada)[0], counts(bob)[0]) == (1, 0)


def examples_of(visitor):
    """What the page offers as a file."""
    return save_examples(visitor.app.session_state["session"].saved_examples)


def test_saved_examples_are_loaded_in_another_session(open_page):
    visitor = open_page("hand")
    teach(visitor, 0)
    file = examples_of(visitor)
    other = open_page("hand")
    other.app.file_uploader(key="examples-file").upload(
        "me.json", file.encode(), "application/json"
    )
    other.run()
    assert examples_of(other) == file
    assert counts(other)[0] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello", "not a file of examples"),
        (json.dumps([{"label": 7, "image": "http://stranger.example/7.png"}]), "Entry 1"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_explained(open_page, content, message):
    visitor = open_page("hand")
    visitor.app.file_uploader(key="examples-file").upload(
        "me.json", content.encode(), "application/json"
    )
    visitor.run()
    assert message in visitor.app.warning[0].value
    assert counts(visitor) == [0] * 10


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
    visitor.app.slider(key="slider-right").set_value(4)
    visitor.run()
    assert "do without your examples" in visitor.shown
    visitor.choose("toggle", "Normalise again", True)
    assert "have learnt your examples" in visitor.shown
