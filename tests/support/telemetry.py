"""What a running API tells of itself: its metrics and its log."""

import json

import requests
from prometheus_client.parser import text_string_to_metric_families
from tests.support.services import Running


def metrics(url: str) -> dict[tuple[str, ...], float]:
    """The metrics of the API at `url`, by name and label values, the labels in order of name."""
    text = requests.get(f"{url}/metrics", timeout=30).text
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def log_lines(api: Running, request_id: str) -> list[dict]:
    """The JSON lines that the API has written so far of the request with that id."""
    lines = [json.loads(line) for line in api.printed().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request_id]
