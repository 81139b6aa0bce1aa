import json
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from gateway.simulator import Running
from gateway.simulator.faults import Fault
from gateway.simulator.reading import RawPairs, Wire, parse_wire
from gateway.simulator.recordings import read_recording, read_recording_content
from gateway.simulator.seeds import sow

CALL = next(call for call in sow().calls if call.recording_id)
IDS = {"recordingId": CALL.recording_id}


def test_a_recording_says_where_its_content_is() -> None:
    answer = read_recording(sow(), parse_wire(Wire("GET", "/x"), "http://h"), IDS)
    document = json.loads(answer.body)
    assert document["contentUri"] == f"{document['uri']}/content"
    assert (document["id"], document["duration"]) == (CALL.recording_id, CALL.duration_s)


def test_the_content_is_sound_whole_or_a_range() -> None:
    def read(*headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
        pairs: RawPairs = headers
        wire = Wire("GET", "/x", pairs)
        answer = read_recording_content(sow(), parse_wire(wire, "http://h"), IDS)
        assert dict(answer.headers)["Content-Type"] == "audio/x-wav"
        return answer.status, answer.body

    status, whole = read()
    assert (status, whole[:4]) == (200, b"RIFF")
    assert read((b"Range", b"bytes=0-3")) == (206, b"RIFF")


def test_a_recording_that_is_none_is_missing() -> None:
    reading = parse_wire(Wire("GET", "/x"), "http://h")
    with pytest.raises(Fault, match="404 CMN-102"):
        read_recording(sow(), reading, {"recordingId": "1"})


async def test_every_content_uri_of_the_call_log_is_served(
    simulator: Running, client: ClientSession
) -> None:
    async with client.get("/restapi/v1.0/account/~/call-log?withRecording=true") as reply:
        records = (await reply.json())["records"]
    assert len(records) == sum(bool(call.recording_id) for call in sow().calls)
    for record in records:
        for name in ("uri", "contentUri"):
            async with client.get(record["recording"][name]) as reply:
                assert reply.status == 200
                assert urlsplit(str(reply.url)).port == simulator.port
