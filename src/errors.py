"""The exceptions of this project: one small tree, each message telling the user what to do next."""


class DigitsError(Exception):
    """Base of every error that this project raises on purpose."""


class ImageError(DigitsError):
    """A picture cannot be read as a digit at all."""


class UnreadableImageError(ImageError):
    """The bytes are no picture of an accepted format."""


class DamagedImageError(UnreadableImageError):
    """The picture is truncated or otherwise damaged."""


class ImageTooLargeError(ImageError):
    """The picture has more bytes or pixels than the limits allow."""


class BlankImageError(ImageError):
    """The picture holds no ink, or so little that there is nothing to read."""


class DataError(DigitsError):
    """Data cannot be had, or a file of it is damaged."""


class StrokeFileError(DataError):
    """A line of a file of stroke recordings is not in the documented form."""


class ModelFileError(DigitsError):
    """A model file or its card is missing, truncated, or does not fit the other."""


class ExamplesError(DigitsError):
    """A person's examples are too many, not in the documented form, or show no image."""

    def __init__(self, message: str, entry: int | None = None) -> None:
        super().__init__(message)
        self.entry = entry  # the index of the bad one, from 0, if one is bad


class BenchError(DigitsError):
    """Speed cannot be measured: a tool is missing, a service does not start, requests fail."""


class ApiError(DigitsError):
    """The API did not give an answer: it cannot be reached, is too slow, or reported an error."""

    def __init__(self, message: str, cause: str = "failed", problem: str | None = None) -> None:
        super().__init__(message)
        # "unreachable", "slow", "busy", "refused" (the request cannot be answered as it is),
        # "missing" (no such model, study or figure) or "failed" (anything else)
        self.cause = cause
        self.problem = problem  # the stable name of the problem that the API reported, if any
