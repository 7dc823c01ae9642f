"""Every error is a problem of RFC 9457 with a stable code, and says what to do next."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from tests.support.api import FORM, form
from tests.support.drawings import SEVEN, blank, file_of, write
from tests.support.services import Running, running_api

MEMBERS = {"type", "code", "title", "status", "detail", "instance"}


def problem(response: requests.Response) -> tuple[int, str]:
    """The status and the code of a problem whose form is as promised."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    body = response.json()
    assert body.keys() - {"errors"} == MEMBERS
    assert (body["type"], body["status"]) == ("about:blank", response.status_code)
    assert len(body["detail"]) > len("It failed.")
    assert body["instance"] == urlsplit(response.url).path
    return response.status_code, body["code"]


# --- Pictures -------------------------------------------------------------------------------------

DRAWING = write(blank(), SEVEN, 255)
PNG, JPEG = file_of(DRAWING), file_of(DRAWING, "JPEG")
PICTURES = {
    "text": (b"hello", 415, "not-a-picture"),
    "TIFF": (file_of(DRAWING, "TIFF"), 415, "not-a-picture"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], 422, "damaged-picture"),
    "nothing": (b"", 422, "empty-file"),
    "white": (file_of(blank(255)), 422, "blank-picture"),
    "41 megapixels": (file_of(blank(0, (6400, 6400))), 413, "too-many-pixels"),
    "5 MB and a byte": (PNG + bytes(5_000_001 - len(PNG)), 413, "file-too-large"),
}


@pytest.mark.parametrize(("data", "status", "code"), PICTURES.values(), ids=PICTURES)
def test_a_bad_picture_is_told_by_its_cause(predict, data, status, code):
    assert problem(predict(data)) == (status, code)


def test_exactly_5_mb_a_file_and_16_mb_a_batch_are_read(predict):
    assert predict(PNG + bytes(5_000_000 - len(PNG))).status_code == 200
    taken = predict([PNG + bytes(3_900_000)] * 4, "predict/batch").json()["results"]
    assert all("prediction" in result for result in taken)
    refused = predict([PNG + bytes(4_200_000)] * 4, "predict/batch")
    assert problem(refused)[0] == 413
    assert "16 MB" in refused.json()["detail"]


# --- Bodies ---------------------------------------------------------------------------------------

PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n1\r\n'
BODIES = {
    "no body": ({}, b"", 422, "no-file", "file"),
    "JSON": ({"Content-Type": "application/json"}, b"{}", 415, "wrong-content-type", "form"),
    "compressed": (
        {"Content-Type": "image/png", "Content-Encoding": "gzip"},
        PNG, 415, "wrong-content-type", "compressed",
    ),
    "no boundary": ({"Content-Type": "multipart/form-data"}, b"x", 400, "malformed-request", ""),
    "a part without a name": (
        FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        400, "malformed-request", "",
    ),
    "a charset that is not UTF-8": (
        {"Content-Type": "multipart/form-data; charset=punycode; boundary=b"},
        form(PNG), 400, "malformed-request", "",
    ),
    "only the last boundary cut off": (FORM, form(PNG)[:-6], 400, "malformed-request", ""),
    "3,000 parts": (FORM, PART % b"x" * 3000 + b"--b--\r\n", 400, "malformed-request", ""),
    "two pictures": (FORM, form(PNG, PNG), 422, "too-many-files", "one"),
    "another field": (FORM, form(PNG, field="picture"), 422, "no-file", "'file'"),
    "a field too many": (
        FORM, PART % b"model" + form(PNG), 422, "invalid-parameter", "'model'"
    ),
    "17 MB": (FORM, form(PNG + bytes(17_000_000)), 413, "payload-too-large", "MB"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "status", "code", "said"), BODIES.values(), ids=BODIES)
def test_a_bad_body_is_told_by_its_cause(api, headers, body, status, code, said):
    url = f"{api.url}/api/v1/predict"
    response = requests.post(url, data=body, headers=headers, timeout=30)
    assert problem(response) == (status, code)
    assert said in response.json()["detail"]


