"""What is written about the API is so: the README's examples, OpenAPI, /docs."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest
import requests

from app.api.problems import PROBLEMS
from model.config import REPOSITORY

README = REPOSITORY / "src" / "app" / "README.md"
ADDRESS = "http://localhost:8000"


@pytest.fixture
def example(api_url) -> Callable[[str], str]:
    """Gives the README's example of a prediction in a language, which asks the running API."""

    def find(language: str) -> str:
        blocks = re.findall(rf"```{language}\n(.*?)```", README.read_text(), flags=re.DOTALL)
        (block,) = [block for block in blocks if f"{ADDRESS}/api/v1/predict" in block]
        return block.replace(ADDRESS, api_url)

    return find


def run(*command: str) -> str:
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_curl_example_reads_a_7(example):
    if not shutil.which("curl"):
        pytest.skip("no curl: install it")
    assert '"prediction":7,' in run("bash", "-c", example("bash"))


def test_the_python_example_reads_a_7(example):
    assert re.match(r"7 (0\.\d+|1\.0) True", run(sys.executable, "-c", example("python")))


def test_the_javascript_example_reads_a_7(example, tmp_path):
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no Node.js: install it, on Debian with apt-get install nodejs")
    program = tmp_path / "example.mjs"
    program.write_text(example("javascript"))
    assert re.match(r"7 [01](\.\d+)? true", run(node, str(program)))


@pytest.fixture(scope="module")
def openapi(api) -> dict:
    return requests.get(f"{api.url}/openapi.json", timeout=30).json()


def test_every_operation_is_described_and_every_error_has_an_example(openapi):
    named = set()
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"
            for status, response in operation["responses"].items():
                assert response["description"], f"{method} {path} {status}"
                for kind, content in response.get("content", {}).items():
                    if status.startswith("2"):
                        continue
                    examples = content.get("examples", {})
                    assert examples or "example" in content, f"{method} {path} {status} {kind}"
                    named |= set(examples)
    general = {"method-not-allowed", "internal-error", "origin-not-allowed"}
    assert named == set(PROBLEMS) - general


def test_every_answer_in_json_has_an_example(openapi):
    for path, methods in openapi["paths"].items():
        for operation in methods.values():
            content = operation["responses"]["200"].get("content", {})
            if "application/json" in content:
                assert has_example(content["application/json"], openapi), path


def has_example(content: dict, openapi: dict) -> bool:
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    schema = openapi["components"]["schemas"].get(name, content["schema"])
    fields = schema.get("properties", {})
    every_field = fields and all("examples" in field for field in fields.values())
    return "example" in content or "example" in schema or bool(every_field)


def test_the_documentation_asks_no_other_host(api, chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        foreign: list[str] = []

        def refuse_others(route):
            if route.request.url.startswith((api.url, "data:")):
                route.continue_()
            else:
                foreign.append(route.request.url)
                route.abort()

        page.route("**/*", refuse_others)
        page.goto(f"{api.url}/docs")
        page.get_by_text("/api/v1/predict/batch").first.wait_for()
        browser.close()
    assert foreign == []
