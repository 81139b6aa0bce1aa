import json
from typing import Any

import pytest

from gateway.simulator.faults import Fault
from gateway.simulator.mailbox import list_messages
from gateway.simulator.outbox import send_sms
from gateway.simulator.reading import Wire, parse_wire
from gateway.simulator.seeds import MESSAGES, sow
from gateway.simulator.world import EXTENSION, World

SMS = {"from": {"phoneNumber": "+1"}, "to": [{"phoneNumber": "+2"}], "text": "Grüße"}


def _send(world: World, document: object) -> Any:
    wire = Wire("POST", f"{EXTENSION}/sms", (), json.dumps(document).encode())
    return json.loads(send_sms(world, parse_wire(wire, "http://h"), {}).body)


def test_every_call_sends_another_message() -> None:
    world = sow()
    first, second = _send(world, SMS), _send(world, SMS)
    assert first["id"] != second["id"]
    assert (first["type"], first["direction"], first["messageStatus"]) == (
        "SMS",
        "Outbound",
        "Sent",
    )
    assert (first["from"], first["to"]) == ({"phoneNumber": "+1"}, [{"phoneNumber": "+2"}])
    assert len(world.messages) == MESSAGES + 2
    listed = list_messages(world, parse_wire(Wire("GET", f"{EXTENSION}/x"), "http://h"), {})
    subjects = [record.get("subject") for record in json.loads(listed.body)["records"]]
    assert subjects[:2] == ["Grüße", "Grüße"]


def test_an_empty_store_takes_a_first_message() -> None:
    assert _send(World({}, ()), SMS)["id"] > 0


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "CMN-103"),
        ({**SMS, "to": []}, r"\[to\]"),
        ({**SMS, "to": "+2"}, r"\[to\]"),
        ({**SMS, "to": [{"phoneNumber": ""}]}, r"\[to\]"),
        ({**SMS, "from": None}, r"\[from\]"),
        ({**SMS, "text": ""}, r"\[text\]"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_not_stored(document: object, reason: str) -> None:
    world = sow()
    with pytest.raises(Fault, match=reason):
        _send(world, document)
    assert len(world.messages) == MESSAGES
