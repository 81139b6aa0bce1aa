import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.reading import RawPairs, Reading, Wire, parse_wire


def _read(method: str, target: str = "/restapi", headers: RawPairs = ()) -> Reading:
    return parse_wire(Wire(method, target, headers), "http://own:1")


def _override(*values: bytes) -> RawPairs:
    return tuple((b"x-http-method-OVERRIDE", value) for value in values)


@pytest.mark.parametrize("value", [b"DELETE", b"delete", b" Delete "])
def test_a_header_tunnels_a_post(value: bytes) -> None:
    assert _read("POST", headers=_override(value)).method == "DELETE"


@pytest.mark.parametrize("name", ["_method", "%5Fmethod", "%5fm%65thod"])
def test_the_query_tunnels_a_post_however_its_name_is_spelled(name: str) -> None:
    assert _read("POST", f"/restapi?{name}=PATCH&a=1").method == "PATCH"


def test_equal_overrides_on_both_channels_are_one() -> None:
    assert _read("POST", "/restapi?_method=put", _override(b"PUT", b"PUT")).method == "PUT"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/restapi?_method=PUT", _override(b"DELETE")),
        ("/restapi?_method=PUT&_method=DELETE", ()),
        ("/restapi", _override(b"PUT", b"DELETE")),
    ],
)
def test_conflicting_overrides_are_refused(target: str, headers: RawPairs) -> None:
    with pytest.raises(Fault, match="at once") as caught:
        _read("POST", target, headers)
    assert (caught.value.status, caught.value.parameter) == (400, "_method")


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("POST", b"GET"),
        ("POST", b"PUT, PUT"),
        ("GET", b"DELETE"),
        ("DELETE", b"PUT"),
        ("PUT", b"POST"),
    ],
)
def test_an_override_that_may_not_act_is_refused(method: str, value: bytes) -> None:
    with pytest.raises(Fault, match="cannot act as"):
        _read(method, headers=_override(value))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_override_equal_to_the_method_is_nothing(method: str) -> None:
    assert _read(method, f"/restapi?_method={method}").method == method


def test_an_empty_override_is_absent() -> None:
    assert _read("POST", "/restapi?_method=", _override(b"")).method == "POST"


def test_a_path_is_decoded_once_and_segment_by_segment() -> None:
    reading = _read("GET", "/a%2Fb/%257E/%7E//c+d/")
    assert reading.segments == ("a/b", "%7E", "~", "", "c+d", "")


def test_a_raw_plus_in_the_query_is_a_blank() -> None:
    reading = _read("GET", "/restapi?a=+1&a=%2B1&b")
    assert reading.query == (("a", " 1"), ("a", "+1"), ("b", ""))


def test_the_origin_is_the_host_the_request_names() -> None:
    assert _read("GET", headers=((b"host", b"h:8"),)).origin == "http://h:8"


@pytest.mark.parametrize("headers", [(), ((b"Host", b""),)])
def test_without_a_host_the_origin_is_the_simulators_own(headers: RawPairs) -> None:
    assert _read("GET", headers=headers).origin == "http://own:1"


def test_an_absolute_target_names_the_origin_itself() -> None:
    reading = _read("GET", "http://other:9/restapi/v1.0?a=b", ((b"Host", b"h"),))
    assert reading.origin == "http://other:9"
    assert reading.segments == ("restapi", "v1.0")
    assert reading.query == (("a", "b"),)


def test_an_address_inside_a_path_names_no_origin() -> None:
    reading = _read("GET", "/a/http://other/b")
    assert reading.origin == "http://own:1"
    assert reading.segments == ("a", "http:", "", "other", "b")


def test_an_asterisk_target_has_no_path() -> None:
    assert _read("OPTIONS", "*").segments == ()


def test_header_names_compare_in_any_letter_case() -> None:
    wire = Wire("GET", "/", ((b"RANGE", b"a"), (b"Other", b"b"), (b"range", b"c")))
    assert wire.fields("Range") == ["a", "c"]


@pytest.mark.parametrize("path", ["/voice/api/v1/x", "/api/v1/x", "/1.0/x"])
def test_engage_knows_no_override(path: str) -> None:
    headers = ((b"X-HTTP-Method-Override", b"DELETE"),)
    reading = parse_wire(Wire("POST", f"{path}?_method=PUT", headers), "http://own")
    assert reading.method == "POST"
