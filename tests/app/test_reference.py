"""The API's reference, src/app/README.md, has every endpoint."""

import re

import requests

from model.config import REPOSITORY


def test_the_reference_has_every_endpoint(api_url):
    lines = (REPOSITORY / "src" / "app" / "README.md").read_text().splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("| `")]
    named = set(re.findall(r"(/[\w/{}]+)`", " ".join(cells)))
    described = requests.get(f"{api_url}/openapi.json", timeout=30).json()["paths"]
    assert named == {path for path in described if not path.startswith("/v2")}
