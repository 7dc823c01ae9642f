"""The HTTP client of the API: all that the page knows of it."""

import json
from collections.abc import Sequence
from typing import Any, TypedDict
from urllib.parse import quote

import numpy as np
import requests

from errors import ApiError

MAX_BATCH_FILES = 64


class Example(TypedDict):
    """A labelled digit of one person, from which a model learns the person's hand."""

    label: int  # 0-9
    image: str  # a data URL, most often the `image` of an answer


class DigitsClient:
    """Calls the API over one HTTP session, with a time-out on every call.

    Every method raises `ApiError`, whose message says what to do and whose `cause` says what kind
    of failure it was.
    """

    def __init__(
        self,
        base_url: str,
        connect_seconds: float = 1.0,
        answer_seconds: float = 5.0,
        explain_seconds: float = 30.0,
        token: str = "",
    ) -> None:
        """Send nothing yet.

        Args:
            base_url: where the API is, for example `http://localhost:8000`.
            connect_seconds: how long to wait for a connection.
            answer_seconds: how long to wait for an answer.
            explain_seconds: the same for explanations and batches, which take longer.
            token: sent as `Authorization: Bearer`, if any.
        """
        self.base_url = base_url.rstrip("/")
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._explain_seconds = explain_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a netrc of this machine
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def models(self) -> dict[str, Any]:
        """The models that the API serves: `{"default": name, "models": [{"name": ...}, ...]}`."""
        return self._json("/api/v1/models")

    def model(self, name: str) -> dict[str, Any]:
        """The card of one model."""
        return self._json(f"/api/v1/models/{_segment(name)}")

    def model_figure(self, name: str, figure: str) -> bytes:
        """One picture of a model's card, such as "confusion-matrix", as PNG."""
        path = f"/api/v1/models/{_segment(name)}/figures/{_segment(figure)}"
        return self._call(path).content

    def predict(
        self, image: bytes, model: str | None = None, examples: Sequence[Example] = ()
    ) -> dict[str, Any]:
        """Read the digit in a picture of any size; the answer is that of `/api/v1/predict`.

        Args:
            image: the bytes of its file.
            model: its name; the API's default if absent.
            examples: digits of the same person, which the model learns before it answers.
        """
        return self._predict("/api/v1/predict", [image], examples, model=model)

    def number(
        self, image: bytes, model: str | None = None, examples: Sequence[Example] = ()
    ) -> dict[str, Any]:
        """Read the number in a picture; the answer is that of `/api/v1/predict/number`.

        The arguments are those of `predict`.
        """
        return self._predict("/api/v1/predict/number", [image], examples, model=model)

    def predict_batch(
        self, images: Sequence[bytes], model: str | None = None, examples: Sequence[Example] = ()
    ) -> list[dict[str, Any]]:
        """What `predict` answers for each picture, or its problem; sent by 64 pictures."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(images), MAX_BATCH_FILES):
            batch = images[start : start + MAX_BATCH_FILES]
            results += self._predict(
                "/api/v1/predict/batch", batch, examples, self._explain_seconds, model=model
            )["results"]
        return results

    def explain(
        self,
        image: bytes,
        model: str | None = None,
        target: int | None = None,
        examples: Sequence[Example] = (),
    ) -> dict[str, Any]:
        """Where the model looked in a picture; the answer is that of `/api/v1/explain`.

        Args:
            target: the digit to explain; the one that was read if absent.
            image, model, examples: as for `predict`.
        """
        options = {"model": model, "target": target}
        return self._predict("/api/v1/explain", [image], examples, self._explain_seconds, **options)

    def infer(self, images: np.ndarray, model: str) -> tuple[np.ndarray, np.ndarray]:
        """Read pixels as they are, by the Open Inference Protocol.

        Args:
            images: (N, 28, 28), float in [0, 1], ink 1 on background 0.
            model: its name.

        Returns:
            The probabilities, (N, 10), and whether each is a digit, (N,) bool.
        """
        tensor = {
            "name": "image",
            "datatype": "FP32",
            "shape": [len(images), 1, 28, 28],
            "data": images.ravel().round(4).tolist(),
        }
        path = f"/v2/models/{_segment(model)}/infer"
        answer = self._json(path, {"json": {"inputs": [tensor]}})
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        probabilities = np.array(outputs["probabilities"], dtype=float)
        return probabilities.reshape(-1, 10), np.array(outputs["is_digit"], dtype=bool)

    def study(self) -> dict[str, Any]:
        """The results of the study."""
        return self._json("/api/v1/study")

    def study_figure(self, figure: str) -> bytes:
        """One figure of the study, as PNG."""
        return self._call(f"/api/v1/study/{_segment(figure)}").content

    def _predict(
        self,
        path: str,
        images: Sequence[bytes],
        examples: Sequence[Example],
        seconds: float | None = None,
        **options: str | int | None,
    ) -> dict[str, Any]:
        field = "files" if path.endswith("/batch") else "file"
        request = {
            "params": options,  # requests leaves out what is None
            "files": [(field, ("drawing", image)) for image in images],
            "data": {"examples": json.dumps(examples)} if examples else None,
        }
        return self._json(path, request, seconds)

    def _json(
        self, path: str, request: dict[str, Any] | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        answer = _json_object(self._call(path, request, seconds))
        if answer is None:
            raise ApiError(
                f"What answers at {self.base_url} is not the API. "
                "Set API_URL to where the API runs."
            )
        return answer

    def _call(
        self, path: str, request: dict[str, Any] | None = None, seconds: float | None = None
    ) -> requests.Response:
        """The answer to a GET, or to the POST that `requests` makes of `request`."""
        seconds = seconds or self._answer_seconds
        method, url = "POST" if request else "GET", self.base_url + path
        timeout = (self._connect_seconds, seconds)
        try:
            response = self._session.request(method, url, timeout=timeout, **(request or {}))
        except requests.ReadTimeout as error:
            raise ApiError(
                f"The API at {self.base_url} took longer than {seconds:g} s. Try again.", "slow"
            ) from error
        except requests.RequestException as error:
            raise ApiError(
                f"The API at {self.base_url} cannot be reached. "
                "Start it with: bash run.sh api (or set API_URL to where it runs).",
                "unreachable",
            ) from error
        if not response.ok:
            raise _problem(response)
        return response


def _segment(name: str) -> str:
    """A name as one segment of a URL's path."""
    return quote(name, safe="")


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object that a response holds, if it holds one."""
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _problem(response: requests.Response) -> ApiError:
    """The error that an answer other than 2xx stands for (RFC 9457 where the API wrote it)."""
    problem = _json_object(response) or {}
    other = "refused" if response.status_code < 500 else "failed"
    causes = {404: "missing", 502: "busy", 503: "busy", 504: "slow"}  # 502, 504: of a proxy
    cause = causes.get(response.status_code, other)
    if problem.get("code") == "numbers-unavailable":  # asking again does not help
        cause = "refused"
    detail = problem.get("detail") or problem.get("error")
    if not isinstance(detail, str):
        detail = f"The API answered with status {response.status_code}."
    return ApiError(detail, cause, problem.get("code"))
