"""gateway/ops/log_stream.py: terminals, full disks, closed pipes, and the end of a process."""

import errno
import io
import os
import pty
import re
import select
import subprocess
import sys
import termios
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ops import log_stream
from gateway.ops.log_stream import LogStream
from tests.ops.log_reading import Far, lines_of, piped, tell_lost


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "_PATIENCE_S", 0.001)


def test_the_end_of_a_process_waits_for_a_reader_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_stream, "_PATIENCE_S", 0.2)
    lines = lines_of(3000)
    with piped() as far:
        out = LogStream(far.stream, tell_lost)
        for line in lines:
            out.write([line])
        out.finish()
        # Somebody reads at last.
        monkeypatch.setattr(log_stream, "_PATIENCE_S", 30.0)
        os.set_blocking(far.reader, True)
        size = sum(map(len, lines)) + len(lines)
        reading = threading.Thread(target=far.take, args=(size,))
        reading.start()
        out.finish()
        reading.join()
        assert far.read.splitlines() == lines


def test_behind_a_closed_pipe_lines_are_lost_and_no_room_is_held_for_them() -> None:
    reader, writer = os.pipe()
    with open(writer, "wb") as stream:
        out = LogStream(stream, tell_lost)
        for line in lines_of(2000):
            out.write([line])
        os.close(reader)
        for line in lines_of(20_000):
            out.write([line])
        out.finish()
        assert not out._waiting
        # What was in the pipe had been taken.
        assert (out._waiting_bytes, 21_000 < out._lost < 22_000) == (0, True)


@pytest.mark.parametrize("is_stopped", [True, False], ids=["stopped", "not read"])
def test_a_terminal_holds_nobody_up(is_stopped: bool) -> None:
    master, slave = pty.openpty()
    with open(slave, "wb", buffering=0) as stream:
        out = LogStream(stream, tell_lost)
        if is_stopped:
            termios.tcflow(slave, termios.TCOOFF)
        for line in lines_of(2000):
            out.write([line])
        termios.tcflow(slave, termios.TCOON)
        far = Far(master, stream)
        assert far.take_all(out) == lines_of(2000)
        assert os.get_blocking(slave)
    os.close(master)


def test_a_terminal_that_may_not_be_opened_is_written_to_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(path, flags)

    master, slave = pty.openpty()
    monkeypatch.setattr(os, "open", refuse)
    with open(slave, "wb", buffering=0) as stream:
        LogStream(stream, tell_lost).write([b"line"])
    assert os.read(master, 99) == b"line\r\n"
    os.close(master)


def test_a_terminal_that_is_logged_to_does_not_become_the_processs_own() -> None:
    script = (
        "import os, sys; from gateway.ops.log_stream import LogStream;"
        "LogStream(sys.stdout.buffer, bytes).write([b'line']); os.open('/dev/tty', os.O_RDWR)"
    )
    master, slave = pty.openpty()
    words = [sys.executable, "-c", script]
    # Who leads a session has the first terminal that it opens for its own (tty(4)).
    ended = subprocess.run(
        words, stdout=slave, stderr=subprocess.PIPE, start_new_session=True, check=False
    )
    os.close(slave)
    assert os.read(master, 99) == b"line\r\n"
    assert b"No such device or address: '/dev/tty'" in ended.stderr
    os.close(master)


class Full(io.BytesIO):
    """A disk that is full after some bytes, until there is room again."""

    room = 0

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "full")
        taken = super().write(bytes(data)[: self.room])
        self.room -= taken
        return taken


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=30))
def test_on_a_full_disk_lines_are_lost_and_counted_and_none_is_glued_to_another(
    steps: list[tuple[int, int]],
) -> None:
    disk = Full()
    out = LogStream(disk, tell_lost)
    for number, (size, more) in enumerate(steps):
        disk.room += more
        out.write([b"<%d " % number + b"x" * size + b">"])
    disk.room = 10_000
    out.write([b"<end>"])
    lines = disk.getvalue().splitlines()
    whole = [line for line in lines if line.startswith(b"<") and line.endswith(b">")]
    lost = sum(
        int(line.removeprefix(b"lost ")) for line in lines if re.fullmatch(rb"lost [0-9]+", line)
    )
    # What is not whole is the beginning of one.
    assert all(line.count(b"<") <= 1 for line in lines)
    # One that was written but for its end is counted, too.
    assert len(steps) + 1 - len(whole) <= lost <= 2 * len(steps)
    assert lines[-1] == b"<end>" or lines[-2:-1] == [b"<end>"]


def test_a_slow_reader_has_its_time_once_at_the_end_and_not_for_each_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0

    class Slow:
        """Has room for one piece each 100 ms."""

        def poll(self, timeout_ms: float) -> list[tuple[int, int]]:
            nonlocal now
            now += min(timeout_ms, 100.0) / 1000
            return [(1, select.POLLOUT)] if timeout_ms >= 100.0 else []

    monkeypatch.setattr(log_stream, "_PATIENCE_S", 0.35)
    monkeypatch.setattr(log_stream, "time", SimpleNamespace(monotonic=lambda: now))
    stream = io.BytesIO()
    out = LogStream(stream, tell_lost)
    monkeypatch.setattr(out, "_poll", Slow())
    for _ in range(9):
        out.write([b"x" * (select.PIPE_BUF - 1)])
    out.finish()
    assert (len(stream.getvalue()), round(now, 2)) == (3 * select.PIPE_BUF, 0.35)
