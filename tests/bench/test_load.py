"""The load generator: what it says when wrk cannot measure."""

import pytest

from bench.load import post_image
from errors import BenchError


def test_a_wrk_that_fails_says_why_and_what_to_do(tmp_path, monkeypatch):
    wrk = tmp_path / "wrk"
    wrk.write_text("#!/bin/sh\necho unable to connect >&2\nexit 1\n")
    wrk.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match=r"unable to connect.*check that http://nowhere/ answers"):
        post_image("http://nowhere/", b"", connections=1, seconds=1)
