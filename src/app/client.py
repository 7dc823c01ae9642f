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
        """Make the session; nothing is sent yet.

        Args:
            base_url: where the API is, for example `http://localhost:8000`.
            connect_seconds: how long to wait for a connection.
            answer_seconds: how long to wait for an answer.
            explain_seconds: the same for explanations, which take longer.
            token: sent as `Authorization: Bearer`, if any.
        """
        self.base_url = base_url.rstrip("/")
        self._timeout = (connect_seconds, answer_seconds)
        self._explain_timeout = (connect_seconds, explain_seconds)
        self._session = requests.Session()
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def ready(self) -> bool:
        """Whether the API is up and its default model answers; never raises."""
        try:
            self._get("/ready")
        except ApiError:
            return False
        return True

    def models(self) -> dict[str, Any]:
        """The models that the API serves: `{"default": name, "models": [{"name": ...}, ...]}`."""
        return self._get_json("/api/v1/models")

    def model(self, name: str) -> dict[str, Any]:
        """The card of one model."""
        return self._get_json(f"/api/v1/models/{_segment(name)}")

    def model_figure(self, name: str, figure: str) -> bytes:
        """One picture of a model's card, such as "confusion-matrix", as PNG."""
        return self._get(f"/api/v1/models/{_segment(name)}/figures/{_segment(figure)}").content

    def predict(
        self, picture: bytes, model: str | None = None, examples: Sequence[Example] = ()
    ) -> dict[str, Any]:
        """Read the digit in a picture of any size; the answer is that of `/api/v1/predict`.

        Args:
            picture: of any size.
            model: its name; the API's default if absent.
            examples: digits of the same person, which the model learns before it answers.
        """
        return self._post_pictures(
            "/api/v1/predict", [("file", picture)], self._timeout, examples, model=model
        )

    def number(
        self, picture: bytes, model: str | None = None, examples: Sequence[Example] = ()
    ) -> dict[str, Any]:
        """Read the number in a picture; the answer is that of `/api/v1/predict/number`.

        The arguments are those of `predict`.
        """
        return self._post_pictures(
            "/api/v1/predict/number", [("file", picture)], self._timeout, examples, model=model
        )

    def predict_batch(
        self, pictures: Sequence[bytes], model: str | None = None, examples: Sequence[Example] = ()
    ) -> list[dict[str, Any]]:
        """What `predict` answers for each picture, or its problem; sent by 64 pictures."""
        results: list[dict[str, Any]] = []
        for start in range(0, len(pictures), MAX_BATCH_FILES):
            files = [("files", picture) for picture in pictures[start : start + MAX_BATCH_FILES]]
            results += self._post_pictures(
                "/api/v1/predict/batch", files, self._explain_timeout, examples, model=model
            )["results"]
        return results

    def explain(
        self,
        picture: bytes,
        model: str | None = None,
        target: int | None = None,
        examples: Sequence[Example] = (),
    ) -> dict[str, Any]:
        """Where the model looked in a picture; the answer is that of `/api/v1/explain`.

        Args:
            picture: of any size.
            model: its name; the API's default if absent.
            target: the digit to explain; the one that was read if absent.
            examples: as for `predict`.
        """
        return self._post_pictures(
            "/api/v1/explain",
            [("file", picture)],
            self._explain_timeout,
            examples,
            model=model,
            target=target,
        )

    def infer(self, images: np.ndarray, model: str) -> tuple[np.ndarray, np.ndarray]:
        """Read pixels as they are, by the Open Inference Protocol.

        Args:
            images: (N, 28, 28), float in [0, 1], ink 1 on background 0.
            model: the model's name.

        Returns:
            The probabilities, (N, 10), and whether each is a digit, (N,) bool.
        """
        pixels = images.astype(np.float32).reshape(-1, 1, 28, 28)
        tensor = {
            "name": "image",
            "datatype": "FP32",
            "shape": list(pixels.shape),
            "data": pixels.ravel().round(4).tolist(),
        }
        answer = self._json(
            self._call(
                "POST",
                f"/v2/models/{_segment(model)}/infer",
                self._timeout,
                json={"inputs": [tensor]},
            )
        )
        outputs = {output["name"]: output for output in answer["outputs"]}
        probabilities = np.array(outputs["probabilities"]["data"], dtype=float)
        is_digit = np.array(outputs["is_digit"]["data"], dtype=bool)
        return probabilities.reshape(-1, 10), is_digit.reshape(-1)

    def study(self) -> dict[str, Any]:
        """The results of the study."""
        return self._get_json("/api/v1/study")

    def study_figure(self, figure: str) -> bytes:
        """One figure of the study, as PNG."""
        return self._get(f"/api/v1/study/{_segment(figure)}").content

    def _get(self, path: str) -> requests.Response:
        return self._call("GET", path, self._timeout)

    def _get_json(self, path: str) -> dict[str, Any]:
        return self._json(self._get(path))

    def _json(self, response: requests.Response) -> dict[str, Any]:
        try:
            answer = response.json()
        except requests.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise ApiError(
                f"What answers at {self.base_url} is not the API. "
                "Set API_URL to where the API runs."
            )
        return answer

    def _post_pictures(
        self,
        path: str,
        pictures: list[tuple[str, bytes]],
        timeout: tuple[float, float],
        examples: Sequence[Example],
        **options: str | int | None,
    ) -> dict[str, Any]:
        response = self._call(
            "POST",
            path,
            timeout,
            params=options,  # requests leaves out what is None
            files=[(field, ("drawing", picture)) for field, picture in pictures],
            data={"examples": json.dumps(examples)} if examples else None,
        )
        return self._json(response)

    def _call(
        self,
        method: str,
        path: str,
        timeout: tuple[float, float],
        params: dict[str, str | int | None] | None = None,
        files: list[tuple[str, tuple[str, bytes]]] | None = None,
        data: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
    ) -> requests.Response:
        url = self.base_url + path
        try:
            response = self._session.request(
                method, url, timeout=timeout, params=params, files=files, data=data, json=json
            )
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
        if response.ok:
            return response
        raise _problem(response)


def _segment(name: str) -> str:
    """A name as one segment of a URL's path."""
    return quote(name, safe="")


def _problem(response: requests.Response) -> ApiError:
    """The error that an answer other than 2xx stands for (RFC 9457 where the API wrote it)."""
    try:
        problem = response.json()
    except requests.JSONDecodeError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    cause = {404: "missing", 503: "busy"}.get(response.status_code)
    if cause is None:
        cause = "refused" if response.status_code < 500 else "failed"
    detail = problem.get("detail") or problem.get("error")
    if not isinstance(detail, str):
        detail = f"The API answered with status {response.status_code}."
    return ApiError(detail, cause, problem.get("code"))
