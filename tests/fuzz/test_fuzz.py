import re

from tests.fuzz.__main__ import main


def test_many_bad_requests_give_no_server_error(capsys):
    main(["--count", "200"])
    printed = capsys.readouterr().out
    assert int(re.search(r"(\d+) requests", printed)[1]) >= 200
    statuses = {int(status) for status in re.findall(r"(\d{3}): \d", printed)}
    assert {200, 404, 415, 422} <= statuses and max(statuses) < 500
