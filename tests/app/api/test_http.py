"""HTTP to the letter, asked of the app in this process: no server, no lifespan, httpx alone."""

import asyncio
import gzip
from email.utils import formatdate, parsedate_to_datetime

import httpx
import pytest

from app.api.problems import PROBLEMS
from app.main import create_app
from app.settings import ApiSettings


@pytest.fixture(scope="module")
def app(small_models):
    settings = ApiSettings(models_dir=small_models, cors_origins="https://app.example")
    app = create_app(settings)

    @app.get("/broken")
    def broken() -> None:
        raise LookupError("a fault of ours")

    return app


def ask(app, method: str, path: str, root_path: str = "", **options) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://digits") as client:
            return await client.request(method, root_path + path, **options)

    return asyncio.run(send())


def test_an_upload_is_read_without_lifespan_and_without_server_state(app, png):
    answer = ask(app, "POST", "/api/v1/predict", files={"file": png}).json()
    assert answer["model"] == "cnn"


def paths_to_get(app) -> list[str]:
    paths = [path for path, methods in app.openapi()["paths"].items() if "get" in methods]
    values = {"name": "cnn", "version": "0.0.1", "figure": "confusion-matrix", "code": "no-file"}
    return [path.format(**values) for path in paths if "study" not in path] + ["/docs", "/"]


def test_head_answers_as_get_does_without_the_body(app):
    for path in paths_to_get(app):
        head, get = (ask(app, method, path) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (get.status_code, b""), path
        if path != "/metrics":  # which counts the request before
            assert head.headers["content-length"] == get.headers["content-length"], path


def test_head_of_what_can_only_be_posted_is_not_allowed(app):
    response = ask(app, "HEAD", "/api/v1/predict")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    response = ask(app, "DELETE", "/health")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


FIGURE = "/api/v1/models/cnn/figures/confusion-matrix"
CARD = "/api/v1/models/cnn"


@pytest.mark.parametrize("path", [FIGURE, CARD])
def test_what_the_client_keeps_is_not_sent_again(app, path):
    first = ask(app, "GET", path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for known in (tag, f'"other", {tag}', "*", f"W/{tag.removeprefix('W/')}"):
        again = ask(app, "GET", path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert ask(app, "GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_figure_is_sent_again_only_if_it_is_newer(app):
    modified = ask(app, "GET", FIGURE).headers["last-modified"]
    moment = parsedate_to_datetime(modified).timestamp()

    def status(since: str, **more: str) -> int:
        headers = {"If-Modified-Since": since, **more}
        return ask(app, "GET", FIGURE, headers=headers).status_code

    assert status(modified) == 304
    assert status(formatdate(moment + 60, usegmt=True)) == 304
    assert status(formatdate(moment - 60, usegmt=True)) == 200
    assert status("yesterday") == 200
    # A tag counts more than a date (RFC 9110, 13.2.2).
    assert status(modified, **{"If-None-Match": '"other"'}) == 200


def test_large_json_comes_compressed_to_those_who_take_it(app, png):
    packed, plain = (
        ask(app, "POST", "/api/v1/explain", files={"file": png}, headers={"Accept-Encoding": kind})
        for kind in ("gzip", "identity")
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json()["attribution"] == plain.json()["attribution"]
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2


def test_the_start_leads_to_the_documentation(app):
    response = ask(app, "GET", "/", root_path="/digits")
    assert (response.status_code, response.headers["location"]) == (307, "/digits/docs")


def test_the_type_of_a_problem_leads_to_its_explanation(app):
    problem = ask(app, "GET", "/nothing", root_path="/digits").json()
    assert (problem["type"], problem["code"]) == ("/digits/problems/not-found", "not-found")
    for code, kind in PROBLEMS.items():
        explained = ask(app, "GET", f"/problems/{code}").json()
        assert (explained["code"], explained["status"]) == (code, kind.status)
    assert ask(app, "GET", "/problems/none").status_code == 404


def test_behind_a_prefix_limits_addresses_and_documentation_are_the_same(app, png):
    batch = [("files", ("x", png + bytes(3_000_000)))] * 3
    batch.append(("files", ("x", b"no picture")))
    response = ask(app, "POST", "/api/v1/predict/batch", root_path="/digits", files=batch)
    assert response.status_code == 200
    assert response.json()["results"][-1]["type"] == "/digits/problems/not-a-picture"
    page = ask(app, "GET", "/docs", root_path="/digits").text
    assert "'/digits/openapi.json'" in page
    assert "/digits/docs/assets/swagger-ui-bundle.js" in page
    assert ask(app, "GET", "/openapi.json", root_path="/digits").status_code == 200


ORIGIN = {"Origin": "https://app.example"}


def test_a_browser_may_read_every_error(app):
    for method, path, status in (
        ("GET", "/broken", 500),
        ("GET", "/nothing", 404),
        ("POST", "/api/v1/predict", 422),
    ):
        response = ask(app, method, path, headers=ORIGIN)
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["x-request-id"]


def test_an_origin_that_may_not_call_is_told_so_as_a_problem(app):
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = ask(app, "OPTIONS", "/api/v1/predict", headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "origin-not-allowed")
    assert "access-control-allow-origin" not in response.headers


def test_a_range_is_ignored_and_the_whole_file_sent(app):
    for asked in ("bytes=0-3", "bytes=999999-", "bites=1"):
        response = ask(app, "GET", FIGURE, headers={"Range": asked})
        assert (response.status_code, response.content[:4]) == (200, b"\x89PNG")


def test_each_operation_has_a_name_of_its_own_for_generated_clients(app):
    operations = [
        operation["operationId"]
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
    ]
    assert len(set(operations)) == len(operations)
    assert {"predict", "predict_batch", "explain", "infer"} <= set(operations)


# --- The token ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(small_models):
    origins = "https://app.example"
    return create_app(ApiSettings(models_dir=small_models, token="s3cret\n", cors_origins=origins))


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Basic s3cret", "s3cret"])
@pytest.mark.parametrize("path", ["/api/v1/models", "/v2", "/v2/models/cnn"])
def test_without_the_token_api_and_v2_answer_401(guarded, path, given):
    headers = {} if given is None else {"Authorization": given}
    response = ask(guarded, "GET", path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert response.headers["content-type"] == "application/problem+json"


def test_with_the_token_everything_is_as_without_one(guarded, app, png):
    for given in ("Bearer s3cret", "bearer s3cret"):
        headers = {"Authorization": given}
        response = ask(guarded, "POST", "/api/v1/predict", files={"file": png}, headers=headers)
        plain = ask(app, "POST", "/api/v1/predict", files={"file": png})
        assert response.json()["probabilities"] == plain.json()["probabilities"]


def test_probes_documentation_and_preflights_need_no_token(guarded):
    for path in ("/health", "/ready", "/metrics", "/docs", "/openapi.json", "/problems/no-file"):
        assert ask(guarded, "GET", path).status_code == 200
    headers = {**ORIGIN, "Access-Control-Request-Method": "POST"}
    assert ask(guarded, "OPTIONS", "/api/v1/predict", headers=headers).status_code == 200
    refused = ask(guarded, "GET", "/api/v1/models", headers=ORIGIN)
    assert refused.headers["access-control-allow-origin"] == "https://app.example"


def test_an_empty_token_is_none(small_models):
    app = create_app(ApiSettings(models_dir=small_models, token=""))
    assert ask(app, "GET", "/api/v1/models").status_code == 200
