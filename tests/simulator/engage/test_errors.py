import json

from gateway.simulator.engage import errors
from gateway.simulator.reading import Wire, parse_wire


def test_an_error_names_the_path_and_the_method_that_were_seen() -> None:
    wire = Wire("POST", "/voice/api/v1/x?_method=DELETE")
    answer = errors.render_errors(errors.missing_entity(), parse_wire(wire, "http://h"), 1.5)
    document = json.loads(answer.body)
    assert answer.status == 404
    assert document["requestUri"] == "/voice/api/v1/x - POST"
    assert document["timestamp"] == 1500
    assert document["errorCode"] == "entity.not.found.exception"


def test_each_refusal_has_its_status() -> None:
    assert errors.access_denied("why").code == "access.denied.exception"
    faults = (errors.access_denied("x"), errors.unusable_request("x"), errors.too_many_requests())
    assert [fault.status for fault in faults] == [401, 400, 429]
    assert not errors.too_many_requests().headers
