import json

import pytest

from app.front.images import data_url
from app.front.session import as_examples
from model.examples import read_examples


@pytest.fixture
def visitor(open_page):
    return open_page("handwriting")


@pytest.fixture
def with_examples(visitor):
    """Somebody who has given a 0, and twice a 1 that looks like the 7 of the repository.

    A label that the network finds very unlikely counts fully from the second time on.
    """
    visitor.give(0)
    visitor.give(1, drawing=7)
    visitor.give(1, drawing=7, turned=4)
    return visitor


def saved(visitor):
    """The file of examples that the visitor saves."""
    return json.dumps(as_examples(visitor.session.labelled)).encode()


def test_the_page_asks_for_one_digit_after_the_other_and_ends_with_something_to_do(visitor):
    visitor.switch("wanted", 2)
    assert visitor.given["todo"] == [*range(10), *range(10)]
    visitor.switch("wanted", 1)
    for digit in range(10):
        assert visitor.given["todo"] == list(range(digit, 10))
        visitor.give(digit)
    assert visitor.labels == list(range(10))
    assert "It knows your handwriting now" in visitor.shown
    assert "something sloppy" in visitor.app.get("page_link")[-1].proto.label


def test_drawings_that_come_together_are_all_taken_once(visitor, digit_image):
    visitor.app.session_state["reader"] = {
        "events": [
            {"number": n + 1, "kind": "next", "digit": n, "image": data_url(digit_image(n))}
            for n in range(3)
        ]
    }
    visitor.run()
    visitor.run()
    assert visitor.labels == [0, 1, 2]


def test_what_was_learnt_is_counted(with_examples):
    assert "Your digits: 3. Read correctly before: 1. Read correctly now: 3." in with_examples.shown


@pytest.mark.parametrize(("used", "read"), [(True, 1), (False, 7)])
def test_the_drawing_page_uses_the_examples_unless_they_are_switched_off(with_examples, used, read):
    with_examples.choose("toggle", "Read with my handwriting", used)
    with_examples.go_to("draw")
    with_examples.draw(7)
    assert with_examples.answer.startswith(f"This is a {read}")
    assert with_examples.labels == [0, 1, 1]


def test_the_last_example_or_all_are_forgotten(with_examples):
    with_examples.press("Remove the last one, a 1")
    assert with_examples.labels == [0, 1]
    with_examples.press("Forget all")
    assert with_examples.labels == []
    assert with_examples.given["examples"] == []  # the browser forgets them, too


def test_saved_examples_are_loaded_again_and_taken_by_the_command_line(with_examples, open_page):
    again = open_page("handwriting")
    again.upload(saved(with_examples))
    assert again.labels == [0, 1, 1]
    assert again.session.examples == with_examples.session.examples
    assert read_examples(saved(with_examples))[1].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "This page did not save this file"),
        (b"[]", "This page did not save this file"),
        (b'[{"label": 10, "image": "data:image/png;base64,AAAA"}]', "did not save this file"),
        (b'[{"label": 1, "image": "data:image/png;base64,AAAA"}]', "examples[0]"),
    ],
)
def test_a_file_of_something_else_is_refused_in_plain_words(visitor, content, message):
    visitor.upload(content)
    assert message in visitor.shown
    assert visitor.labels == []
