import numpy as np
import pytest
import torch
from torch.nn import functional as F

from model import adaptation
from model.adaptation import LABEL_SMOOTHING, fit_weights

FEATURES = 40


@pytest.fixture(scope="module")
def layer() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 0.3, (10, FEATURES)), rng.normal(0, 0.1, 10)


def examples(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.maximum(rng.normal(0, 1, (count, FEATURES)), 0), rng.integers(0, 10, count)


def probabilities(weights: np.ndarray, bias: np.ndarray, features: np.ndarray) -> np.ndarray:
    return torch.from_numpy(features @ weights.T + bias).softmax(dim=1).numpy()


def minimum_by_torch(
    weights: np.ndarray, bias: np.ndarray, features: np.ndarray, labels: np.ndarray, strength: float
) -> np.ndarray:
    """The same objective, all its weights unknown, left to torch's L-BFGS."""
    trained, inputs = torch.from_numpy(weights), torch.from_numpy(features)
    fitted = trained.clone().requires_grad_()
    penalty = strength * inputs.square().sum(dim=1).mean()
    optimizer = torch.optim.LBFGS(
        [fitted], max_iter=2000, tolerance_grad=1e-9, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = F.linear(inputs, fitted, torch.from_numpy(bias))
        loss = F.cross_entropy(
            logits, torch.from_numpy(labels), label_smoothing=LABEL_SMOOTHING, reduction="sum"
        )
        loss = loss + penalty * (fitted - trained).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return fitted.detach().numpy()


@pytest.mark.parametrize("count", [1, 10, 100])  # 100 examples are more than there are features
@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_the_weights_are_those_that_torch_finds(layer, monkeypatch, count, strength):
    monkeypatch.setattr(adaptation, "STRENGTH", strength)
    features, labels = examples(count)
    fitted = fit_weights(*layer, features, labels)
    expected = minimum_by_torch(*layer, features, labels, strength)
    assert not np.allclose(fitted, layer[0], atol=1e-2)
    np.testing.assert_allclose(
        features @ fitted.T, features @ expected.T, atol=5e-3 * np.ptp(features @ expected.T)
    )
    np.testing.assert_allclose(fitted, expected, atol=1e-2 * np.abs(fitted - layer[0]).max())


def test_two_hundred_of_the_same_image_move_what_lies_across_it_not_at_all(layer):
    image = examples(1)[0]
    fitted = fit_weights(*layer, np.repeat(image, 200, axis=0), np.full(200, 7))
    other = examples(1, seed=2)[0]
    other -= image * (other @ image.T) / (image @ image.T)
    np.testing.assert_allclose(other @ fitted.T, other @ layer[0].T, atol=1e-9)
    assert probabilities(fitted, layer[1], image)[0, 7] == pytest.approx(0.982, abs=1e-3)
