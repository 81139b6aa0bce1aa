import json

from gateway.simulator.control.ledger import MAX_REQUESTS, MAX_TEST_IDS, Ledger
from gateway.simulator.reading import Wire

JWT_FORM = b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=s3cr3t"


def _note(
    ledger: Ledger, target: str, status: int, body: bytes = b"", *, cut: bool = False
) -> None:
    ledger.note(Wire("POST", target, (), body), "POST", status, dropped=cut)


def test_token_calls_are_counted_by_grant_and_outcome() -> None:
    ledger = Ledger()
    _note(ledger, "/restapi/oauth/token", 200, JWT_FORM)
    _note(ledger, "/restapi/oauth/token", 429, JWT_FORM)
    _note(ledger, "/restapi/oauth/token", 200, JWT_FORM, cut=True)
    _note(ledger, "/restapi/oauth/token", 400, b"\xff")
    _note(ledger, "/api/auth/login/rc/accesstoken", 200)
    _note(ledger, "/api/auth/token/refresh", 200)
    _note(ledger, "/api/v1/auth/login", 401)
    report = ledger.report()
    assert report["token_calls"] == {
        "jwt": {"200": 1, "429": 1, "dropped": 1},
        "other": {"400": 1},
        "ringcx_exchange": {"200": 1},
        "ringcx_refresh": {"200": 1},
        "legacy_login": {"401": 1},
    }
    assert report["token_calls_limited"] == 1
    assert report["requests_by_status"] == {}


def test_other_requests_are_counted_by_status() -> None:
    ledger = Ledger()
    for status in (200, 200, 401):
        _note(ledger, "/restapi/v1.0/account/~", status)
    assert ledger.report()["requests_by_status"] == {"200": 2, "401": 1}
    ledger.reset()
    assert ledger.report()["requests_by_status"] == {}
    assert ledger.report()["latest_requests"] == []


def test_no_token_comes_into_a_report() -> None:
    ledger = Ledger()
    _note(ledger, "/restapi/oauth/token?token=s3cr3t", 200, JWT_FORM)
    _note(ledger, "/api/v1/admin/token/s3cr3t?access_token=s3cr3t", 204)
    _note(ledger, "/api/auth/logout/s3cr3t", 404)
    report = ledger.report()
    assert "s3cr3t" not in json.dumps(report)
    assert report["latest_requests"] == [
        {"method": "POST", "effective": "POST", "path": path, "status": status}
        for path, status in (
            ("/restapi/oauth/token", 200),
            ("/api/v1/admin/token/...", 204),
            ("/api/auth/logout/...", 404),
        )
    ]


def test_the_oldest_request_makes_room() -> None:
    ledger = Ledger()
    for number in range(MAX_REQUESTS + 1):
        _note(ledger, f"/{number}", 200)
    latest = ledger.report()["latest_requests"]
    assert isinstance(latest, list)
    assert len(latest) == MAX_REQUESTS
    assert latest[0]["path"] == "/1"


def test_a_request_is_counted_by_its_test_id() -> None:
    ledger = Ledger()
    wire = Wire("POST", "/restapi/x", ((b"x-test-id", b"one"),))
    for test_id in ("one", None, "one", "two"):
        ledger.arrive(test_id)
    ledger.note(wire, "POST", 200, dropped=True)
    ledger.note(wire, "POST", 503, dropped=False)
    assert ledger.report()["arrivals"] == {
        "one": {"arrived": 2, "carried_out": 1},
        "two": {"arrived": 1, "carried_out": 0},
    }
    assert ledger.report()["requests_by_status"] == {"dropped": 1, "503": 1}


def test_the_oldest_test_id_makes_room() -> None:
    ledger = Ledger()
    for number in range(MAX_TEST_IDS + 1):
        ledger.arrive(str(number))
    arrivals = ledger.report()["arrivals"]
    assert isinstance(arrivals, dict)
    assert len(arrivals) == MAX_TEST_IDS
    assert "0" not in arrivals
