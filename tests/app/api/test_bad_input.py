"""Every error is a problem of RFC 9457, and its type says the cause."""

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image
from tests.support.api import FORM, connect, form, until_closed
from tests.support.services import Running

PROBLEM_MEMBERS = {"type", "code", "title", "status", "detail", "instance"}


def problem(response: requests.Response) -> tuple[int, str]:
    """Return the status and the code, having checked the form."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body.keys() - {"errors"} == PROBLEM_MEMBERS
    assert body["type"] == f"/problems/{body['code']}"
    assert body["status"] == response.status_code
    assert len(body["detail"]) > len("It failed.")
    assert body["instance"] == urlsplit(response.url).path
    return response.status_code, body["code"]


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds no pixels to speak of."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


def post_form(
    api: Running, body: bytes | Iterator[bytes], path: str = "predict"
) -> requests.Response:
    """Send a form whose boundary is b; in chunks, if it comes in parts."""
    return requests.post(f"{api.url}/api/v1/{path}", data=body, headers=FORM, timeout=30)


def test_what_is_no_picture_and_a_truncated_one_are_told_apart(predict, encode, drawing):
    for data in (b"hello", b"\x89PNG\r\n\x1a\n", encode(drawing, "TIFF"), encode(drawing, "PPM")):
        assert problem(predict(data)) == (415, "not-a-picture")
    noisy = encode(Image.effect_noise((280, 280), 60))
    assert problem(predict(noisy[: len(noisy) // 2])) == (422, "damaged-picture")
    jpeg = encode(drawing, "JPEG")
    assert problem(predict(jpeg[: len(jpeg) // 2])) == (422, "damaged-picture")


def test_an_empty_file_a_blank_picture_and_a_single_pixel(predict, encode):
    assert problem(predict(b"")) == (422, "empty-file")
    dot = Image.new("L", (280, 280), 0)
    dot.putpixel((100, 100), 255)
    plain = [Image.new("L", (280, 280), colour) for colour in (0, 128, 255)]
    for blank in (*plain, Image.new("L", (1, 1), 255), dot):
        assert problem(predict(encode(blank))) == (422, "blank-picture")


def test_a_file_over_5_mb_is_refused(predict, png):
    padded = png + bytes(5_000_000 - len(png))
    assert predict(padded).status_code == 200
    assert problem(predict(padded + b"\0")) == (413, "file-too-large")
    assert problem(predict(png + bytes(12_000_000))) == (413, "file-too-large")


def test_a_body_of_unannounced_length_is_refused_where_it_grows_too_large(api, png):
    chunks = (part for part in (form(png), *[bytes(100_000)] * 200))
    assert problem(post_form(api, chunks)) == (413, "file-too-large")


def test_a_batch_over_16_mb_is_refused_and_one_under_it_is_not(predict, png):
    taken = predict([png + bytes(3_900_000)] * 4, "predict/batch").json()["results"]
    assert all("prediction" in result for result in taken)
    refused = predict([png + bytes(4_100_000)] * 4, "predict/batch")
    assert problem(refused) == (413, "batch-too-large")


@pytest.mark.parametrize("size", [(6400, 6400), (65_000, 65_000), (2**31 - 1, 2**31 - 1)])
def test_pixels_beyond_40_million_are_counted_in_the_header_alone(predict, size):
    status, code = problem(predict(png_header(*size)))  # decoding would take minutes
    assert (status, code) in {(413, "too-many-pixels"), (415, "not-a-picture")}


def test_39_megapixels_are_read(predict, drawing, encode):
    large = encode(drawing.resize((6200, 6200)).point(lambda level: 255 * (level > 127)), "PNG")
    assert predict(large).json()["prediction"] == predict(encode(drawing)).json()["prediction"]


def test_a_missing_file_and_a_wrong_content_type(api, png):
    url = f"{api.url}/api/v1/predict"
    assert problem(requests.post(url, timeout=30)) == (422, "no-file")
    wrong = requests.post(url, files={"picture": png}, timeout=30)
    assert problem(wrong) == (422, "no-file")
    assert "'file', not into 'picture'." in wrong.json()["detail"]
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        response = requests.post(url, data=png, headers={"Content-Type": kind}, timeout=30)
        assert problem(response) == (415, "wrong-content-type")
        assert response.headers["accept"] == "multipart/form-data, image/*"
    packed = {"Content-Type": "image/png", "Content-Encoding": "gzip"}
    response = requests.post(url, data=png, headers=packed, timeout=30)
    assert problem(response) == (415, "wrong-content-type")
    assert response.headers["accept-encoding"] == "identity"


def test_fields_and_parameters_that_do_not_exist_are_refused_by_name(api, png):
    url = f"{api.url}/api/v1/predict"
    form = {"file": png, "model": (None, "mlp"), "top_k": (None, "1")}
    response = requests.post(url, files=form, timeout=30)
    assert problem(response) == (422, "invalid-parameter")
    assert [error["name"] for error in response.json()["errors"]] == ["model", "top_k"]
    for path in ("predict", "predict/batch", "explain"):
        response = requests.post(f"{api.url}/api/v1/{path}?modle=mlp", timeout=30)
        assert problem(response) == (422, "invalid-parameter")
        assert "'modle'" in response.json()["detail"]
    twice = [("file", ("a", png)), ("file", ("b", png))]
    assert problem(requests.post(url, files=twice, timeout=30)) == (422, "invalid-parameter")


def test_every_fault_of_a_request_is_told(predict, png):
    response = predict(png, "explain", target=10, method="integrated_gradients", depth=3)
    assert problem(response) == (422, "invalid-parameter")
    assert {error["name"] for error in response.json()["errors"]} == {"target", "method", "depth"}
    assert "'occlusion'" in response.json()["detail"]


def test_of_a_thousand_faults_the_first_twenty_are_told(api, png):
    url = f"{api.url}/api/v1/predict"
    names = [f"name {number}" for number in range(900)]
    form = [("file", png), *((name, (None, "1")) for name in names)]
    response = requests.post(url, files=form, timeout=30)
    assert [error["name"] for error in response.json()["errors"]] == names[:20]
    detail = requests.post(url, files=form[1:], timeout=30).json()["detail"]
    assert repr(names[19]) in detail and repr(names[20]) not in detail


@pytest.mark.parametrize(
    "body",
    [
        b"not multipart at all",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nbroken header\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nendless',
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 3000 + b"--b--\r\n",
            id="3000 parts",
        ),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="'
            + b"\1" * 3000
            + b'"\r\n\r\n1\r\n--b--',
            id="a long name",
        ),
    ],
)
def test_malformed_multipart_is_a_bad_request(api, body):
    assert problem(post_form(api, body)) == (400, "malformed-request")


def test_multipart_without_a_boundary_is_a_bad_request(api):
    headers = {"Content-Type": "multipart/form-data"}
    response = requests.post(f"{api.url}/api/v1/predict", data=b"x", headers=headers, timeout=30)
    assert problem(response) == (400, "malformed-request")


@pytest.mark.parametrize("value", ["0", "11", "-1", "three", "", "1e9", "3.5"])
def test_a_bad_top_k_is_named(predict, png, value):
    response = predict(png, top_k=value)
    assert problem(response) == (422, "invalid-parameter")
    assert "top_k" in response.json()["detail"]


def test_an_unknown_model_lists_the_known_and_a_broken_one_says_why(predict, png):
    response = predict(png, model="gpt")
    assert problem(response) == (404, "unknown-model")
    assert "cnn, cnn-permuted, mlp" in response.json()["detail"]
    response = predict(png, model="deep")
    assert problem(response) == (404, "unknown-model")
    assert "sha256" in response.json()["detail"]


def test_unknown_paths_and_methods(api):
    for path in ("/api/v1", "/api/v1/predict/", "/nothing", "/docs/assets/nothing.js"):
        response = requests.get(api.url + path, timeout=30, allow_redirects=False)
        assert problem(response) == (404, "not-found")
    response = requests.get(f"{api.url}/api/v1/predict", timeout=30)
    assert problem(response) == (405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_headers_without_end_are_refused_and_cost_no_memory(api):
    with connect(api.url) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        answer = b""
        with suppress(BrokenPipeError, ConnectionResetError):  # while we were sending: refused
            for index in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (index, b"a" * 1000))
            answer = connection.recv(1000)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_trailers_without_end_are_refused_and_cost_no_memory(api):
    chunk = bytes(1_000_000)
    with connect(api.url) as connection:
        connection.sendall(
            b"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b"%x\r\n%b\r\n0\r\n" % (len(chunk), chunk)
        )
        sent = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 5_000_000:
                sent += connection.send(b"a:\r\n" * 10_000)
        assert sent < 5_000_000 or connection.recv(100).startswith(b"HTTP/1.1 400")


def test_what_is_no_http_is_a_problem_too(api):
    with connect(api.url) as connection:
        connection.sendall(b"digits, please\r\n\r\n")
        head, body = until_closed(connection).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert b"\r\ndate: " in head  # as in every answer
    assert json.loads(body)["code"] == "malformed-request"


def test_a_batch_whose_last_part_is_cut_off_is_malformed(api, png):
    whole = form(png, png, field="files")
    for body in (whole, iter([whole[:-3], whole[-3:]])):
        assert len(post_form(api, body, "predict/batch").json()["results"]) == 2
    assert problem(post_form(api, whole[:-30], "predict/batch")) == (400, "malformed-request")
