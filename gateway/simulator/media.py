"""Attachment content: bytes with their own type, whole or a range of them.

`contentDisposition` (Inline or Attachment) and `contentDispositionFilename` make a
Content-Disposition; with neither there is none. A range is honoured on GET only, and not
under If-Range, since these answers have no validator that it could match.
"""

from collections.abc import Mapping
from urllib.parse import quote

from gateway.simulator.answers import Answer
from gateway.simulator.faults import invalid_parameter, missing_resource
from gateway.simulator.filters import choices, one
from gateway.simulator.mailbox import find_message
from gateway.simulator.ranges import parse_range
from gateway.simulator.reading import Pairs, Reading
from gateway.simulator.world import Attachment, World

DISPOSITIONS = ("Inline", "Attachment")


def read_content(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer the bytes of one attachment."""
    return render_content(_find_attachment(world, ids), reading)


def render_content(part: Attachment, reading: Reading) -> Answer:
    """Answer bytes with their type, or the range of them that is asked for. Raises Fault."""
    headers = {
        "Content-Type": part.content_type,
        "Accept-Ranges": "bytes",
        **_disposition(reading.query, part),
    }
    answer = Answer(200, tuple(headers.items()), part.content)
    ranges = reading.wire.fields("Range")
    if len(ranges) != 1 or reading.method != "GET" or reading.wire.fields("If-Range"):
        return answer
    return _cut(answer, ranges[0])


def _find_attachment(world: World, ids: Mapping[str, str]) -> Attachment:
    for part in find_message(world, ids).attachments:
        if str(part.id) == ids["attachmentId"]:
            return part
    raise missing_resource("attachmentId")


def _cut(answer: Answer, header: str) -> Answer:
    size = len(answer.body)
    wanted = parse_range(header, size)
    if wanted is None:
        return answer
    described = f"bytes {wanted.start}-{wanted.stop - 1}/{size}"
    part = Answer(206, answer.headers, answer.body[wanted.start : wanted.stop])
    return part.adding({"Content-Range": described})


def _disposition(query: Pairs, part: Attachment) -> dict[str, str]:
    choices(query, "contentDisposition", DISPOSITIONS)
    kind = one(query, "contentDisposition")
    asked_name = one(query, "contentDispositionFilename")
    if not kind and not asked_name:
        return {}
    name = asked_name or part.file_name
    if not name.isprintable():
        raise invalid_parameter("contentDispositionFilename", "control characters are no name")
    return {"Content-Disposition": f"{(kind or 'Inline').lower()}; {_file_name(name)}"}


def _file_name(name: str) -> str:
    if name.isascii():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'filename="{escaped}"'
    # RFC 8187: the extended notation for what the quoted one cannot carry.
    return f"filename*=UTF-8''{quote(name, safe='')}"
