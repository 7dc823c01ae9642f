"""Who may call the API: the token, and pages of other origins."""

from collections.abc import Callable, Iterator

import pytest
import requests
from pydantic import ValidationError
from tests.support.services import running_api

from app.settings import ApiSettings

ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def guarded(few_models) -> Iterator[Callable[..., requests.Response]]:
    """Asks an API whose token came from a file, with its line break."""
    settings = {"API_TOKEN": "s3cret\n", "API_CORS_ORIGINS": "https://app.example"}
    with running_api(MODELS_DIR=str(few_models), **settings) as api:

        def ask(method: str, path: str, **options: object) -> requests.Response:
            return requests.request(method, api.url + path, timeout=30, **options)

        yield ask


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", "Basic s3cret", "s3cret"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/v1/models"), ("POST", "/api/v1/predict"), ("GET", "/v2/models/cnn")],
)
def test_without_the_token_api_and_v2_answer_401(guarded, method, path, given):
    headers = {} if given is None else {"Authorization": given}
    response = guarded(method, path, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_token_opens_the_rest_and_probes_and_documentation_need_none(guarded, png):
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} s3cret"}
        assert guarded("POST", "/api/v1/predict", files={"file": png}, headers=headers).ok
    for path in ("/health", "/ready", "/metrics", "/docs", "/openapi.json"):
        assert guarded("GET", path).ok


@pytest.mark.parametrize("token", [" ", "\n\t ", "gehëim", "two\nlines", "a\tb", "\x00"])
def test_a_token_that_no_client_can_send_is_an_error(token):
    with pytest.raises(ValidationError, match="token"):
        ApiSettings(token=token)


def test_only_pages_of_the_named_origins_may_call_and_read_errors(guarded):
    asked = guarded("OPTIONS", "/api/v1/predict", headers=ORIGIN | PREFLIGHT)
    assert asked.status_code == 200
    unauthorized = guarded("GET", "/api/v1/models", headers=ORIGIN)
    for response in (asked, unauthorized):
        assert response.headers["access-control-allow-origin"] == "https://app.example"
    other = {"Origin": "https://evil.example"}
    for response in (
        guarded("OPTIONS", "/api/v1/predict", headers=other | PREFLIGHT),
        guarded("GET", "/health", headers=other),
    ):
        assert "access-control-allow-origin" not in response.headers
