"""The data a simulator starts with: always the same, so documents can print its ids.

Thirty messages of four types and twelve calls, newest first, all of January 2026. Numbers
are from the ranges reserved for fiction. Conversation ids are larger than 2**53 on
purpose, as the vendor's are: a JSON rewriter that passes through floats will spoil them.
Two messages are in the trash (`availability` is Deleted).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.simulator.samples import pdf, png, wav
from gateway.simulator.world import (
    EXTENSION,
    EXTENSION_ID,
    OTHER_EXTENSION_ID,
    Attachment,
    CallRecord,
    Message,
    Party,
    World,
)

MESSAGES = 30
CALLS = 12
FIRST_MESSAGE_ID = 402406984008
_ID_STEP = 1000
_NEWEST = datetime(2026, 1, 30, 17, 25, 40, 531000, UTC)
_KINDS = ("SMS", "Pager", "Fax", "VoiceMail")
_CONVERSATION_ID = 5717224681082742945
_OWNER: Party = {"phoneNumber": "+16505550100", "extensionNumber": "101", "name": "Ada Byron"}
_OTHERS: tuple[Party, ...] = (
    {"phoneNumber": "+16505550111", "extensionNumber": "102", "name": "Grace Murray"},
    {"phoneNumber": "+12125550122", "extensionNumber": "103", "name": "Zoë Müller"},
    {"phoneNumber": "+442079460133", "extensionNumber": "104", "name": "Alan Mathison"},
)
_TEXTS = ("Running five minutes late", "Invoice 1042 & receipt attached", "Grüße aus Zürich")
_TRASH = frozenset({13, 26})


@dataclass(frozen=True, slots=True)
class Examples:
    """Ids that documents and demonstrations use; two different messages, and a download."""

    delete_id: int
    update_id: int
    content_path: str


def sow() -> World:
    """Make a fresh world."""
    messages = [_message(number) for number in range(MESSAGES)]
    calls = tuple(_call(number) for number in range(CALLS))
    return World({message.id: message for message in messages}, calls)


def pick_examples(world: World) -> Examples:
    """Choose an SMS to delete, a voicemail to mark as read, and a fax to download."""
    sms, fax, voicemail = (_first(world, kind) for kind in ("SMS", "Fax", "VoiceMail"))
    path = f"{EXTENSION}/message-store/{fax.id}/content/{fax.attachments[0].id}"
    return Examples(sms.id, voicemail.id, path)


def _first(world: World, kind: str) -> Message:
    return next(message for message in world.messages.values() if message.type == kind)


def _message(number: int) -> Message:
    kind = _KINDS[number % 4]
    inbound = kind == "VoiceMail" or number % 3 != 1
    other, text = _OTHERS[number % 3], _TEXTS[number % 3]
    sender, recipient = (other, _OWNER) if inbound else (_OWNER, other)
    identifier = FIRST_MESSAGE_ID + number * _ID_STEP
    created = _NEWEST - timedelta(hours=23 * number)
    return Message(
        id=identifier,
        type=kind,
        direction="Inbound" if inbound else "Outbound",
        read_status="Unread" if inbound and number % 8 < 4 else "Read",
        availability="Deleted" if number in _TRASH else "Alive",
        created=created,
        modified=created + timedelta(milliseconds=227),
        sender=_address(kind, sender),
        recipients=(_address(kind, recipient),),
        subject={"Fax": recipient["phoneNumber"], "VoiceMail": ""}.get(kind, text),
        status="Received" if inbound else "Delivered",
        conversation_id=_CONVERSATION_ID + number % 3 if kind in ("SMS", "Pager") else None,
        attachments=_attachments(kind, identifier, text, number),
        extra=_extra(kind),
    )


def _address(kind: str, party: Party) -> Party:
    number = "extensionNumber" if kind == "Pager" else "phoneNumber"
    return {number: party[number], "name": party["name"]}


def _attachments(kind: str, identifier: int, text: str, number: int) -> tuple[Attachment, ...]:
    if kind == "Pager":
        return ()
    if kind == "Fax":
        name = f"fax-{identifier}.pdf"
        rendered = pdf(f"Fax {identifier}")
        return (Attachment(identifier, "RenderedDocument", "application/pdf", name, rendered),)
    if kind == "VoiceMail":
        seconds = 1 + number % 2
        name = f"voicemail-{identifier}.wav"
        extra = {"vmDuration": seconds}
        content = wav(seconds)
        return (Attachment(identifier, "AudioRecording", "audio/x-wav", name, content, extra),)
    plain = Attachment(identifier, "Text", "text/plain", "message.txt", text.encode())
    picture = Attachment(identifier + 1, "MmsAttachment", "image/png", "picture.png", png(64))
    return (plain, picture) if number % 8 == 4 else (plain,)


def _extra(kind: str) -> dict[str, object]:
    extras: dict[str, dict[str, object]] = {
        "Pager": {"pgToDepartment": False},
        "Fax": {"faxResolution": "High", "faxPageCount": 1},
        "VoiceMail": {"vmTranscriptionStatus": "NotAvailable"},
    }
    return extras.get(kind, {})


def _call(number: int) -> CallRecord:
    inbound = number % 3 != 0
    caller, callee = _OTHERS[number % 3], _OWNER
    missed = inbound and number % 4 == 2
    recorded = number % 4 == 0
    return CallRecord(
        id=f"AXsimCall{number:02d}MA",
        session_id=str(13916417004 + number),
        extension_id=OTHER_EXTENSION_ID if number % 5 == 4 else EXTENSION_ID,
        started=_NEWEST - timedelta(hours=31 * number),
        duration_s=0 if missed else 55 + 7 * number,
        type="Fax" if number % 6 == 5 else "Voice",
        direction="Inbound" if inbound else "Outbound",
        action="Phone Call" if inbound else "VoIP Call",
        result="Missed" if missed else "Accepted" if inbound else "Call connected",
        caller=_address("Voice", caller if inbound else callee),
        callee=_address("Voice", callee if inbound else caller),
        recording_id=str(1662272004 + number) if recorded else "",
        recording_type=("Automatic" if number % 8 else "OnDemand") if recorded else "",
    )
