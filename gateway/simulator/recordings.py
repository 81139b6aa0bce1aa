"""Recordings of calls: what is known of one, and its sound.

They are those of the call log. The vendor serves the content from its media host; here it
is the same host, the one the request was addressed by. A range of the content is honoured
as with an attachment.
"""

from collections.abc import Mapping

from gateway.simulator.answers import Answer, render_document
from gateway.simulator.calllog import render_recording
from gateway.simulator.faults import missing_resource
from gateway.simulator.media import render_content
from gateway.simulator.reading import Reading
from gateway.simulator.samples import wav
from gateway.simulator.world import Attachment, CallRecord, World


def read_recording(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer what is known of one recording."""
    call = _find_call(world, ids)
    document = render_recording(call, reading.origin)
    return render_document({**document, "duration": call.duration_s})


def read_recording_content(world: World, reading: Reading, ids: Mapping[str, str]) -> Answer:
    """Answer the sound of one recording, a second of it."""
    name = f"recording-{_find_call(world, ids).recording_id}.wav"
    return render_content(Attachment(0, "Recording", "audio/x-wav", name, wav(1)), reading)


def _find_call(world: World, ids: Mapping[str, str]) -> CallRecord:
    for call in world.calls:
        if call.recording_id == ids["recordingId"]:
            return call
    raise missing_resource("recordingId")
