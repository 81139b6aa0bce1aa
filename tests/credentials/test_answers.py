import json

import pytest

from gateway.credentials.answers import judge, read_codes, read_object


def test_the_codes_of_an_error_are_told_but_no_text() -> None:
    body = json.dumps(
        {
            "error": "invalid_grant",
            "error_description": "token abc",
            "errors": [{"errorCode": "OAU-210", "message": "abc"}, "x", {"errorCode": "a b"}],
        }
    ).encode()
    failure = judge("https://x", 400, {}, body)
    assert str(failure) == "https://x answered 400 (invalid_grant, OAU-210)"
    assert failure.codes == read_codes(body) == ("invalid_grant", "OAU-210")
    assert str(judge("https://x", 400, {}, b"")) == "https://x answered 400"
    assert read_codes(b"nothing") == ()
    assert read_codes(b'{"error": ["x"], "errors": 1}') == ()


def test_an_answer_that_nests_too_deep_is_no_object() -> None:
    assert read_object(b"[" * 100_000) is None


@pytest.mark.parametrize(
    ("status", "fields", "body", "speaks"),
    [
        (401, {}, b'{"errorCode":"OAU-213"}', True),
        (401, {"Content-Type": "text/plain"}, b"Jwt is expired", True),
        (401, {"WWW-Authenticate": 'Bearer error="invalid_token"'}, b"", True),
        (401, {}, b'{"errorCode":"permission.denied","message":"not provisioned"}', False),
        (401, {"X-Odd": "\udcff"}, b"no", False),
        (400, {}, b'{"errorCode":"OAU-213"}', False),
    ],
)
def test_whether_an_answer_speaks_of_the_token_that_was_presented(
    status: int, fields: dict[str, str], body: bytes, speaks: bool
) -> None:
    assert judge("https://x", status, fields, body).speaks_of_token is speaks
