"""A long reply with links, passed on as it comes to a caller that takes some of it at once."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.chunked import ChunkedReader
from gateway.core.framing import CHUNKED
from gateway.engine.events import Record
from gateway.engine.relay import relay_reply
from gateway.engine.relinking import relink
from gateway.engine.upstream import UpstreamConnection
from tests.core.link_world import HERE, PLATFORM, TO_HERE
from tests.engine.linked import ASK, soon
from tests.engine.test_relay import HEAD, Caller
from tests.policy.world import plan_of

PLAN = plan_of("GET", "/restapi")
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
LINK = f'"{PLATFORM}/restapi/1"'.encode()
ITEMS = st.lists(
    st.sampled_from([LINK, b"7", b'"text"', b'"' + b"x" * 70_000 + b'"', b" " * 70_000 + b"null"]),
    max_size=7,
)
# How many bytes come, and whether the caller takes what is written then.
STEPS = st.lists(st.tuples(st.integers(1, 100_000) | st.integers(1, 50), st.booleans()), max_size=8)


async def relayed(sent: bytes, steps: list[tuple[int, bool]]) -> tuple[bytes, int]:
    """Return the body that the caller got, and its size as it was counted."""
    caller, record = Caller(), Record("id", 0.0)
    upstream = UpstreamConnection(asyncio.get_running_loop())
    upstream.ask("GET", ASK)
    upstream.data_received(REPLY)
    head, body = await relink(await upstream.read_head(soon()), upstream, TO_HERE, PLAN, 5.0)
    assert head.framing == CHUNKED
    relaying = asyncio.create_task(relay_reply(caller, body, HEAD, CHUNKED, 5.0, record))
    for count, takes in steps:
        # Now and then two pieces come before whoever reads them is woken.
        if count % 3:
            await asyncio.sleep(0)
        (caller.is_ready.set if takes else caller.is_ready.clear)()
        piece, sent = sent[:count], sent[count:]
        upstream.data_received(piece)
    caller.is_ready.set()
    if sent:
        upstream.data_received(sent)
    upstream.eof_received()
    await relaying
    reader = ChunkedReader()
    data = b"".join(reader.feed(b"".join(caller.writes).removeprefix(HEAD)))
    assert reader.done
    return data, record.bytes_out


@settings(max_examples=300, deadline=None)
@given(ITEMS, STEPS)
def test_what_the_caller_gets_is_what_came_rewritten_however_it_takes_it(
    items: list[bytes], steps: list[tuple[int, bool]]
) -> None:
    sent = b"[%b]" % b",".join(items)
    data, size = asyncio.run(relayed(sent, steps))
    assert data == TO_HERE.rewrite_json(sent)
    assert size == len(data)


async def test_what_comes_to_a_caller_that_takes_it_waits_for_no_task() -> None:
    caller = Caller()
    upstream = UpstreamConnection(asyncio.get_running_loop())
    upstream.ask("GET", ASK)
    upstream.data_received(REPLY)
    head, body = await relink(await upstream.read_head(soon()), upstream, TO_HERE, PLAN, 5.0)
    relaying = asyncio.create_task(
        relay_reply(caller, body, HEAD, head.framing, 5.0, Record("id", 0.0))
    )
    await asyncio.sleep(0)
    caller.writes.clear()
    upstream.data_received(LINK + b",")
    written = f'"{HERE}/restapi/1",'.encode()
    assert caller.writes == [b"%x\r\n%b\r\n" % (len(written), written)]
    upstream.eof_received()
    await relaying
