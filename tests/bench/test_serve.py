"""The services that the benchmark compares answer, and each has one torch thread per worker."""

import psutil
import pytest
import requests
from tests.support.services import resident_megabytes

from bench.serve import IMAGE, PREDICT, SERVICES, start, table


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_reads_the_image_with_one_thread(service):
    with start(service, workers=1) as running:
        with IMAGE.open("rb") as file:
            response = requests.post(running.url + PREDICT, files={"file": file}, timeout=60)
        process = psutil.Process(running.process.pid)
        assert response.json()["prediction"] == 7
        assert process.environ()["OMP_NUM_THREADS"] == "1"
        assert resident_megabytes(process.pid) >= process.memory_info().rss / 1e6 > 50


def test_the_table_has_a_row_for_each_measurement():
    row = {
        "service": "plain",
        "workers": 2,
        "per_second": 612.4,
        "p50": 10.21,
        "p99": 31.7,
        "failed": 0,
        "start_seconds": 1.3,
        "memory_mb": 618.2,
    }
    cells = [cell.strip() for cell in table([row], 10).splitlines()[2].split("|")]
    assert cells[2:-1] == ["2", "612", "10.2", "31.7", "1.3", "618"]
