import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.tokens import check_token


def _check(*values: bytes, query: str = "") -> None:
    headers = tuple((b"authorization", value) for value in values)
    check_token(parse_wire(Wire("GET", f"/restapi{query}", headers), "http://own"), "good")


@pytest.mark.parametrize("value", [b"Bearer good", b"bearer good", b"BEARER  good "])
def test_the_token_is_accepted_with_its_scheme_in_any_case(value: bytes) -> None:
    _check(value)


def test_the_query_may_carry_the_token() -> None:
    _check(query="?a=b&access_token=good")


def test_the_header_wins_over_the_query() -> None:
    with pytest.raises(Fault, match="TokenInvalid"):
        _check(b"Bearer bad", query="?access_token=good")


def test_no_credential_is_challenged_with_basic() -> None:
    with pytest.raises(Fault) as caught:
        _check(query="?a=b")
    assert (caught.value.status, caught.value.code) == (401, "AGW-401")
    assert caught.value.headers["WWW-Authenticate"] == 'Basic realm="RingCentral REST API"'


@pytest.mark.parametrize("values", [(b"Bearer bad",), (b"Bearer b\xe4d",), (b"Bearer goo",)])
def test_an_unknown_token_has_two_codes(values: tuple[bytes, ...]) -> None:
    with pytest.raises(Fault) as caught:
        _check(*values)
    assert (caught.value.code, caught.value.inner_code) == ("TokenInvalid", "OAU-149")
    assert 'error="invalid_token"' in caught.value.headers["WWW-Authenticate"]


def test_a_query_token_that_is_no_text_is_unknown() -> None:
    with pytest.raises(Fault, match="TokenInvalid"):
        _check(query="?access_token=\udcff")


@pytest.mark.parametrize(
    "values",
    [(b"Basic Zm9v",), (b"Bearer",), (b"Bearer  ",), (b"Bearer good", b"Bearer good"), (b"",)],
)
def test_a_header_that_is_not_one_bearer_value_is_malformed(values: tuple[bytes, ...]) -> None:
    with pytest.raises(Fault) as caught:
        _check(*values)
    assert caught.value.code == "AGW-402"
    assert 'error="invalid_request"' in caught.value.headers["WWW-Authenticate"]
