"""The models in models/ are what their cards say, and read what they should."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine

from model.card import find_models
from model.classifier import Classifier
from model.config import MODELS_DIR
from model.data.synthetic.digits import synthesize_digits
from model.preprocessing.normalize import normalize

MODELS = find_models(MODELS_DIR)


def digits_in(classifier, images):
    return np.array([prediction.digit for prediction in classifier.predict(images)])


def accuracy(classifier, images, labels):
    return float(np.mean(digits_in(classifier, images) == np.asarray(labels)))


@pytest.fixture(scope="module")
def drawings():
    """2,000 synthetic digits that training never saw, with their labels."""
    labels = torch.arange(2000) % 10
    generator = torch.Generator().manual_seed(31_415)
    return synthesize_digits(labels, generator).numpy(), labels.numpy()


@pytest.mark.parametrize("name", MODELS)
def test_a_model_reads_what_its_card_says(name, real_mnist):
    classifier = Classifier.load(MODELS[name])
    reached = accuracy(classifier, real_mnist.test.images.numpy(), real_mnist.test.labels)
    assert reached == pytest.approx(classifier.card.results.test_accuracy, abs=2e-4)


@pytest.mark.parametrize("scale", [0.7, 1.3, 2.6, 7.7])
def test_a_digit_is_read_the_same_at_any_scale(cnn, drawings, scale):
    images, _ = drawings
    side = round(112 * scale)
    large = [
        Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC)
        for image in images[:400]
    ]
    scaled = [image.resize((side, side), Image.Resampling.BICUBIC) for image in large]
    first, second = (
        digits_in(cnn, np.stack([normalize(picture).image for picture in pictures]))
        for pictures in (large, scaled)
    )
    assert np.mean(first == second) >= 0.995


def test_synthetic_drawings_are_read_and_not_rejected(cnn, drawings):
    images, labels = drawings
    assert accuracy(cnn, images, labels) >= 0.97
    rejected = np.mean([not prediction.is_digit for prediction in cnn.predict(images)])
    assert rejected <= 0.03


def test_a_gentle_turn_or_shear_keeps_the_answer(cnn, drawings):
    images, _ = drawings
    x = torch.from_numpy(images[:1000]).unsqueeze(1).float() / 255
    before = cnn.forward_input(x.numpy())[0].argmax(axis=1)
    for angle, shear in ((6.0, 0.0), (-6.0, 0.0), (0.0, 6.0), (0.0, -6.0)):
        changed = affine(x, angle, [0, 0], 1.0, [shear], InterpolationMode.BILINEAR)
        after = cnn.forward_input(changed.numpy())[0].argmax(axis=1)
        assert np.mean(before == after) >= 0.97
