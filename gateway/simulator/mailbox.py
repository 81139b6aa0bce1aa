"""The message store: list, read, change, remove.

List filters: `messageType`, `direction`, `readStatus` and `availability`, each repeatable;
`conversationId`, `phoneNumber`, `dateFrom`, `dateTo`. Two deviations from the vendor, both
for a demonstration whose data has fixed dates: without dates all messages are listed (the
vendor lists the last day), and a removed message is gone at once (the vendor keeps it in
the trash for a while unless `purge=true`). Without `availability` only Alive is listed.

PUT and PATCH take `{"readStatus": "Read"}` or `"Unread"` and ignore what else is there.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import (
    Document,
    invalid_parameter,
    missing_resource,
    unparsable_json,
)
from gateway.simulator.filters import choices, has_number, integer, interval, one
from gateway.simulator.paging import render_list
from gateway.simulator.reading import Pairs, Reading
from gateway.simulator.world import EXTENSION, Attachment, Message, World, render_moment

STORE = f"{EXTENSION}/message-store"
TYPES = ("Fax", "SMS", "VoiceMail", "Pager")
DIRECTIONS = ("Inbound", "Outbound")
READ_STATUSES = ("Read", "Unread")
AVAILABILITIES = ("Alive", "Deleted", "Purged")
_MAX_ID = 2**63 - 1


def list_messages(world: World, reading: Reading, _: Mapping[str, str]) -> Answer:
    """Answer one page of the messages that pass the filters, newest first."""
    query = reading.query
    if not one(query, "availability"):
        query = (*query, ("availability", "Alive"))
    found = _select(world, query)
    return render_document(
        render_list(
            f"{reading.origin}{STORE}",
            query,
            found,
            lambda message: render_message(message, reading.origin),
        )
    )


def read_message(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer one message."""
    return render_document(render_message(find_message(world, ids), reading.origin))


def update_message(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Change the read status and answer the changed message."""
    message = find_message(world, ids)
    status = _wanted_status(reading.wire.body)
    changed = replace(message, read_status=status, modified=datetime.now(UTC))
    world.messages[message.id] = changed
    return render_document(render_message(changed, reading.origin))


def remove_message(world: World, _: Reading, ids: Mapping[str, str]) -> Answer:
    """Remove one message and answer nothing."""
    del world.messages[find_message(world, ids).id]
    return Answer(204)


def find_message(world: World, ids: Mapping[str, str]) -> Message:
    """Look a message up by its path segment. Raises Fault."""
    text = ids["messageId"]
    known = {str(message.id): message for message in world.messages.values()}
    if text not in known:
        raise missing_resource("messageId")
    return known[text]


def render_message(message: Message, origin: str) -> Document:
    """Describe a message, with absolute URIs."""
    uri = f"{origin}{STORE}/{message.id}"
    document: Document = {
        "uri": uri,
        "id": message.id,
        "to": list(message.recipients),
        "from": message.sender,
        "type": message.type,
        "creationTime": render_moment(message.created),
        "readStatus": message.read_status,
        "priority": "Normal",
        "attachments": [_render_attachment(part, uri) for part in message.attachments],
        "direction": message.direction,
        "availability": message.availability,
        "messageStatus": message.status,
        **message.extra,
        "lastModifiedTime": render_moment(message.modified),
    }
    if message.subject:
        document["subject"] = message.subject
    if (number := message.conversation_id) is not None:
        conversation = {"id": str(number), "uri": f"{origin}{EXTENSION}/conversation/{number}"}
        document |= {"conversationId": number, "conversation": conversation}
    return document


def _render_attachment(part: Attachment, uri: str) -> Document:
    return {
        "id": part.id,
        "uri": f"{uri}/content/{part.id}",
        "type": part.kind,
        "contentType": part.content_type,
        "fileName": part.file_name,
        "size": len(part.content),
        **part.extra,
    }


def _select(world: World, query: Pairs) -> list[Message]:
    types = choices(query, "messageType", TYPES) or TYPES
    directions = choices(query, "direction", DIRECTIONS) or DIRECTIONS
    statuses = choices(query, "readStatus", READ_STATUSES) or READ_STATUSES
    availabilities = choices(query, "availability", AVAILABILITIES)
    conversation = integer(query, "conversationId", 0, low=1, high=_MAX_ID)
    number = one(query, "phoneNumber")
    first, last = interval(query)
    found = [
        message
        for message in world.messages.values()
        if message.type in types
        and message.direction in directions
        and message.read_status in statuses
        and message.availability in availabilities
        and conversation in (0, message.conversation_id)
        and has_number(number, (message.sender, *message.recipients))
        and first <= message.created <= last
    ]
    return sorted(found, key=lambda message: message.created, reverse=True)


def parse_object(body: bytes) -> dict[str, object]:
    """Read a JSON object. Raises Fault."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise unparsable_json() from None
    if not isinstance(document, dict):
        raise unparsable_json()
    return document


def _wanted_status(body: bytes) -> str:
    status = parse_object(body).get("readStatus")
    if status not in READ_STATUSES:
        raise invalid_parameter("readStatus", "send Read or Unread")
    return str(status)
