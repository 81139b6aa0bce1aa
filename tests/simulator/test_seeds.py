from collections import Counter

from gateway.simulator.seeds import CALLS, FIRST_MESSAGE_ID, MESSAGES, pick_examples, sow
from gateway.simulator.world import EXTENSION, EXTENSION_ID


def test_two_worlds_are_equal_and_apart() -> None:
    one, other = sow(), sow()
    assert one == other
    del one.messages[FIRST_MESSAGE_ID]
    assert FIRST_MESSAGE_ID in other.messages


def test_every_kind_of_message_is_there() -> None:
    messages = list(sow().messages.values())
    assert len(messages) == MESSAGES
    assert set(Counter(message.type for message in messages)) == {
        "SMS",
        "Pager",
        "Fax",
        "VoiceMail",
    }
    assert {message.direction for message in messages} == {"Inbound", "Outbound"}
    assert {message.read_status for message in messages} == {"Read", "Unread"}
    assert Counter(message.availability for message in messages)["Deleted"] == 2


def test_attachments_have_real_bytes_of_their_type() -> None:
    beginnings = {
        "application/pdf": b"%PDF-",
        "audio/x-wav": b"RIFF",
        "image/png": b"\x89PNG",
        "text/plain": b"",
    }
    parts = [part for message in sow().messages.values() for part in message.attachments]
    assert {part.content_type for part in parts} == set(beginnings)
    assert all(part.content.startswith(beginnings[part.content_type]) for part in parts)
    assert all(part.content for part in parts)


def test_conversation_ids_are_too_large_for_a_float() -> None:
    ids = {message.conversation_id for message in sow().messages.values()} - {None}
    assert len(ids) == 3
    assert any(int(float(number or 0)) != number for number in ids)


def test_calls_differ_in_what_filters_ask_for() -> None:
    calls = sow().calls
    assert len({call.id for call in calls}) == CALLS
    assert {call.type for call in calls} == {"Voice", "Fax"}
    assert {call.direction for call in calls} == {"Inbound", "Outbound"}
    assert {bool(call.recording_id) for call in calls} == {True, False}
    assert len({call.extension_id for call in calls}) == 2
    assert {call.recording_type for call in calls} == {"", "OnDemand", "Automatic"}


def test_examples_are_two_messages_and_a_download() -> None:
    world = sow()
    examples = pick_examples(world)
    assert examples.delete_id != examples.update_id
    assert world.messages[examples.delete_id].type == "SMS"
    assert world.messages[examples.update_id].read_status == "Unread"
    assert examples.content_path.startswith(f"{EXTENSION}/message-store/")
    assert str(EXTENSION_ID) in examples.content_path
