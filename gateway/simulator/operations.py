"""What is served, exactly: a table of path templates, methods and functions.

Whatever is not in the table is 404 CMN-120, also when the vendor has it; a path in the
table with a method that is not is 405. A comma list or `*` never fills a variable, so the
vendor's bulk forms (`message-store/1,2`, `message-store/*`), which answer 207 in many
parts, are 404 CMN-120 as well. `~` means the token's own account and extension; any other
id than theirs is 404 CMN-102. HEAD is served wherever GET is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.simulator import accounts, calllog, identity, mailbox, media, outbox, recordings
from gateway.simulator.answers import Answer
from gateway.simulator.faults import invalid_uri, missing_resource, unsupported_method
from gateway.simulator.reading import Reading
from gateway.simulator.world import ACCOUNT_ID, EXTENSION_ID, World

Operation = Callable[[World, Reading, Mapping[str, str]], Answer]

_ACCOUNT = "/restapi/v1.0/account/{accountId}"
_EXTENSION = f"{_ACCOUNT}/extension/{{extensionId}}"
_MESSAGE = f"{_EXTENSION}/message-store/{{messageId}}"
_RECORDING = f"{_ACCOUNT}/recording/{{recordingId}}"
_OPENID = "/.well-known/openid-configuration"
_KEYS = "/restapi/oauth/jwks"
_OPEN = frozenset(
    tuple(path.split("/")[1:]) for path in ("/restapi", "/restapi/v1.0", _OPENID, _KEYS)
)
_OWN = {"accountId": str(ACCOUNT_ID), "extensionId": str(EXTENSION_ID)}

SERVED: dict[str, dict[str, Operation]] = {
    "/restapi": {"GET": accounts.read_versions},
    "/restapi/v1.0": {"GET": accounts.read_version},
    _OPENID: {"GET": identity.read_configuration},
    _KEYS: {"GET": identity.read_keys},
    "/restapi/oauth/userinfo": {"GET": identity.read_owner},
    _ACCOUNT: {"GET": accounts.read_account},
    f"{_ACCOUNT}/service-info": {"GET": accounts.read_service_info},
    f"{_ACCOUNT}/call-log": {"GET": calllog.list_calls},
    f"{_ACCOUNT}/call-log/{{callRecordId}}": {"GET": calllog.read_call},
    _EXTENSION: {"GET": accounts.read_extension},
    f"{_EXTENSION}/call-log": {"GET": calllog.list_calls},
    f"{_EXTENSION}/call-log/{{callRecordId}}": {"GET": calllog.read_call},
    f"{_EXTENSION}/message-store": {"GET": mailbox.list_messages},
    _MESSAGE: {
        "GET": mailbox.read_message,
        "PUT": mailbox.update_message,
        "PATCH": mailbox.update_message,
        "DELETE": mailbox.remove_message,
    },
    f"{_MESSAGE}/content/{{attachmentId}}": {"GET": media.read_content},
    f"{_EXTENSION}/sms": {"POST": outbox.send_sms},
    _RECORDING: {"GET": recordings.read_recording},
    f"{_RECORDING}/content": {"GET": recordings.read_recording_content},
}


@dataclass(frozen=True, slots=True)
class Found:
    """An operation and the values of its path variables."""

    run: Operation
    ids: Mapping[str, str]


def is_open(reading: Reading) -> bool:
    """Tell whether a path is answered without a token."""
    return reading.segments in _OPEN


def find_operation(reading: Reading) -> Found:
    """Find what serves a request. Raises Fault: 404 or 405."""
    for template, methods in SERVED.items():
        ids = _fill(template, reading.segments)
        if ids is not None:
            return Found(_choose(methods, reading.method), _checked(ids))
    raise invalid_uri()


def _choose(methods: Mapping[str, Operation], method: str) -> Operation:
    served = methods.get("GET" if method == "HEAD" else method)
    if served is None:
        allowed = ", ".join(methods).replace("GET", "GET, HEAD")
        raise unsupported_method(method, allowed)
    return served


def _fill(template: str, segments: tuple[str, ...]) -> dict[str, str] | None:
    parts = template.split("/")[1:]
    if len(parts) != len(segments):
        return None
    ids: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{"):
            if not segment or "," in segment or segment == "*":
                return None
            ids[part[1:-1]] = segment
        elif part != segment:
            return None
    return ids


def _checked(ids: dict[str, str]) -> dict[str, str]:
    for name, own in _OWN.items():
        if ids.get(name, own) not in ("~", own):
            raise missing_resource(name)
    return ids
