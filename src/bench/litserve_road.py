"""The same model behind LitServe: ``python -m bench.litserve_road PORT WORKERS``."""

import sys
from typing import Any

import litserve
from fastapi import Request

from bench.roads import PlainReading


class DigitsApi(litserve.LitAPI):
    """Reads one uploaded picture, resized only."""

    def setup(self, device: str) -> None:
        """Load the model in a worker."""
        self.read = PlainReading()

    def decode_request(self, request: Request) -> bytes:
        """Return the bytes of the file; by its annotation LitServe parses the form first."""
        return request["file"].file.read()

    def predict(self, data: bytes) -> dict[str, Any]:
        """Read the picture."""
        return self.read(data)

    def encode_response(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Answer as it is."""
        return answer


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    server = litserve.LitServer(
        DigitsApi(api_path="/api/v1/predict"), accelerator="cpu", workers_per_device=workers
    )
    server.run(port=port, host="127.0.0.1", generate_client_file=False, log_level="warning")
