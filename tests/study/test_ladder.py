import numpy as np
import torch

from model.data.mnist import Digits
from study.ladder import DRAWS, PER_DIGIT, can_give_examples, folds
from study.pictures import PREPROCESSED, REAL_PICTURES, TestSet


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
    one = one_set(REAL_PICTURES, ["ada", "bob"], each=1)
    pairs = {int(rest[0]): sorted(examples) for examples, rest in folds(one)}
    assert set(pairs) == set(range(20))
    assert pairs[3] == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_strokes_have_a_place_on_the_ladder_if_every_writer_wrote_enough():
    assert can_give_examples(one_set("pen", ["ada", "bob"], each=6))
    assert not can_give_examples(one_set("pen", ["ada", "bob"], each=5))
    assert can_give_examples(one_set(REAL_PICTURES, ["ada"], each=1))
