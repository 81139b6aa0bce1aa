import pytest

from gateway.simulator.faults import (
    Fault,
    exceeded_rate,
    internal,
    invalid_parameter,
    invalid_uri,
    missing_resource,
    ordered,
    oversized_body,
    unparsable_json,
    unreadable_body,
    unsatisfiable_range,
    unsupported_method,
)


def test_a_fault_says_its_code_at_the_top_and_in_the_list() -> None:
    assert invalid_uri().document() == {
        "errorCode": "CMN-120",
        "message": "Invalid URI",
        "errors": [{"errorCode": "CMN-120", "message": "Invalid URI"}],
    }


def test_the_inner_code_may_differ() -> None:
    document = Fault(401, "TokenInvalid", "no", inner_code="OAU-149").document()
    assert document["errorCode"] == "TokenInvalid"
    assert document["errors"] == [{"errorCode": "OAU-149", "message": "no"}]


def test_a_parameter_is_named_in_both_places() -> None:
    document = missing_resource("messageId").document()
    assert document["parameterName"] == "messageId"
    assert document["errors"] == [
        {
            "errorCode": "CMN-102",
            "message": "Resource for parameter [messageId] is not found",
            "parameterName": "messageId",
        }
    ]


def test_a_hint_follows_the_vendors_sentence() -> None:
    assert invalid_parameter("page").message == "Parameter [page] value is invalid"
    assert invalid_parameter("page", "why").message == "Parameter [page] value is invalid: why"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (invalid_parameter("x"), 400, "CMN-101"),
        (missing_resource("x"), 404, "CMN-102"),
        (unparsable_json(), 400, "CMN-103"),
        (unreadable_body(), 400, "CMN-104"),
        (oversized_body(7), 413, "CMN-104"),
        (unsatisfiable_range(7), 416, "CMN-107"),
        (invalid_uri(), 404, "CMN-120"),
        (unsupported_method("PUT", "GET"), 405, "CMN-202"),
        (internal(), 500, "CMN-203"),
    ],
)
def test_every_fault_has_its_status_and_code(fault: Fault, status: int, code: str) -> None:
    assert (fault.status, fault.code) == (status, code)
    assert str(fault).startswith(f"{status} {code} ")


def test_a_405_lists_the_methods_that_would_do() -> None:
    assert unsupported_method("PUT", "GET, HEAD").headers == {"Allow": "GET, HEAD"}


def test_a_416_tells_the_size() -> None:
    assert unsatisfiable_range(7).headers == {"Content-Range": "bytes */7"}


@pytest.mark.parametrize(
    ("status", "code"), [(429, "CMN-301"), (503, "CMN-201"), (500, "CMN-203"), (408, "CMN-203")]
)
def test_a_failure_to_order_has_its_status_and_its_wait(status: int, code: str) -> None:
    fault = ordered(status, "7")
    assert (fault.status, fault.code, fault.headers) == (status, code, {"Retry-After": "7"})
    assert ordered(status, "").headers == {}


def test_a_rate_that_is_exceeded_says_how_long_to_wait() -> None:
    assert exceeded_rate(60).document() == {
        "errorCode": "CMN-301",
        "message": "Request rate exceeded",
        "errors": [{"errorCode": "CMN-301", "message": "Request rate exceeded"}],
    }
    assert exceeded_rate(0.1).headers == {"Retry-After": "0.1"}
