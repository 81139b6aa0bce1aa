"""The call log: of the account, of the extension, and one record of either.

Filters: `direction` and `type`, each repeatable; `withRecording`, `phoneNumber` (with or
without its `+`), `dateFrom`, `dateTo`, `view` (Simple, or Detailed with legs). As in the
message store, all records are listed when no dates are given. Some records have a
recording, with an absolute `contentUri`, whose content `recordings` serves.
"""

from collections.abc import Mapping

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.faults import Document, missing_resource
from gateway.simulator.filters import choices, has_number, interval, one
from gateway.simulator.paging import render_list
from gateway.simulator.reading import Pairs, Reading
from gateway.simulator.world import (
    ACCOUNT,
    EXTENSION,
    EXTENSION_ID,
    CallRecord,
    World,
    render_extension_link,
    render_moment,
)

DIRECTIONS = ("Inbound", "Outbound")
TYPES = ("Voice", "Fax")
VIEWS = ("Simple", "Detailed")


def list_calls(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer one page of the records that pass the filters, newest first."""
    view = _view(reading.query)
    log = _log(ids)
    found = _select(_visible(world, ids), reading.query)
    return render_document(
        render_list(
            f"{reading.origin}{log}",
            reading.query,
            found,
            lambda record: render_call(record, reading.origin, log, view),
        )
    )


def read_call(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer one record."""
    view = _view(reading.query)
    for record in _visible(world, ids):
        if record.id == ids["callRecordId"]:
            return render_document(render_call(record, reading.origin, _log(ids), view))
    raise missing_resource("callRecordId")


def render_call(record: CallRecord, origin: str, log: str, view: str) -> Document:
    """Describe a record as a member of `log`, with absolute URIs."""
    leg: Document = {
        "startTime": render_moment(record.started),
        "duration": record.duration_s,
        "type": record.type,
        "direction": record.direction,
        "action": record.action,
        "result": record.result,
        "to": record.callee,
        "from": record.caller,
        "transport": "PSTN",
        "extension": render_extension_link(origin, record.extension_id),
    }
    if record.recording_id:
        leg["recording"] = render_recording(record, origin)
    return {
        "uri": f"{origin}{log}/{record.id}?view={view}",
        "id": record.id,
        "sessionId": record.session_id,
        **leg,
        **({"legs": [{**leg, "master": True}]} if view == "Detailed" else {}),
    }


def render_recording(record: CallRecord, origin: str) -> Document:
    """Describe the recording of a call that has one, with absolute URIs."""
    uri = f"{origin}{ACCOUNT}/recording/{record.recording_id}"
    content = {"type": record.recording_type, "contentUri": f"{uri}/content"}
    return {"uri": uri, "id": record.recording_id, **content}


def _log(ids: Mapping[str, str]) -> str:
    return f"{EXTENSION if 'extensionId' in ids else ACCOUNT}/call-log"


def _view(query: Pairs) -> str:
    choices(query, "view", VIEWS)
    return one(query, "view") or "Simple"


def _visible(world: World, ids: Mapping[str, str]) -> list[CallRecord]:
    everyone = "extensionId" not in ids
    return [record for record in world.calls if everyone or record.extension_id == EXTENSION_ID]


def _select(records: list[CallRecord], query: Pairs) -> list[CallRecord]:
    directions = choices(query, "direction", DIRECTIONS) or DIRECTIONS
    types = choices(query, "type", TYPES) or TYPES
    recorded_only = choices(query, "withRecording", ("true", "false")) == {"true"}
    number = one(query, "phoneNumber")
    first, last = interval(query)
    return [
        record
        for record in records
        if record.direction in directions
        and record.type in types
        and (record.recording_id or not recorded_only)
        and has_number(number, (record.caller, record.callee))
        and first <= record.started <= last
    ]
