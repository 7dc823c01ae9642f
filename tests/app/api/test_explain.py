import numpy as np
import pytest
import torch

from model.card import find_models
from model.classifier import to_input
from model.data.mnist import standardize
from model.export import load_network
from model.preprocessing.normalize import preprocess


@pytest.mark.parametrize("model", ["mlp", "cnn-permuted"])
def test_occlusion_says_what_hiding_a_window_costs(predict, png, small_models, model):
    answer = predict(png, "explain", model=model).json()

    network, card = load_network(find_models(small_models)[model])
    indices = card.permutation and torch.tensor(card.permutation.indices)
    x = torch.from_numpy(to_input(preprocess(png).image[None]))
    digit = answer["attribution"]["target"]
    assert digit == answer["prediction"]
    expected = np.zeros((28, 28))

    def logit(x: torch.Tensor) -> float:
        return network(standardize(x, indices))[0, digit].item()

    with torch.no_grad():
        for row in range(24):
            for column in range(24):
                hidden = x.clone()
                hidden[..., row : row + 5, column : column + 5] = 0
                expected[row : row + 5, column : column + 5] += logit(x) - logit(hidden)
    counts = np.convolve(np.ones(24), np.ones(5))
    expected /= np.outer(counts, counts)
    values = np.array(answer["attribution"]["values"])
    assert values == pytest.approx(expected / np.abs(expected).max(), abs=1e-3)


def test_the_rest_of_the_answer_is_the_prediction(predict, png):
    explained = predict(png, "explain", model="cnn-permuted").json()
    predicted = predict(png, model="cnn-permuted").json()
    added = set(explained) - set(predicted)
    assert added == {"attribution"}
    for name in set(predicted) - {"milliseconds"}:
        assert explained[name] == predicted[name]
