"""The Open Inference Protocol, asked by Triton's stock client and by hand."""

import json

import numpy as np
import pytest
import requests

from model.card import find_model
from model.classifier import Classifier
from model.data.mnist import load_mnist

NO_CLIENT = "no Triton client: on a Mac take Python 3.12 or newer"
triton = pytest.importorskip("tritonclient.http", reason=NO_CLIENT)


@pytest.fixture
def client(api):
    with triton.InferenceServerClient(api.url.removeprefix("http://")) as client:
        yield client


@pytest.fixture
def images() -> np.ndarray:
    grey = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    grey[:, :6] = 0
    return grey


def as_input(images: np.ndarray, binary: bool = True) -> triton.InferInput:
    pixels = (images[:, None] / 255).astype(np.float32)
    tensor = triton.InferInput("image", pixels.shape, "FP32")
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    return tensor


@pytest.mark.parametrize(("model", "binary"), [("cnn", True), ("cnn-permuted", False)])
def test_tritons_default_call_gives_the_probabilities_of_the_classifier(
    client, images, model, binary
):
    result = client.infer(model, [as_input(images, binary)], request_id="7")

    expected = Classifier.load(find_model(model)).predict(images)
    probabilities = result.as_numpy("probabilities")
    assert probabilities.dtype == np.float32
    assert probabilities == pytest.approx(
        np.array([read.probabilities for read in expected]), abs=1e-6
    )
    assert result.as_numpy("is_digit").tolist() == [read.is_digit for read in expected]
    answer = result.get_response()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (model, "0.0.1", "7")
    assert [output["name"] for output in answer["outputs"]] == ["probabilities", "is_digit"]


def test_outputs_come_as_asked_for(client, images):
    asked = [
        triton.InferRequestedOutput("is_digit", binary_data=False),
        triton.InferRequestedOutput("probabilities", binary_data=True),
    ]
    result = client.infer("cnn", [as_input(images)], outputs=asked, model_version="0.0.1")

    first, second = result.get_response()["outputs"]
    assert (first["name"], len(first["data"])) == ("is_digit", 3)
    assert second["parameters"] == {"binary_data_size": 3 * 10 * 4} and "data" not in second
    assert result.as_numpy("probabilities").sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_health_and_metadata_speak_to_the_stock_client(client):
    assert client.is_server_live()
    assert not client.is_server_ready()  # "deep" could not be loaded
    assert client.is_model_ready("cnn") and client.is_model_ready("mlp", "0.0.1")
    assert not client.is_model_ready("deep") and not client.is_model_ready("cnn", "9.9.9")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("cnn")
    assert metadata["versions"] == ["0.0.1"]
    (image,) = metadata["inputs"]
    assert (image["name"], image["datatype"], image["shape"]) == ("image", "FP32", [-1, 1, 28, 28])
    assert "background" in image["parameters"]["range"]
    assert "mean" in image["parameters"]["preprocessing"]
    assert [output["shape"] for output in metadata["outputs"]] == [[-1, 10], [-1]]


def test_the_stock_client_learns_of_errors(client, images):
    with pytest.raises(triton.InferenceServerException, match="There is no model 'gpt'"):
        client.infer("gpt", [as_input(images)])


def infer(api, request: object, **headers: str) -> requests.Response:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return requests.post(f"{api.url}/v2/models/cnn/infer", data=body, headers=headers, timeout=60)


def tensor(shape: list, data: object, **changes: object) -> dict:
    return {
        "inputs": [{"name": "image", "datatype": "FP32", "shape": shape, "data": data, **changes}]
    }


ZEROS = [0] * 784
# More values than 256 pictures have, which would take memory: numbers, lists, objects.
MANY = {value: f"[{','.join([value] * 1_200_000)}]".encode() for value in ("0", "[0]", "{}")}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        *(pytest.param(MANY[value], "more values", id=f"many {value}") for value in MANY),
        (b"{", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"\xff\xfe", "JSON"),
        ({"inputs": []}, "inputs"),
        (tensor([1, 1, 28, 28], ZEROS, name="x"), "inputs.0.name"),
        (tensor([1, 1, 28, 28], ZEROS, datatype="UINT8"), "inputs.0.datatype"),
        (tensor([1, 784], ZEROS), "shape"),
        (tensor([""] * 200_000, ZEROS), "shape"),
        (tensor([0, 1, 28, 28], []), "shape.0"),
        (tensor([257, 1, 28, 28], ZEROS), "shape.0"),
        (tensor([2, 1, 28, 28], ZEROS), "784 elements"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], "ink"]), "not numbers"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], 10**400]), "not numbers"),
        (tensor([1, 1, 28, 28], [[0], [0, 1]]), "differ in length"),
        (tensor([1, 1, 28, 28], {"a": 1}), "not numbers"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], 255]), "divide grey levels by 255"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], -0.1]), "between 0"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], None]), "between 0"),
        (tensor([1, 1, 28, 28], [*ZEROS[1:], float("nan")]), "between 0"),
        (tensor([1, 1, 28, 28], ZEROS, parameters={"binary_data_size": 3136}), "follow the JSON"),
        ({**tensor([1, 1, 28, 28], ZEROS), "outputs": [{"name": "logits"}]}, "outputs.0.name"),
    ],
)
def test_what_is_not_as_the_metadata_say_is_a_bad_request(api, request_, message):
    response = infer(api, request_)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"] == response.json()["detail"]
    assert len(response.content) < 10_000
    assert message in response.json()["error"]


@pytest.mark.parametrize("length", ["-1", "1000", "x", "9" * 5000])
def test_a_wrong_length_of_the_json_is_a_bad_request(api, length):
    headers = {"Inference-Header-Content-Length": length}
    assert infer(api, tensor([1, 1, 28, 28], ZEROS), **headers).status_code in (400, 422)


def test_nested_data_and_256_pictures_are_taken(api):
    nested = np.zeros((256, 1, 28, 28)).tolist()
    outputs = infer(api, tensor([256, 1, 28, 28], nested)).json()["outputs"]
    assert [output["shape"] for output in outputs] == [[256, 10], [256]]


def test_other_paths_under_v2_answer_in_the_protocols_form(api):
    for method, path, status in (
        ("GET", "/v2/nothing", 404),
        ("PUT", "/v2/models/cnn", 405),
        ("GET", "/v2/models/gpt", 404),
        ("GET", "/v2/models/cnn/versions/2", 404),
    ):
        response = requests.request(method, api.url + path, timeout=30)
        assert (response.status_code, "error" in response.json()) == (status, True)


def test_tritons_client_reads_500_mnist_digits(api_url, mnist_dir):
    digits = load_mnist(str(mnist_dir)).test
    correct = 0
    with triton.InferenceServerClient(api_url.removeprefix("http://")) as client:
        for start in range(0, 500, 100):
            images = digits.images[start : start + 100].numpy()
            probabilities = client.infer("cnn", [as_input(images)]).as_numpy("probabilities")
            labels = digits.labels[start : start + 100].numpy()
            correct += int((probabilities.argmax(axis=1) == labels).sum())
    assert correct >= 490
