import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.tokens import find_token


def _find(*values: bytes, query: str = "") -> str:
    headers = tuple((b"authorization", value) for value in values)
    return find_token(parse_wire(Wire("GET", f"/restapi{query}", headers), "http://own"))


@pytest.mark.parametrize("value", [b"Bearer good", b"bearer good", b"BEARER  good "])
def test_the_token_is_found_with_its_scheme_in_any_case(value: bytes) -> None:
    assert _find(value) == "good"


def test_the_query_may_carry_the_token() -> None:
    assert _find(query="?a=b&access_token=good") == "good"


def test_the_header_wins_over_the_query() -> None:
    assert _find(b"Bearer other", query="?access_token=good") == "other"


def test_no_credential_is_challenged_with_basic() -> None:
    with pytest.raises(Fault) as caught:
        _find(query="?a=b")
    assert (caught.value.status, caught.value.code) == (401, "AGW-401")
    assert caught.value.headers["WWW-Authenticate"] == 'Basic realm="RingCentral REST API"'


@pytest.mark.parametrize(
    "values",
    [(b"Basic Zm9v",), (b"Bearer",), (b"Bearer  ",), (b"Bearer good", b"Bearer good"), (b"",)],
)
def test_a_header_that_is_not_one_bearer_value_is_malformed(values: tuple[bytes, ...]) -> None:
    with pytest.raises(Fault) as caught:
        _find(*values)
    assert caught.value.code == "AGW-402"
    assert 'error="invalid_request"' in caught.value.headers["WWW-Authenticate"]
