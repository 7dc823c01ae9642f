"""What is written about the API is so: the pages' examples, OpenAPI, /docs."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from model.config import REPOSITORY

ADDRESS = "http://localhost:8000"
SEVEN = REPOSITORY / "data" / "digits" / "7.png"


def run(*command: str) -> str:
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# --- The examples of the pages --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "command", "expected"),
    [
        ("bash", ("bash", "-c"), r'.*"prediction":7,'),
        ("python", (sys.executable, "-c"), r"7 (0\.\d+|1\.0) True"),
        ("javascript", ("node", "--input-type=module", "-e"), r"7 [01](\.\d+)? true"),
    ],
)
def test_the_examples_of_the_pages_read_a_7(api_url, language, command, expected):
    for tool in ("curl", command[0]):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}: install it, on Debian with apt-get install {tool}")
    text = "\n".join(page.read_text() for page in REPOSITORY.glob("src/app/**/*.md"))
    blocks = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    (block,) = [block for block in blocks if f"{ADDRESS}/api/v1/predict" in block]
    assert re.match(expected, run(*command, block.replace(ADDRESS, api_url)))


# --- OpenAPI --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def openapi(api_url) -> dict:
    return requests.get(f"{api_url}/openapi.json", timeout=30).json()


def operations(openapi: dict) -> Iterator[tuple[str, dict]]:
    """The path and the description of each operation."""
    for path, methods in openapi["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_every_operation_says_what_it_does_and_that_an_error_is_a_problem(openapi):
    for path, operation in operations(openapi):
        assert operation.get("description"), path
        for status, response in operation["responses"].items():
            if not status.startswith("2"):
                assert list(response["content"]) == ["application/problem+json"], (path, status)
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(openapi))):
        assert name in openapi["components"]["schemas"]


def test_the_token_is_a_scheme_of_what_asks_for_it_and_of_nothing_else(openapi):
    [(name, scheme)] = openapi["components"]["securitySchemes"].items()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, operation in operations(openapi):
        asks = [{name: []}] if path.startswith(("/api/", "/v2")) else None
        assert operation.get("security") == asks, path


def test_a_generated_client_has_every_operation_and_reads_a_7(
    api_url, openapi, tmp_path, monkeypatch
):
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(openapi))
    made = tmp_path / "generated_digits"
    generator = ("-m", "openapi_python_client", "generate", "--meta", "none")
    paths = ("--path", str(description), "--output-path", str(made))
    run(sys.executable, *generator, *paths)

    generated = {path.stem for path in made.glob("api/*/*.py")} - {"__init__"}
    assert generated == {operation["operationId"] for _, operation in operations(openapi)}
    named = {"predict", "predict_batch", "predict_number", "explain", "activations", "infer"}
    assert named <= generated
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("generated_digits.api.predict.predict")
    package = importlib.import_module("generated_digits")
    file_type = importlib.import_module("generated_digits.types").File
    with SEVEN.open("rb") as file, package.Client(api_url) as client:
        answer = module.sync(client=client, body=file_type(file, mime_type="image/png"))
    assert (answer.prediction, answer.is_digit) == (7, True)


# --- /docs ----------------------------------------------------------------------------------------


def test_the_documentation_asks_no_other_host_and_its_form_reads_a_7(api_url, chromium):
    from playwright.sync_api import expect, sync_playwright

    foreign: list[str] = []

    def refuse_others(route):
        if route.request.url.startswith((api_url, "data:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", refuse_others)
        page.goto(f"{api_url}/docs")
        expect(page.get_by_role("button", name="Authorize")).to_be_visible(timeout=30_000)
        operation = page.locator(".opblock").filter(
            has=page.locator('[data-path="/api/v1/predict"]')
        )
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        operation.locator("input[type=file]").set_input_files(SEVEN)
        operation.get_by_role("button", name="Execute").click()
        answer = operation.locator(".live-responses-table")
        expect(answer).to_contain_text('"prediction": 7', timeout=30_000)
        browser.close()
    assert foreign == []
