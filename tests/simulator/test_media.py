import pytest

from gateway.simulator.answers import Answer
from gateway.simulator.faults import Fault
from gateway.simulator.media import read_content
from gateway.simulator.reading import RawPairs, Wire, parse_wire
from gateway.simulator.seeds import sow
from gateway.simulator.world import Attachment, Message

FAX: Message = next(message for message in sow().messages.values() if message.type == "Fax")
PART: Attachment = FAX.attachments[0]
IDS = {"messageId": str(FAX.id), "attachmentId": str(PART.id)}


def _read(query: str = "", headers: RawPairs = (), method: str = "GET") -> Answer:
    reading = parse_wire(Wire(method, f"/any?{query}", headers), "http://h")
    return read_content(sow(), reading, IDS)


def test_the_whole_content_has_its_own_type() -> None:
    answer = _read()
    assert answer == Answer(
        200, (("Content-Type", "application/pdf"), ("Accept-Ranges", "bytes")), PART.content
    )


def test_a_range_is_cut_out() -> None:
    answer = _read(headers=((b"Range", b"bytes=5-9"),))
    assert (answer.status, answer.body) == (206, PART.content[5:10])
    assert ("Content-Range", f"bytes 5-9/{len(PART.content)}") in answer.headers
    assert ("Content-Type", "application/pdf") in answer.headers


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        (((b"Range", b"lines=1-2"),), "GET"),
        (((b"Range", b"bytes=1-2"),), "HEAD"),
        (((b"Range", b"bytes=1-2"), (b"If-Range", b'"x"')), "GET"),
        (((b"Range", b"bytes=1-2"), (b"Range", b"bytes=3-4")), "GET"),
    ],
)
def test_a_range_that_does_not_apply_is_ignored(headers: RawPairs, method: str) -> None:
    assert _read(headers=headers, method=method).status == 200


def test_a_range_after_the_end_is_refused() -> None:
    with pytest.raises(Fault, match="416 CMN-107"):
        _read(headers=((b"Range", b"bytes=999999-"),))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("contentDisposition=Attachment", f'attachment; filename="fax-{FAX.id}.pdf"'),
        ("contentDispositionFilename=a%22b%5C.pdf", 'inline; filename="a\\"b\\\\.pdf"'),
        (
            "contentDisposition=Inline&contentDispositionFilename=%C3%BC.pdf",
            "inline; filename*=UTF-8''%C3%BC.pdf",
        ),
    ],
)
def test_the_query_decides_the_disposition(query: str, expected: str) -> None:
    assert ("Content-Disposition", expected) in _read(query).headers


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("contentDisposition=inline", "contentDisposition"),
        ("contentDispositionFilename=a%0D%0AX:1", "contentDispositionFilename"),
        ("contentDispositionFilename=a%00", "contentDispositionFilename"),
    ],
)
def test_a_disposition_that_cannot_be_is_refused_by_name(query: str, name: str) -> None:
    with pytest.raises(Fault, match="400 CMN-101") as caught:
        _read(query)
    assert caught.value.parameter == name


def test_an_attachment_of_another_message_is_missing() -> None:
    reading = parse_wire(Wire("GET", "/any"), "http://h")
    with pytest.raises(Fault, match="404 CMN-102") as caught:
        read_content(sow(), reading, {**IDS, "attachmentId": "1"})
    assert caught.value.parameter == "attachmentId"
