"""What exists in the simulator: the nouns, and the ids of the one account there is.

A `World` belongs to one running simulator and dies with it; only its messages change.
Values hold no URI, because a URI depends on the host a request was addressed by; whoever
renders them adds the origin. The paths here are the canonical ones, with ids for `~`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.simulator.faults import Document

ACCOUNT_ID = 230919004
EXTENSION_ID = 230919005
OTHER_EXTENSION_ID = 230919006

ACCOUNT = f"/restapi/v1.0/account/{ACCOUNT_ID}"
EXTENSION = f"{ACCOUNT}/extension/{EXTENSION_ID}"

Party = dict[str, str]


@dataclass(frozen=True, slots=True)
class Attachment:
    """Bytes that belong to a message."""

    id: int
    kind: str
    content_type: str
    file_name: str
    content: bytes
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the message store."""

    id: int
    type: str
    direction: str
    read_status: str
    availability: str
    created: datetime
    modified: datetime
    sender: Party
    recipients: tuple[Party, ...]
    subject: str
    status: str
    conversation_id: int | None = None
    attachments: tuple[Attachment, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One entry of the call log."""

    id: str
    session_id: str
    extension_id: int
    started: datetime
    duration_s: int
    type: str
    direction: str
    action: str
    result: str
    caller: Party
    callee: Party
    recording_id: str = ""
    recording_type: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a running simulator knows; `messages` is the part that changes."""

    messages: dict[int, Message]
    calls: tuple[CallRecord, ...]


def render_moment(moment: datetime) -> str:
    """Write a point in time as the vendor does, with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def render_extension_link(origin: str, extension_id: int) -> Document:
    """Point to an extension of the account."""
    return {"uri": f"{origin}{ACCOUNT}/extension/{extension_id}", "id": extension_id}
