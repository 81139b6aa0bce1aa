"""gateway/ops/log_stream.py, over real pipes and sockets: nobody waits, what is lost is told."""

import asyncio
import io
import os
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ops import log_stream
from gateway.ops.log_stream import MOST_WAITING_BYTES, LogStream
from tests.eventually import eventually
from tests.ops.log_reading import PIPE_BYTES, Far, connected, lines_of, piped, tell_lost


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "_PATIENCE_S", 0.001)


@pytest.mark.parametrize("connect", [piped, connected], ids=["pipe", "socket"])
def test_nobody_waits_for_a_reader_that_pauses_and_nothing_is_lost(connect: object) -> None:
    assert callable(connect)
    lines = lines_of(5000)
    with connect() as far:
        out = LogStream(far.stream, tell_lost)
        for line in lines:
            out.write([line])
        assert far.take_all(out) == lines


def test_what_finds_no_room_is_lost_and_told_of_when_there_is_some() -> None:
    most = (MOST_WAITING_BYTES + PIPE_BYTES) // 1000
    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        lines = [line[:999] for line in lines_of(2 * most, 1000)]
        for line in lines:
            out.write([line])
        *kept, lost = far.take_all(out)
        assert kept == lines[: len(kept)]
        assert most - 5 <= len(kept) <= most
        assert lost == b"lost %d" % (len(lines) - len(kept))
        out.write([b"next", b"and next"])
        far.take()
        assert far.read.endswith(lost + b"\nnext\nand next\n")


@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(0, 30_000), min_size=1, max_size=4),
            st.integers(1, 200_000),
        ),
        max_size=60,
    )
)
def test_however_it_is_read_lines_are_whole_and_in_order_or_counted(
    steps: list[list[int] | int],
) -> None:
    written: list[bytes] = []
    with piped() as far, pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_stream, "MOST_WAITING_BYTES", 50_000)
        out = LogStream(far.stream, tell_lost)
        for step in steps:
            if isinstance(step, int):
                far.take(step)
                continue
            lines = [b"%d " % len(written) + b"x" * size for size in step]
            out.write(lines)
            written += lines
        out.write([b"end"])
        written.append(b"end")
        at = 0
        for line in far.take_all(out):
            if line.startswith(b"lost "):
                at += int(line.removeprefix(b"lost "))
            else:
                assert line == written[at]
                at += 1
        assert at == len(written)


@pytest.mark.parametrize("size", [10, 3 * PIPE_BYTES])
def test_what_another_process_has_made_not_to_wait_loses_nothing_either(size: int) -> None:
    lines = lines_of(5, size)
    with piped() as far:
        os.set_blocking(far.stream.fileno(), False)
        out = LogStream(far.stream, tell_lost)
        for line in lines:
            out.write([line])
        assert far.take_all(out) == lines


async def test_what_waits_leaves_when_there_is_room_though_nothing_more_is_written() -> None:
    lines = lines_of(2000)
    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        for line in lines:
            out.write([line])

        def is_all_read() -> bool:
            far.take()
            return far.read.splitlines() == lines

        assert not is_all_read()
        await eventually(is_all_read)


async def write_in_a_thread(far: Far, out: LogStream) -> None:
    """Write more than there is room for, and read it though nothing more is written."""
    lines = lines_of(2000)
    out.write(lines[:1])
    await asyncio.to_thread(out.write, lines[1:])
    assert out._waiting

    def is_all_read() -> bool:
        far.take()
        return far.read.splitlines()[-2000:] == lines

    await eventually(is_all_read)


def test_what_a_thread_has_written_leaves_when_there_is_room_just_as_well() -> None:
    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        asyncio.run(write_in_a_thread(far, out))
        # Nobody looks again in a loop that has ended, and in the next one somebody does.
        out.write(lines_of(2000))
        assert len(far.take_all(out)) == 4000
        asyncio.run(write_in_a_thread(far, out))


def test_a_loop_that_ended_keeps_nothing_waiting() -> None:
    async def write(line: bytes) -> None:
        out.write([line] * 2000)

    def is_all_read() -> bool:
        far.take()
        return far.read.count(b"second") == 2000

    async def read() -> None:
        await write(b"second")
        await eventually(is_all_read)

    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        asyncio.run(write(b"x" * 99))
        asyncio.run(read())


def test_who_logs_while_a_line_is_written_waits_for_nobody() -> None:
    class Talkative(io.BytesIO):
        def write(self, data: Any) -> int:
            if b"first" in bytes(data):
                # As the finalizer of something that is collected just now.
                out.write([b"within"])
            return super().write(data)

    stream = Talkative()
    out = LogStream(stream, tell_lost)
    out.write([b"first"])
    out.write([b"second"])
    assert stream.getvalue() == b"first\nwithin\nsecond\n"


def test_others_who_take_the_room_of_a_pipe_hold_nobody_up() -> None:
    with piped() as far:
        outs = [LogStream(far.stream, tell_lost) for _ in range(2)]
        # All of it but one page, which each of them is told of.
        outs[0].write([b"x" * (PIPE_BYTES - 4096 - 1)])
        real: Any = outs[1]._poll

        class Late:
            """Says what was so before the other one wrote."""

            def poll(self, timeout: float) -> list[tuple[int, int]]:
                found: list[tuple[int, int]] = real.poll(timeout)
                if found:
                    outs[0].write([b"y" * 4095])
                return found

        outs[1]._poll = Late()  # type: ignore[assignment]  # it is asked nothing else
        outs[1].write([b"z" * 4095])
        far.take()
        outs[1]._poll = real
        outs[1].finish()
        far.take()
        assert far.read.splitlines()[1:] == [b"y" * 4095, b"z" * 4095]


def test_what_was_printed_before_leaves_before() -> None:
    with piped() as far:
        far.stream.write(b"printed\n")
        LogStream(far.stream, tell_lost).write([b"line"])
        far.take()
        assert far.read == b"printed\nline\n"


def test_a_stream_of_no_descriptor_takes_all_at_once() -> None:
    stream = io.BytesIO()
    out = LogStream(stream, tell_lost)
    out.write([b"a", b"b"])
    out.write([b"x" * 10_000_000])
    assert stream.getvalue() == b"a\nb\n" + b"x" * 10_000_000 + b"\n"


def test_threads_do_not_mix_their_lines() -> None:
    def write_each(lines: list[bytes]) -> None:
        for line in lines:
            out.write([line])

    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        lines = [[b"%d" % number * 9000] * 10 for number in range(4)]
        threads = [threading.Thread(target=write_each, args=(mine,)) for mine in lines]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            far.take()
            time.sleep(0.001)
        assert sorted(far.take_all(out)) == sorted(line for mine in lines for line in mine)
