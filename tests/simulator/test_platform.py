import json

from gateway.simulator.answers import Answer
from gateway.simulator.oauth.sessions import Sessions
from gateway.simulator.pace import Pace
from gateway.simulator.platform import Platform
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.seeds import sow


def _ask(target: str, *values: bytes) -> Answer:
    headers = tuple((b"Authorization", value) for value in values)
    reading = parse_wire(Wire("GET", target, headers), "http://h")
    return Platform(sow(), Sessions("t", Pace()), Rates(Pace(60))).answer(reading, 0.0)


def test_an_open_path_needs_no_token_and_is_not_counted() -> None:
    answer = _ask("/restapi/v1.0")
    assert answer.status == 200
    assert "X-Rate-Limit-Group" not in dict(answer.headers)


def test_a_good_token_is_counted_at_the_pace_of_the_simulator() -> None:
    assert dict(_ask("/restapi/v1.0/account/~", b"Bearer t").headers)["X-Rate-Limit-Window"] == "1"


def test_a_refusal_after_a_good_token_has_its_rates() -> None:
    answer = _ask("/restapi/v1.0/account/1", b"Bearer t")
    assert (answer.status, json.loads(answer.body)["errorCode"]) == (404, "CMN-102")
    assert dict(answer.headers)["X-Rate-Limit-Remaining"]


def test_a_bad_token_is_not_counted() -> None:
    answer = _ask("/restapi/v1.0/account/~", b"Bearer x")
    assert json.loads(answer.body)["errorCode"] == "TokenInvalid"
    assert "X-Rate-Limit-Group" not in dict(answer.headers)
