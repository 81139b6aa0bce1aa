"""Sending an SMS: the one operation here that must not be carried out twice.

It takes the vendor's JSON (`from` and `to` with phone numbers, and a `text`), puts a message
at the top of the message store and answers it. Every call sends another one, as with the
vendor, so a request that was repeated can be seen: by its second message. Nothing is delivered.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import invalid_parameter
from gateway.simulator.mailbox import parse_object, render_message
from gateway.simulator.reading import Reading
from gateway.simulator.world import Message, Party, World

_ID_STEP = 1000


def send_sms(world: World, reading: Reading, _: Mapping[str, str]) -> Answer:
    """Send one message and answer it."""
    document = parse_object(reading.wire.body)
    to = document.get("to")
    if not isinstance(to, list) or not to:
        raise invalid_parameter("to", "give at least one phone number")
    text = document.get("text")
    if not isinstance(text, str) or not text:
        raise invalid_parameter("text")
    now = datetime.now(UTC)
    message = Message(
        id=max(world.messages, default=0) + _ID_STEP,
        type="SMS",
        direction="Outbound",
        read_status="Read",
        availability="Alive",
        created=now,
        modified=now,
        sender=_read_party(document.get("from"), "from"),
        recipients=tuple(_read_party(party, "to") for party in to),
        subject=text,
        status="Sent",
    )
    world.messages[message.id] = message
    return render_document(render_message(message, reading.origin))


def _read_party(value: object, name: str) -> Party:
    number = value.get("phoneNumber") if isinstance(value, dict) else None
    if not isinstance(number, str) or not number:
        raise invalid_parameter(name, "give a phoneNumber")
    return {"phoneNumber": number}
