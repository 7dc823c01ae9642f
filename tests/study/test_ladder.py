import numpy as np
import torch

from model.data.mnist import Digits
from study.ladder import DRAWS, PER_DIGIT, folds, writers_of_enough
from study.pictures import MNIST, PICTURES, PREPROCESSED, TestSet


def one_set(on: str, writers: list[str], each: int) -> TestSet:
    """Each writer's digits 0 to 9, `each` times; images of noise."""
    labels = torch.arange(10).repeat(each * len(writers))
    images = torch.zeros(len(labels), 28, 28, dtype=torch.uint8)
    return TestSet(on, PREPROCESSED, Digits(images, labels), np.repeat(writers, 10 * each))


def test_a_writer_gives_five_of_each_digit_and_all_others_are_read():
    one = one_set("pen", ["ada", "bob"], each=7)
    pairs = list(folds(one))
    assert len(pairs) == 2 * DRAWS
    for examples, rest in pairs:
        assert one.digits.labels[examples].bincount().tolist() == [PER_DIGIT] * 10
        assert len({*one.writers[examples], *one.writers[rest]}) == 1
        assert sorted([*examples, *rest]) in (list(range(70)), list(range(70, 140)))


def test_a_picture_is_read_with_all_others_of_its_author():
    one = one_set(PICTURES, ["ada", "bob"], each=1)
    pairs = {int(rest[0]): sorted(examples) for examples, rest in folds(one)}
    assert set(pairs) == set(range(20))
    assert pairs[3] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_of_strokes_only_writers_of_enough_digits_are_left():
    pen, few = one_set("pen", ["ada"], each=7), one_set("few", ["bob"], each=5)
    both = TestSet(
        "both",
        PREPROCESSED,
        Digits(
            torch.cat([pen.digits.images, few.digits.images]),
            torch.cat([pen.digits.labels, few.digits.labels]),
        ),
        np.concatenate([pen.writers, few.writers]),
    )
    mnist, pictures = TestSet(MNIST, "", few.digits, few.writers), one_set(PICTURES, ["a"], 1)
    chosen = writers_of_enough([mnist, pen, few, both, pictures])
    assert [one.on for one in chosen] == [MNIST, "pen", "both, 1 writers", PICTURES]
    assert len(chosen[2].digits) == 70
