"""What Prometheus is told. With several workers, PROMETHEUS_MULTIPROC_DIR joins their numbers."""

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
disable_created_metrics()  # a second series for each of ours, which nobody reads

REQUESTS = Counter("digits_requests", "Requests answered.", ["method", "path", "status"])
SECONDS = Histogram(
    "digits_request_seconds",
    "Seconds from the request's head to the end of the answer.",
    ["path"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
PREDICTIONS = Counter("digits_predictions", "Pictures taken for a digit.", ["model", "digit"])
CONFIDENCE = Histogram(
    "digits_confidence",
    "Calibrated probability of the likeliest digit.",
    ["model"],
    buckets=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1),
)
REFUSALS = Counter("digits_refusals", "Pictures not taken for a digit.", ["model", "reason"])
NUMBERS = Counter(
    "digits_numbers",
    "Pictures asked for their number, by the reason why they hold none; empty where they do.",
    ["model", "reason"],
)
PROBLEMS = Counter("digits_problems", "Requests answered with a problem.", ["type"])


QUEUE = Gauge(
    "digits_queue_length",
    "Requests whose work waits or is done.",
    ["queue"],
    multiprocess_mode="livesum",
)
IN_FLIGHT = Gauge(
    "digits_requests_in_flight", "Requests not answered yet.", multiprocess_mode="livesum"
)


def count_prediction(model: str, digit: int, confidence: float, reason: str | None) -> None:
    """Count what ``model`` read; ``reason`` says why a picture is not taken for a digit."""
    CONFIDENCE.labels(model).observe(confidence)
    if reason is None:
        PREDICTIONS.labels(model, digit).inc()
    else:
        REFUSALS.labels(model, reason).inc()


def exposition() -> bytes:
    """Return the metrics of all workers in Prometheus' text format."""
    if MULTIPROCESS_DIR not in os.environ:
        return generate_latest(REGISTRY)
    for gauges in Path(os.environ[MULTIPROCESS_DIR]).glob("gauge_live*.db"):
        if not _is_running(process := int(gauges.stem.rpartition("_")[2])):
            mark_process_dead(process)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # the number may be another user's by now
        return False
    return True
