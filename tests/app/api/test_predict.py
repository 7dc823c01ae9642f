"""What the API reads in pictures, beside what the network says of them without the API."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
import torch
from PIL import Image, ImageOps
from tests.support.api import pixels, post
from tests.support.drawings import file_of

from model.card import find_model
from model.classifier import Classifier, to_input
from model.data.mnist import standardize
from model.export import load_network
from model.preprocessing.normalize import preprocess

FIELDS = {
    "prediction", "confidence", "probabilities", "top_k", "is_digit", "reason", "image",
    "model", "version", "milliseconds",
}  # fmt: skip


def test_a_drawing_is_answered_with_what_the_network_says_of_the_normalised_picture(predict, png):
    answer = predict(png).json()

    image = preprocess(png).image
    network, card = load_network(find_model("cnn"))
    with torch.no_grad():
        x = torch.from_numpy(to_input(image[None]))
        expected = (network(standardize(x)) / card.temperature).softmax(dim=1)[0]
    assert answer.keys() == FIELDS
    assert answer["probabilities"] == pytest.approx(expected.tolist(), abs=1e-5)
    assert answer["prediction"] == expected.argmax()
    assert answer["confidence"] == max(answer["probabilities"])
    assert (answer["model"], answer["version"]) == ("cnn", "0.0.1")
    assert (answer["is_digit"], answer["reason"]) == (True, None)
    assert (pixels(answer["image"]) == image).all()
    assert answer["milliseconds"] > 0


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_every_format_and_both_polarities_are_read_as_the_plain_picture(
    predict, drawing, png, format_
):
    answer = predict(file_of(ImageOps.invert(drawing), format_)).json()
    assert answer["probabilities"] == pytest.approx(predict(png).json()["probabilities"], abs=0.02)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream"])
def test_the_body_may_be_the_picture_itself(api, predict, png, kind):
    url = f"{api.url}/api/v1/predict?model=mlp&top_k=2"
    response = requests.post(url, data=png, headers={"Content-Type": kind}, timeout=30)
    by_form = predict(png, model="mlp", top_k=2).json()
    assert {**response.json(), "milliseconds": 0} == {**by_form, "milliseconds": 0}


@pytest.mark.parametrize("count", [1, 10])
def test_top_k_lists_the_likeliest_digits_best_first(predict, png, count):
    answer = predict(png, top_k=count).json()

    order = np.argsort(answer["probabilities"])[::-1][:count]
    assert answer["top_k"] == [
        {"digit": digit, "probability": answer["probabilities"][digit]} for digit in order
    ]


def test_a_permuted_model_also_shows_the_permuted_picture(predict, png):
    answer = predict(png, model="cnn-permuted").json()

    permutation = Classifier.load(find_model("cnn-permuted")).permutation
    assert answer["model"] == "cnn-permuted"
    seen = pixels(answer["image"]).ravel()
    assert (pixels(answer["permuted_image"]).ravel() == seen[permutation]).all()


def test_a_scribble_is_an_answer_that_says_it_is_no_digit(api_url):
    noise = np.random.default_rng(0).random((28, 28)) < 0.4
    answer = post(api_url, file_of(Image.fromarray(noise).resize((280, 280)))).json()

    assert answer["is_digit"] is False
    assert answer["reason"] in {"not_a_digit", "several_digits", "ambiguous"}
    assert answer["prediction"] == int(np.argmax(answer["probabilities"]))


def test_a_batch_answers_each_file_in_order_as_it_would_alone(predict, png, drawing):
    files = [png, b"no picture", file_of(drawing.rotate(90)), b"", png]

    results = predict(files, "predict/batch", model="mlp", top_k=2).json()["results"]

    for data, result in zip(files, results, strict=True):
        alone = predict(data, model="mlp", top_k=2).json()
        for name in set(alone) - {"milliseconds", "instance", "probabilities", "top_k"}:
            assert result[name] == pytest.approx(alone[name], abs=1e-5), name
    assert [result.get("code") for result in results] == [
        None, "not-a-picture", None, "empty-file", None,
    ]  # fmt: skip


def test_a_batch_takes_64_files_and_no_more(predict, png):
    assert len(predict([png] * 64, "predict/batch").json()["results"]) == 64
    answer = predict([png] * 65, "predict/batch").json()
    assert answer["code"] == "too-many-files" and "64" in answer["detail"]


def test_clients_at_the_same_time_get_the_answers_to_their_own_pictures(predict, drawing):
    pictures = [file_of(drawing.rotate(angle)) for angle in range(0, 360, 30)]
    alone = [predict(picture).json()["image"] for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: predict(data).json()["image"], pictures * 8))
    assert together == alone * 8
