"""What a request's body holds: a picture as it is, or the fields of a form.

A form is taken apart where it lies, in one pass over its bytes: the parser that FastAPI brings
works through a body byte by byte in the event loop and writes files to disk.
"""

import re

from fastapi import Request
from starlette.requests import ClientDisconnect

from app.api.problems import MAX_FAULTS, ProblemError, invalid_body
from app.settings import MAX_BATCH_BYTES, MAX_BATCH_FILES

RAW_TYPES = ("image/", "application/octet-stream")
FORM_TYPE = "multipart/form-data"
EXAMPLES = "examples"  # the field with a person's labelled digits
MAX_PARTS = 1000  # of a form; beyond it what is no field of ours is no matter any more
MAX_HEADER_BYTES = 2000  # of a part: its name and that of the file, which answers may repeat
Field = tuple[str, bytes]  # its name and its content
_PARAMETER = r';\s*{}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))'
_BOUNDARY = re.compile(_PARAMETER.format("boundary"), re.IGNORECASE)
_NAME = re.compile(_PARAMETER.format("name"), re.IGNORECASE)


async def read_body(request: Request) -> bytes:
    """Return the whole body.

    Raises:
        ProblemError: "wrong-content-type", where it is compressed; "upload-too-slow" where the
            client has left; as ``BodyLimits`` says.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise ProblemError(
            "wrong-content-type",
            "Compressed requests are not accepted: send the body as it is.",
            {"Accept-Encoding": "identity"},
        )
    try:
        return await request.body()
    except ClientDisconnect:
        raise ProblemError("upload-too-slow", "The client has left.") from None


def read_fields(body: bytes, content_type: str, field: str) -> tuple[list[bytes], bytes | None]:
    """Return the content of each form field called ``field``, or the body if it is a picture;
    and the field ``examples``, if there is one.

    Args:
        body: of the request.
        content_type: the request's header, or "".
        field: the name that the pictures' fields must have; there is one ``file`` alone.

    Raises:
        ProblemError: "wrong-content-type"; "malformed-request"; "invalid-parameter" for a field
            of another name, or one too many; "no-file" where there is no picture;
            "too-many-files" and "batch-too-large" for the pictures of a batch.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith(RAW_TYPES):
        return [body], None
    missing = f"The request holds no file: put the picture into the form field '{field}'"
    if not body and not kind:
        raise ProblemError("no-file", f"{missing}.")
    if kind != FORM_TYPE:
        raise ProblemError("wrong-content-type", headers={"Accept": f"{FORM_TYPE}, image/*"})
    fields = parse_form(body, content_type)
    files = [content for name, content in fields if name == field]
    examples = [content for name, content in fields if name == EXAMPLES]
    faults = {
        name: f"There is no form field {name!r}; the picture goes into '{field}', options into "
        "the address: ?model=cnn"
        for name, _ in fields
        if name not in (field, EXAMPLES)
    }
    if not files:
        others = ", ".join(map(repr, [*faults][:MAX_FAULTS]))
        raise ProblemError("no-file", f"{missing}, not into {others}." if others else f"{missing}.")
    if field == "file" and len(files) > 1:
        faults[field] = "Send one file; batches have their own path."
    if len(examples) > 1:
        faults[EXAMPLES] = "Send one field 'examples': an array."
    if faults:
        raise invalid_body(faults)
    if len(files) > MAX_BATCH_FILES:
        raise ProblemError("too-many-files")
    if sum(map(len, files)) > MAX_BATCH_BYTES:  # the limit of the body has room for examples
        raise ProblemError("batch-too-large")
    return files, examples[0] if examples else None


def parse_form(body: bytes, content_type: str) -> list[Field]:
    """Take a multipart/form-data body apart (RFC 7578).

    Raises:
        ProblemError: "malformed-request": there is no boundary, the last one is missing, a part
            has no name or too long headers, or there are too many parts.
    """
    boundary = _parameter(_BOUNDARY, content_type)
    if not boundary or not boundary.isascii():
        raise ProblemError("malformed-request", "The form's content type names no boundary.")
    delimiter = b"\r\n--" + boundary.encode()
    _, *parts = (b"\r\n" + body).split(delimiter, MAX_PARTS + 1)
    if len(parts) > MAX_PARTS:
        raise ProblemError("malformed-request", f"The form has more than {MAX_PARTS} parts.")
    fields: list[Field] = []
    for part in parts:
        if part.startswith(b"--"):  # the closing one; what follows it is to be ignored
            return fields
        header, separator, content = part.partition(b"\r\n\r\n")
        if len(header) > MAX_HEADER_BYTES:
            raise ProblemError(
                "malformed-request", f"A part's headers have more than {MAX_HEADER_BYTES} bytes."
            )
        name = _field_name(header)
        if not separator or name is None:
            raise ProblemError("malformed-request", "A part of the form has no name.")
        fields.append((name, content))
    raise ProblemError("malformed-request", "The form is cut off: its last boundary is missing.")


def _field_name(header: bytes) -> str | None:
    """The name in the headers of a part."""
    for line in header.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            return _parameter(_NAME, value.decode(errors="replace"))
    return None


def _parameter(pattern: re.Pattern[str], header: str) -> str | None:
    """A parameter of a header's value, quoted or not."""
    match = pattern.search(header)
    return (match[1] or match[2]) if match else None
