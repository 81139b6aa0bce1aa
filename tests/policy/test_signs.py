"""gateway/policy/signs.py."""

import pytest

from gateway.core.framing import NO_BODY
from gateway.core.headers import Fields
from gateway.policy.signs import Heard, is_signed, turns_away
from tests.replies import reply_head

JSON = ((b"Content-Type", b"application/json;charset=UTF-8"),)
CLASSIC = b'{"errorCode":"CMN-102","message":"No"}'
DIGITAL = b'{"error": "not_found", "message": "No", "status": 404}'


def heard(status: int, fields: Fields = JSON, start: bytes = b"") -> Heard:
    return Heard(reply_head(status, b"", b"HTTP/1.1", fields, NO_BODY), start)


@pytest.mark.parametrize("name", [b"RCRequestId", b"rcrequestid", b"RoutingKey"])
def test_a_field_of_its_own_is_a_sign_of_the_vendor(name: bytes) -> None:
    assert is_signed(heard(403, ((name, b"x"),)), "platform")


@pytest.mark.parametrize(
    ("status", "start", "upstreams"),
    [
        (404, CLASSIC, "platform media ringcx engage_legacy"),
        (404, b'{"errors":[{"errorCode" : "A", "message" : "B"}]}', "platform media"),
        (403, b'{"errorCode":"access.denied","generalMessage":"No"}', "ringcx engage_legacy"),
        (404, b'{"generalMessage":"No","requestUri":"/x - PUT"}', "ringcx engage_legacy"),
        (404, DIGITAL, "engage_digital"),
        (200, b'{"uri":"x","apiVersions":[]}', "platform media"),
    ],
)
def test_the_members_of_an_answer_are_a_sign_of_the_service_that_has_them(
    status: int, start: bytes, upstreams: str
) -> None:
    for upstream in upstreams.split():
        assert is_signed(heard(status, JSON, start), upstream)
        assert not is_signed(heard(status, (), start), upstream)


@pytest.mark.parametrize(
    ("status", "start"),
    [
        (403, b'{"error":"blocked by policy"}'),
        (403, b'{"message":"errorCode"}'),
        (404, b""),
        (200, CLASSIC),
        (404, DIGITAL),
    ],
)
def test_other_json_is_no_sign(status: int, start: bytes) -> None:
    assert not is_signed(heard(status, JSON, start), "platform")


@pytest.mark.parametrize("status", [403, 407, 451, 500, 503])
def test_middleboxes_turn_away_with_few_statuses(status: int) -> None:
    assert turns_away(status)
    assert not any(map(turns_away, (200, 302, 400, 401, 404, 405, 429)))
