import json
import uuid

import pytest

from gateway.simulator.answers import Answer
from gateway.simulator.control.troubles import Trouble
from gateway.simulator.pace import Pace
from gateway.simulator.rates import Rates
from gateway.simulator.reading import RawPairs, Wire
from gateway.simulator.service import Service, finish
from gateway.simulator.world import EXTENSION

STORE = f"{EXTENSION}/message-store"
AUTH: RawPairs = ((b"Authorization", b"Bearer t"),)


def _service() -> Service:
    return Service("t", lambda: 0.0, Rates(Pace()), lambda: 0.0)


def _ask(service: Service, method: str, target: str, headers: RawPairs = AUTH) -> Answer:
    return service.answer(Wire(method, target, headers), "http://h")


def _code(answer: Answer) -> object:
    return json.loads(answer.body)["errorCode"]


def _rates(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name.startswith("X-Rate-Limit-")}


def test_every_answer_has_an_id_of_its_own() -> None:
    first, second = dict(finish(Answer(204)).headers), dict(finish(Answer(204)).headers)
    assert uuid.UUID(first["RCRequestId"]).version == 4
    assert first["RCRequestId"] != second["RCRequestId"]
    assert first["RoutingKey"]
    assert first["Content-Language"] == "en-US"


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/restapi", (), 200),
        ("POST", "/restapi", (), 405),
        ("GET", STORE, (), 401),
        ("GET", "/nowhere", (), 401),
    ],
)
def test_an_unauthenticated_answer_has_no_rate_headers(
    method: str, target: str, headers: RawPairs, status: int
) -> None:
    answer = _ask(_service(), method, target, headers)
    assert answer.status == status
    assert _rates(answer) == {}
    assert dict(answer.headers)["RCRequestId"]


@pytest.mark.parametrize(
    ("method", "target", "status", "group"),
    [
        ("GET", STORE, 200, "light"),
        ("GET", f"{STORE}/1", 404, "light"),
        ("DELETE", STORE, 405, "medium"),
        ("POST", f"{EXTENSION}/fax", 404, "heavy"),
        ("POST", f"{STORE}/1?_method=DELETE", 404, "medium"),
    ],
)
def test_an_authenticated_answer_has_the_rates_of_its_effective_method(
    method: str, target: str, status: int, group: str
) -> None:
    answer = _ask(_service(), method, target)
    assert answer.status == status
    assert _rates(answer)["X-Rate-Limit-Group"] == group


def test_a_path_that_nobody_knows_has_no_group() -> None:
    answer = _ask(_service(), "GET", "/nowhere")
    assert (answer.status, _code(answer), _rates(answer)) == (404, "CMN-120", {})


def test_the_clock_rolls_the_window() -> None:
    now = [0.0]
    service = Service("t", lambda: now[0], Rates(Pace()), lambda: 0.0)
    _ask(service, "GET", STORE)
    assert _rates(_ask(service, "GET", STORE))["X-Rate-Limit-Remaining"] == "48"
    now[0] = 61.0
    assert _rates(_ask(service, "GET", STORE))["X-Rate-Limit-Remaining"] == "49"


def test_conflicting_overrides_are_refused_and_written_down() -> None:
    service = _service()
    headers = ((b"X-HTTP-Method-Override", b"PUT"), *AUTH)
    answer = _ask(service, "POST", f"{STORE}/1?_method=DELETE", headers)
    assert (answer.status, _code(answer)) == (400, "CMN-101")
    assert service.notebook.entries[-1].effective is None


def test_a_refused_request_is_written_down_with_its_effective_method() -> None:
    service = _service()
    _ask(service, "POST", f"{STORE}/1?_method=DELETE", ())
    entry = service.notebook.entries[-1]
    assert (entry.method, entry.effective, entry.headers) == ("POST", "DELETE", ())


def test_a_body_that_was_not_kept_whole_is_refused_where_it_would_be_used() -> None:
    wire = Wire("PUT", f"{STORE}/1", AUTH, b"{", 9)
    assert _service().answer(wire, "http://h").status == 413
    unserved = Wire("POST", f"{EXTENSION}/fax", AUTH, b"{", 9)
    assert _service().answer(unserved, "http://h").status == 404


def test_a_bug_says_nothing_to_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> float:
        raise RuntimeError("a secret of ours")

    answer = _ask(Service("t", broken, Rates(Pace()), lambda: 0.0), "GET", STORE)
    assert (answer.status, _code(answer)) == (500, "CMN-203")
    assert b"secret" not in answer.body
    assert "a secret of ours" in caplog.text


@pytest.mark.parametrize(
    ("method", "target", "status", "shape"),
    [
        ("POST", "/restapi/oauth/token", 400, "errorCode"),
        ("GET", "/restapi/oauth/wstoken", 401, "errorCode"),
        ("POST", "/api/auth/token/refresh", 400, "requestUri"),
        ("GET", "/voice/api/v1/admin/accounts", 401, "requestUri"),
        ("GET", "/api/v1/admin/accounts", 401, "requestUri"),
        ("GET", "/1.0/categories", 401, "error"),
    ],
)
def test_each_path_has_its_realm_and_its_shape(
    method: str, target: str, status: int, shape: str
) -> None:
    answer = _ask(_service(), method, target, ())
    assert answer.status == status
    assert shape in json.loads(answer.body)


def test_a_trouble_that_fails_takes_the_place_of_the_answer() -> None:
    service = _service()
    answer = service.answer(Wire("GET", STORE, AUTH), "http://h", Trouble(status=503))
    assert (answer.status, _code(answer)) == (503, "CMN-201")


def test_the_desk_leaves_no_note() -> None:
    service = _service()
    answer = service.answer(Wire("GET", "/-/simulator/seen", is_local=True), "http://h")
    assert answer.status == 200
    assert not service.notebook.entries
