import json
from typing import Any

import pytest

from gateway.simulator.answers import Answer
from gateway.simulator.faults import Fault
from gateway.simulator.mailbox import (
    find_message,
    list_messages,
    read_message,
    remove_message,
    render_message,
    update_message,
)
from gateway.simulator.reading import Reading, Wire, parse_wire
from gateway.simulator.seeds import FIRST_MESSAGE_ID, MESSAGES, sow
from gateway.simulator.world import EXTENSION, Message, World

ORIGIN = "http://h:1"
STORE = f"{ORIGIN}{EXTENSION}/message-store"
IDS = {"messageId": str(FIRST_MESSAGE_ID)}


def _reading(query: str = "", body: bytes = b"") -> Reading:
    return parse_wire(Wire("GET", f"/any?{query}", (), body, len(body)), ORIGIN)


def _document(answer: Answer) -> Any:
    assert answer.status == 200
    return json.loads(answer.body)


def _records(query: str) -> list[dict[str, Any]]:
    records = _document(list_messages(sow(), _reading(query), {}))["records"]
    assert isinstance(records, list)
    return records


def _of_type(world: World, kind: str) -> Message:
    return next(message for message in world.messages.values() if message.type == kind)


def test_without_filters_all_that_is_alive_is_listed_newest_first() -> None:
    records = _records("")
    assert len(records) == MESSAGES - 2
    times = [record["creationTime"] for record in records]
    assert times == sorted(times, reverse=True)


def test_a_repeated_message_type_takes_both() -> None:
    both = _records("messageType=SMS&messageType=Fax")
    assert {record["type"] for record in both} == {"SMS", "Fax"}
    assert len(both) == len(_records("messageType=SMS")) + len(_records("messageType=Fax"))


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("direction=Outbound", "direction", "Outbound"),
        ("readStatus=Unread", "readStatus", "Unread"),
        ("availability=Deleted", "availability", "Deleted"),
        ("conversationId=5717224681082742946", "conversationId", 5717224681082742946),
    ],
)
def test_a_filter_keeps_only_what_it_names(query: str, name: str, value: object) -> None:
    records = _records(query)
    assert records
    assert {record[name] for record in records} == {value}


def test_dates_bound_the_list_on_both_sides() -> None:
    records = _records("dateFrom=2026-01-10&dateTo=2026-01-20T00:00:00Z")
    assert records
    assert all("2026-01-10" <= record["creationTime"] < "2026-01-20" for record in records)


def test_a_phone_number_needs_its_plus_encoded() -> None:
    assert _records("phoneNumber=%2B12125550122")
    assert _records("phoneNumber=%2B12125550122") == _records("phoneNumber=12125550122")
    assert _records("phoneNumber=+12125550122") == []


@pytest.mark.parametrize(
    "query",
    [
        "messageType=Sms",
        "messageType=SMS,Fax",
        "direction=in",
        "readStatus=1",
        "availability=Gone",
        "conversationId=x",
        "dateFrom=2026-01-01T00:00:00+01:00",
        "page=0",
        "perPage=1001",
    ],
)
def test_a_bad_filter_is_refused_by_name(query: str) -> None:
    with pytest.raises(Fault, match="400 CMN-101") as caught:
        list_messages(sow(), _reading(query), {})
    assert caught.value.parameter == query.partition("=")[0]


def test_following_the_next_page_sees_every_message_once() -> None:
    seen: list[int] = []
    query = "messageType=SMS&messageType=Pager&perPage=4&dateFrom=2026-01-01T00:00:00.000Z"
    while query:
        document = _document(list_messages(sow(), _reading(query), {}))
        seen += [record["id"] for record in document["records"]]
        following = document["navigation"].get("nextPage", {"uri": ""})["uri"]
        assert following.startswith(f"{STORE}?messageType=SMS&messageType=Pager&") or not following
        query = following.partition("?")[2]
    assert len(seen) == len(set(seen))
    assert len(seen) == len(_records("messageType=SMS&messageType=Pager"))


def test_the_uri_of_a_list_states_the_availability_and_keeps_colons() -> None:
    document = _document(list_messages(sow(), _reading("dateFrom=2026-01-01T00:00:00.000Z"), {}))
    assert document["uri"] == (
        f"{STORE}?dateFrom=2026-01-01T00:00:00.000Z&availability=Alive&page=1&perPage=100"
    )


def test_an_sms_has_a_conversation_and_absolute_uris() -> None:
    world = sow()
    message = _of_type(world, "SMS")
    document = render_message(message, ORIGIN)
    assert document["uri"] == f"{STORE}/{message.id}"
    assert document["conversation"] == {
        "id": str(message.conversation_id),
        "uri": f"{ORIGIN}{EXTENSION}/conversation/{message.conversation_id}",
    }
    assert document["conversationId"] == message.conversation_id
    assert document["attachments"] == [
        {
            "id": part.id,
            "uri": f"{STORE}/{message.id}/content/{part.id}",
            "type": "Text",
            "contentType": "text/plain",
            "fileName": "message.txt",
            "size": len(part.content),
        }
        for part in message.attachments
    ]


def test_a_voicemail_has_a_duration_and_neither_subject_nor_conversation() -> None:
    document = render_message(_of_type(sow(), "VoiceMail"), ORIGIN)
    assert document["vmTranscriptionStatus"] == "NotAvailable"
    assert document["attachments"]
    assert not {"subject", "conversation", "conversationId"} & set(document)


def test_one_message_is_read_by_its_id() -> None:
    world = sow()
    expected = json.loads(json.dumps(render_message(world.messages[FIRST_MESSAGE_ID], ORIGIN)))
    assert _document(read_message(world, _reading(), IDS)) == expected


@pytest.mark.parametrize("text", ["1", "x", f"0{FIRST_MESSAGE_ID}", "²", "9" * 5000])
def test_an_id_that_names_nothing_is_missing(text: str) -> None:
    with pytest.raises(Fault, match="404 CMN-102") as caught:
        find_message(sow(), {"messageId": text})
    assert caught.value.parameter == "messageId"


@pytest.mark.parametrize("status", ["Read", "Unread"])
def test_an_update_changes_the_status_and_the_time(status: str) -> None:
    world = sow()
    before = world.messages[FIRST_MESSAGE_ID]
    body = json.dumps({"readStatus": status, "more": 1}).encode()
    document = _document(update_message(world, _reading(body=body), IDS))
    assert document["readStatus"] == status
    assert world.messages[FIRST_MESSAGE_ID].read_status == status
    assert world.messages[FIRST_MESSAGE_ID].modified > before.modified


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Fault, match="400 CMN-103"):
        update_message(sow(), _reading(body=body), IDS)


@pytest.mark.parametrize("body", [b"{}", b'{"readStatus":"read"}', b'{"readStatus":["Read"]}'])
def test_a_status_that_is_none_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(Fault, match="400 CMN-101") as caught:
        update_message(sow(), _reading(body=body), IDS)
    assert caught.value.parameter == "readStatus"


def test_a_removed_message_is_gone() -> None:
    world = sow()
    assert remove_message(world, _reading("purge=true"), IDS) == Answer(204)
    with pytest.raises(Fault, match="404 CMN-102"):
        remove_message(world, _reading(), IDS)