def test_a_body_that_grows_too_large_in_chunks_is_an_error(api):
    chunks = [form(PNG)[:-7], *[bytes(1_000_000)] * 17, b"\r\n--b--\r\n"]
    url = f"{api.url}/api/v1/predict"
    response = requests.post(url, data=iter(chunks), headers=FORM, timeout=30)
    assert problem(response) == (413, "payload-too-large")


def test_a_batch_whose_last_part_is_cut_off_is_not_read_in_part(api):
    url, whole = f"{api.url}/api/v1/predict/batch", form(PNG, PNG, field="files")
    answer = requests.post(url, data=iter([whole[:-3], whole[-3:]]), headers=FORM, timeout=30)
    assert len(answer.json()["results"]) == 2
    cut = requests.post(url, data=whole[:-30], headers=FORM, timeout=30)
    assert problem(cut) == (400, "malformed-request")


# --- Parameters, paths, methods -------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "11", "three", ""])
def test_a_bad_value_of_a_parameter_is_named(predict, value):
    response = predict(PNG, top_k=value)
    assert problem(response) == (422, "invalid-parameter")
    [error] = response.json()["errors"]
    assert (error["in"], error["name"]) == ("query", "top_k")
    assert "top_k" in response.json()["detail"]


@pytest.mark.parametrize(
    "path", ["predict", "predict/batch", "predict/number", "explain", "activations"]
)
def test_a_parameter_that_does_not_exist_is_an_error_by_name(predict, path):
    response = predict([PNG] if path == "predict/batch" else PNG, path, modle="mlp")
    assert problem(response) == (422, "invalid-parameter")
    assert "modle" in response.json()["detail"]


def test_every_fault_of_a_request_is_told_but_no_more_than_twenty(predict):
    response = predict(PNG, "explain", target=10, method="occlusion", depth=3)
    assert problem(response) == (422, "invalid-parameter")
    assert {error["name"] for error in response.json()["errors"]} == {"target", "method", "depth"}
    many = predict(PNG, **{f"name{number}": 1 for number in range(900)})
    assert len(many.json()["errors"]) == 20


def test_an_unknown_model_lists_the_known_and_a_broken_one_says_why(predict):
    for name, said in (("gpt", "cnn, cnn-permuted, mlp"), ("deep", "sha256")):
        response = predict(PNG, model=name)
        assert problem(response) == (404, "unknown-model")
        assert said in response.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/predict/", "/nothing"])
def test_an_unknown_path_leads_to_the_documentation(api, path):
    response = requests.get(api.url + path, timeout=30, allow_redirects=False)
    assert problem(response) == (404, "not-found")
    assert "/docs" in response.json()["detail"] and "/health" in response.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/api/v1/predict", {"POST"}), ("DELETE", "/health", {"GET", "HEAD"})],
)
def test_a_wrong_method_names_the_right_one(api, method, path, allowed):
    response = requests.request(method, api.url + path, timeout=30)
    assert problem(response) == (405, "method-not-allowed")
    assert {name.strip() for name in response.headers["allow"].split(",")} <= allowed


# --- What libraries raise -------------------------------------------------------------------------

# The API with a route whose errors nobody expects.
BROKEN = """
import runpy
from fastapi import HTTPException
import app.main

ERRORS = {
    "418": HTTPException(418, "a teapot of a library"),
    "507": HTTPException(507, {"left": "nothing"}),
    "500": LookupError("a fault of ours"),
}
create_app = app.main.create_app

def create_broken_app():
    made = create_app()

    @made.get("/broken/{name}")
    def broken(name: str):
        raise ERRORS[name]

    return made

app.main.create_app = create_broken_app
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def broken(few_models) -> Iterator[Running]:
    settings = {"MODELS_DIR": str(few_models), "API_CORS_ORIGINS": "https://app.example"}
    with running_api(BROKEN, **settings) as api:
        yield api


@pytest.mark.parametrize("status", [418, 507, 500])
def test_an_error_that_nobody_expects_is_a_problem_that_a_browser_may_read(broken, status):
    headers = {"Origin": "https://app.example"}
    response = requests.get(f"{broken.url}/broken/{status}", headers=headers, timeout=30)
    assert problem(response)[0] == status
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert "a fault of ours" not in response.text
