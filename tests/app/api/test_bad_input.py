"""Every error is a problem of RFC 9457, and its type says the cause."""

import io
import json
import socket
import struct
import zlib
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

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


def test_what_is_no_picture_and_a_truncated_one_are_told_apart(predict, png, encode, drawing):
    assert problem(predict(b"hello")) == (415, "not-a-picture")
    assert problem(predict(b"\x89PNG\r\n\x1a\n")) == (415, "not-a-picture")
    noisy = encode(Image.effect_noise((280, 280), 60))
    assert problem(predict(noisy[: len(noisy) // 2])) == (422, "damaged-picture")
    jpeg = encode(drawing, "JPEG")
    assert problem(predict(jpeg[: len(jpeg) // 2])) == (422, "damaged-picture")


def test_a_format_that_is_not_listed_is_no_picture(predict, encode, drawing):
    assert problem(predict(encode(drawing, "TIFF"))) == (415, "not-a-picture")
    assert problem(predict(encode(drawing, "PPM"))) == (415, "not-a-picture")


def test_an_empty_file_a_blank_picture_and_a_single_pixel(predict, encode):
    assert problem(predict(b"")) == (422, "empty-file")
    for colour in (0, 128, 255):
        assert problem(predict(encode(Image.new("L", (280, 280), colour)))) == (
            422,
            "blank-picture",
        )
    assert problem(predict(encode(Image.new("L", (1, 1), 255)))) == (422, "blank-picture")
    dot = Image.new("L", (280, 280), 0)
    dot.putpixel((100, 100), 255)
    assert problem(predict(encode(dot))) == (422, "blank-picture")


def test_a_file_over_5_mb_is_refused(predict, png):
    padded = png + bytes(5_000_000 - len(png))
    assert predict(padded).status_code == 200
    assert problem(predict(padded + b"\0")) == (413, "file-too-large")
    assert problem(predict(png + bytes(12_000_000))) == (413, "file-too-large")


def test_a_body_of_unannounced_length_is_refused_where_it_grows_too_large(api, png):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + png

    def chunks():
        yield head
        for _ in range(200):
            yield bytes(100_000)

    response = requests.post(
        f"{api.url}/api/v1/predict",
        data=chunks(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        timeout=30,
    )
    assert problem(response) == (413, "file-too-large")


def test_a_batch_over_16_mb_is_refused_and_one_under_it_is_not(api, png):
    def post(size: int) -> requests.Response:
        files = [("files", ("x", png + bytes(size)))] * 4
        return requests.post(f"{api.url}/api/v1/predict/batch", files=files, timeout=60)

    assert [result.get("prediction") for result in post(3_900_000).json()["results"]].count(
        None
    ) == 0
    assert problem(post(4_100_000)) == (413, "batch-too-large")


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
    json_type = {"Content-Type": "application/json"}
    response = requests.post(url, data=png, headers=json_type, timeout=30)
    assert problem(response) == (415, "wrong-content-type")
    assert response.headers["accept"] == "multipart/form-data, image/*"
    assert problem(requests.post(url, data={"file": "x"}, timeout=30)) == (
        415,
        "wrong-content-type",
    )
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
    response = predict(png, "/api/v1/explain", target=77, method="guess", depth=3)
    assert problem(response) == (422, "invalid-parameter")
    assert {error["name"] for error in response.json()["errors"]} == {"target", "method", "depth"}


@pytest.mark.parametrize(
    "body",
    [
        b"not multipart at all",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nbroken header\r\n\r\nx\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nendless',
    ],
)
def test_malformed_multipart_is_a_bad_request(api, body):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = requests.post(f"{api.url}/api/v1/predict", data=body, headers=headers, timeout=30)
    assert problem(response) == (400, "malformed-request")


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
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n")
        answer = b""
        try:
            for index in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (index, b"a" * 1000))
            answer = connection.recv(1000)
        except (BrokenPipeError, ConnectionResetError):
            pass  # closed while we were still sending: refused
        assert b"200" not in answer
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_trailers_without_end_are_refused_and_cost_no_memory(api):
    host, port = api.url.removeprefix("http://").split(":")
    chunk = bytes(1_000_000)
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            b"POST /api/v1/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            b"%x\r\n%b\r\n0\r\n" % (len(chunk), chunk)
        )
        sent = 0
        try:
            while sent < 5_000_000:
                sent += connection.send(b"a:\r\n" * 10_000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 5_000_000 or connection.recv(100).startswith(b"HTTP/1.1 400")


def test_what_is_no_http_is_a_problem_too(api):
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"digits, please\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, body = answer.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert b"\r\ndate: " in head  # as in every answer
    assert json.loads(body)["code"] == "malformed-request"


def test_a_batch_whose_last_part_is_cut_off_is_malformed(api, png):
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n' + png

    def post(body: bytes) -> requests.Response:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        url = f"{api.url}/api/v1/predict/batch"
        return requests.post(url, data=body, headers=headers, timeout=30)

    whole = b"\r\n".join([part, part, b"--b--\r\n"])
    assert len(post(whole).json()["results"]) == 2
    assert len(post(iter([whole[:-3], whole[-3:]])).json()["results"]) == 2
    assert problem(post(whole[:-30])) == (400, "malformed-request")


def test_many_small_parts_are_refused(api):
    body = io.BytesIO()
    for index in range(3000):
        body.write(b'--b\r\nContent-Disposition: form-data; name="x%d"\r\n\r\n1\r\n' % index)
    body.write(b"--b--\r\n")
    response = requests.post(
        f"{api.url}/api/v1/predict",
        data=body.getvalue(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        timeout=30,
    )
    assert problem(response) == (400, "malformed-request")
