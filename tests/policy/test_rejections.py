"""gateway/policy/rejections.py."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.headers import Fields
from gateway.policy.rejections import OTHER_CODES, TOKEN_CODES, speaks_of_token
from tests.policy.world import vectors_of

CASES = vectors_of("policy_rejections")
CODES = st.sampled_from(sorted(code.decode() for code in TOKEN_CODES | OTHER_CODES))


def fields_of(case: Mapping[str, Any]) -> Fields:
    names = {"Content-Type": "type", "WWW-Authenticate": "challenge"}
    return tuple((name.encode(), case[key].encode()) for name, key in names.items() if key in case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_only_a_401_that_a_new_token_mends_speaks_of_the_token(case: Mapping[str, Any]) -> None:
    body = case["body"] + " " * case.get("padding", 0) + case.get("rest", "")
    assert speaks_of_token(401, fields_of(case), body.encode()) is case["token"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("status", [200, 400, 403, 407])
def test_another_status_never_does(case: Mapping[str, Any], status: int) -> None:
    assert not speaks_of_token(status, fields_of(case), case["body"].encode())


@given(CODES, st.lists(CODES, max_size=3), st.sampled_from([None, 2]))
def test_codes_count_wherever_they_stand_and_however_the_json_is_written(
    top: str, nested: list[str], indent: int | None
) -> None:
    body = json.dumps(
        {"errorCode": top, "errors": [{"message": "x", "errorCode": code} for code in nested]},
        indent=indent,
    )
    codes = {code.encode() for code in (top, *nested)}
    spoken = speaks_of_token(401, ((b"Content-Type", b"application/json"),), body.encode())
    assert spoken is (not codes & OTHER_CODES)


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_any_body_is_judged(body: bytes, value: bytes) -> None:
    fields = ((b"Content-Type", value), (b"WWW-Authenticate", value))
    assert speaks_of_token(401, fields, body) in (True, False)
