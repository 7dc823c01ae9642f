import json

import pytest

from app.front.examples import save_examples


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


def test_the_page_asks_for_one_digit_after_the_other_and_ends_with_something_to_do(visitor):
    for digit in range(10):
        assert visitor.given["todo"] == list(range(digit, 10))
        visitor.give(digit)
    assert visitor.session.counts == [1] * 10
    assert "It knows your handwriting now" in visitor.shown
    assert "something sloppy" in visitor.app.get("page_link")[-1].proto.label


def test_two_of_each_are_asked_for_in_two_rounds(visitor):
    visitor.switch("wanted", 2)
    assert visitor.given["todo"] == [*range(10), *range(10)]


def test_drawings_that_come_together_are_all_taken(visitor, digit_data_url):
    events = [
        {"number": n + 1, "kind": "next", "digit": n, "image": digit_data_url(n), "strokes": []}
        for n in range(3)
    ]
    visitor.app.session_state["reader"] = {"events": events}
    visitor.run()
    visitor.run()  # what was handled is not taken again
    assert visitor.session.counts == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_what_was_learnt_is_counted(with_examples):
    assert "1 of 3 without what it learnt, 3 of 3 with it" in with_examples.shown


@pytest.mark.parametrize(("used", "read"), [(True, 1), (False, 7)])
def test_the_drawing_page_uses_the_examples_unless_they_are_switched_off(with_examples, used, read):
    with_examples.choose("toggle", "Use what it learnt", used)
    with_examples.go_to("draw")
    with_examples.draw(7)
    assert with_examples.answer.startswith(f"This is a {read}")
    assert with_examples.session.counts[1] == 2


def test_the_last_example_or_all_are_forgotten(with_examples):
    with_examples.press("Remove the last one, a 1")
    assert with_examples.session.counts[:2] == [1, 1]
    with_examples.press("Forget all")
    assert with_examples.session.counts == [0] * 10
    assert with_examples.given["examples"] == []  # the browser forgets them, too


def test_saved_examples_are_loaded_again(with_examples, open_page):
    saved = save_examples([digit.example for digit in with_examples.session.labelled])
    again = open_page("handwriting")
    again.load(saved.encode())
    assert again.session.counts[:2] == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "not a file of examples"),
        (b'[{"label": 10, "image": "data:image/png;base64,AAAA"}]', "Entry 1 is not a digit"),
    ],
)
def test_a_file_of_something_else_is_refused_in_plain_words(visitor, content, message):
    visitor.load(content)
    assert message in visitor.shown


def test_the_recordings_hold_what_the_visitor_labelled_and_nothing_else(with_examples):
    with_examples.go_to("draw")
    with_examples.draw(3)  # nobody said what this is
    with_examples.go_to("handwriting")
    lines = [json.loads(json.dumps(line)) for line in with_examples.session.recording()]
    assert [line["label"] for line in lines] == [0, 1, 1]
    assert lines[0]["strokes"] == [[[60, 60], [140, 160], [220, 220]]]
