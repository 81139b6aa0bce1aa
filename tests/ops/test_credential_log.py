"""Lines about credentials."""

import io

import orjson

from gateway.ops.credential_log import CredentialLog
from gateway.ops.log_output import open_log


def test_a_change_and_a_trouble_are_one_line_each() -> None:
    stream = io.BytesIO()
    log = CredentialLog(open_log("info", "json", stream))
    log.token_changed("ours", 2)
    log.token_unreadable("ours", "file /t does not exist")
    changed, trouble = map(orjson.loads, stream.getvalue().splitlines())
    assert (changed["event"], changed["level"]) == ("token changed", "info")
    assert (changed["credential"], changed["generation"]) == ("ours", 2)
    assert (trouble["event"], trouble["level"]) == ("token unreadable", "warning")
    assert (trouble["credential"], trouble["reason"]) == ("ours", "file /t does not exist")
