"""The HTTP client of the API: all that the page knows of it."""

import json
from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import requests

from errors import ApiError

MAX_BATCH_FILES = 64
# What an error of the API, or of a proxy before it, means for the page, by status
CAUSES = {404: "missing", 502: "busy", 503: "busy", 504: "slow"}
Answer = dict[str, Any]


class Example(TypedDict):
    """A labelled digit of one person, from which a model learns the person's handwriting."""

    label: int  # 0-9
    image: str  # a data URL, most often the `image` of an answer


class DigitsClient:
    """Calls the API over one HTTP session, with a time-out on every call.

    Every method raises `ApiError`. Its message says what to do, its `cause` what kind of failure
    it was.
    """

    def __init__(
        self,
        base_url: str,
        token: str = "",
        connect_seconds: float = 1.0,
        answer_seconds: float = 5.0,
        explain_seconds: float = 30.0,
    ) -> None:
        """Send nothing yet. Explanations and batches take longer than other answers."""
        self.base_url = base_url.rstrip("/")
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._explain_seconds = explain_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a netrc of this machine
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def models(self) -> Answer:
        """The models that the API serves: `{"default": name, "models": [{"name": ...}, ...]}`."""
        return self._call("GET", "/api/v1/models").json()

    def model(self, name: str) -> Answer:
        """The card of one model."""
        return self._call("GET", f"/api/v1/models/{name}").json()

    def study(self) -> Answer:
        """The results of the study."""
        return self._call("GET", "/api/v1/study").json()

    def figure(self, name: str, model: str | None = None) -> bytes:
        """A figure of a model's card, or of the study if no model is named; as PNG."""
        path = f"models/{model}/figures" if model else "study"
        return self._call("GET", f"/api/v1/{path}/{name}").content

    def predict(
        self,
        image: bytes,
        model: str | None = None,
        examples: Sequence[Example] = (),
        endpoint: str = "predict",
    ) -> Answer:
        """Read a picture of any size.

        Args:
            image: the bytes of its file.
            model: its name; the API's default if absent.
            examples: digits of the same person, which the model learns before it answers.
            endpoint: "predict" for a digit, "predict/number", or "explain" for the pixels that
                spoke for a digit. The answer is that of this endpoint.
        """
        return self._upload(endpoint, [image], model, examples)

    def predict_batch(
        self, images: Sequence[bytes], model: str | None = None, examples: Sequence[Example] = ()
    ) -> list[Answer]:
        """What `predict` answers for each picture, or its problem; sent 64 pictures at a time."""
        batches = [images[i : i + MAX_BATCH_FILES] for i in range(0, len(images), MAX_BATCH_FILES)]
        answers = [self._upload("predict/batch", batch, model, examples) for batch in batches]
        return [result for answer in answers for result in answer["results"]]

    def infer(self, pixels: np.ndarray, model: str) -> Answer:
        """Read pixels as they are, without preprocessing, by the Open Inference Protocol.

        Args:
            pixels: (28, 28), float in [0, 1], foreground 1 on background 0.
            model: its name.

        Returns:
            "prediction", "confidence" and "is_digit", as in an answer of `predict`.
        """
        data = pixels.ravel().round(4).tolist()
        tensor = {"name": "image", "datatype": "FP32", "shape": [1, 1, 28, 28], "data": data}
        path = f"/v2/models/{model}/infer"
        answer = self._call("POST", path, json={"inputs": [tensor]}).json()
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        shares, [digit] = outputs["probabilities"], outputs["is_digit"]
        return {"prediction": int(np.argmax(shares)), "confidence": max(shares), "is_digit": digit}

    def _upload(
        self, path: str, images: Sequence[bytes], model: str | None, examples: Sequence[Example]
    ) -> Answer:
        """Send pictures as a form, with the model and the examples where there are any."""
        slow = path in ("explain", "predict/batch")
        field = "files" if path == "predict/batch" else "file"
        return self._call(
            "POST",
            f"/api/v1/{path}",
            self._explain_seconds if slow else self._answer_seconds,
            params={"model": model},  # requests leaves out what is None
            files=[(field, ("drawing", image)) for image in images],
            data={"examples": json.dumps(examples)} if examples else None,
        ).json()

    def _call(
        self, method: str, path: str, seconds: float | None = None, **request: object
    ) -> requests.Response:
        """Send a request, whose further parts are those of `requests`; give its answer."""
        timeout = self._connect_seconds, seconds or self._answer_seconds
        try:
            url = self.base_url + path
            response = self._session.request(method, url, timeout=timeout, **request)  # type: ignore[arg-type]
        except requests.ReadTimeout as error:
            raise ApiError(
                f"The API at {self.base_url} took longer than {timeout[1]:g} s. Try again.", "slow"
            ) from error
        except requests.RequestException as error:
            raise ApiError(
                f"The API at {self.base_url} cannot be reached. "
                "Start it with: bash run.sh api (or set API_URL to where it runs).",
                "unreachable",
            ) from error
        kind, status = response.headers.get("Content-Type", ""), response.status_code
        if response.ok and ("json" in kind or kind == "image/png"):
            return response
        try:
            problem = dict(response.json())
        except (ValueError, TypeError):  # what answers is a proxy, or no API
            problem = {}
        cause = CAUSES.get(status, "refused" if 400 <= status < 500 else "failed")
        if problem.get("code") == "numbers-unavailable":  # asking again does not help
            cause = "refused"
        other = (
            f"What answers at {self.base_url}, with status {status}, is not the API. "
            "Set API_URL to where the API runs."
        )
        raise ApiError(problem.get("detail", other), cause, problem.get("code"))
