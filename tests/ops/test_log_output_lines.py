"""gateway/ops/log_output.py: when lines of requests are written, and that none is lost."""

import asyncio
import gc
import io
import json
import logging
import time
import weakref
from datetime import UTC, datetime
from pathlib import Path
from select import PIPE_BUF
from typing import Any, BinaryIO, cast

import pytest

from gateway.ops import log_stream
from gateway.ops.log_output import AT, json_lines, lines_of, open_log
from gateway.ops.log_stream import MOST_WAITING_BYTES
from tests.ops.log_reading import piped

END = b',"more":1}'
NOW = 5000.0


class Pieces(io.BytesIO):
    """Keeps what each write had."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: Any) -> int:
        self.pieces.append(bytes(data))
        return len(data)


async def test_lines_of_requests_are_written_in_whole_lines_that_a_pipe_takes_at_once() -> None:
    stream = Pieces()
    lines = json_lines(open_log("info", "json", stream))
    assert lines is not None
    for number in range(100):
        lines.tell(logging.INFO, "request", NOW, {"number": number, "text": "x" * number * 10}, END)
    lines.tell(logging.INFO, "request", NOW, {"text": "x" * 2 * PIPE_BUF}, END)
    assert not stream.pieces
    await asyncio.sleep(0)
    assert 10 < len(stream.pieces) < 100
    assert all(piece.endswith(b"\n") for piece in stream.pieces)
    assert [len(piece) > PIPE_BUF for piece in stream.pieces] == [
        *[False] * (len(stream.pieces) - 1),
        True,
    ]
    written = [json.loads(line) for line in b"".join(stream.pieces).splitlines()]
    assert [line.get("number") for line in written] == [*range(100), None]


async def test_lines_of_requests_are_written_to_a_file_all_at_once(tmp_path: Path) -> None:
    class Counting(io.FileIO):
        writes = 0

        def write(self, data: Any, /) -> int:
            self.writes += 1
            return super().write(data)

    with Counting(tmp_path / "log", "w") as stream:
        lines = json_lines(open_log("info", "json", cast(BinaryIO, stream)))
        assert lines is not None
        for number in range(100):
            lines.tell(logging.INFO, "request", NOW, {"number": number}, END)
        await asyncio.sleep(0)
        assert stream.writes == 1
    written = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["number"] for line in written] == list(range(100))


async def test_any_other_line_is_written_at_once_and_after_what_came_before() -> None:
    stream = Pieces()
    logger = open_log("info", "json", stream)
    lines = json_lines(logger)
    assert lines is not None
    lines.tell(logging.INFO, "first", NOW, {"number": 1}, END)
    logger.info("second")
    lines.tell(logging.WARNING, "third", NOW, {"number": 1}, END)
    events = [json.loads(line)["event"] for line in b"".join(stream.pieces).splitlines()]
    assert events == ["first", "second", "third"]


async def test_lines_of_one_turn_begin_each_with_their_own_level_and_event() -> None:
    stream = Pieces()
    lines = json_lines(open_log("info", "json", stream))
    assert lines is not None
    kinds = [(logging.INFO, "a"), (logging.INFO, "b"), (logging.DEBUG, "b"), (logging.INFO, "a")]
    for level, event in kinds:
        lines.tell(level, event, NOW, {"number": 1}, END)
    await asyncio.sleep(0)
    written = [json.loads(line) for line in b"".join(stream.pieces).splitlines()]
    told = [(line["level"], line["event"]) for line in written]
    assert told == [(logging.getLevelName(level).lower(), event) for level, event in kinds]
    assert all([*line] == ["timestamp", "level", "event", "number", "more"] for line in written)
    assert len({line["timestamp"] for line in written}) <= len(kinds)


async def test_a_line_says_when_it_was_and_not_when_it_is_written() -> None:
    stream = Pieces()
    lines = json_lines(open_log("info", "json", stream))
    assert lines is not None
    now = time.monotonic()
    ago_s = (600.0, 599.9995, 300.0, 0.0)
    for one in ago_s:
        lines.tell(logging.INFO, "request", now - one, {"ago_s": one}, END)
    open_log("info", "json", stream).info("older", **{AT: now - 100.0})
    written = [json.loads(line) for line in b"".join(stream.pieces).splitlines()]
    told = [datetime.fromisoformat(line["timestamp"]) for line in written]
    # What is of one millisecond has one time.
    assert told[0] == told[1]
    told_ago_s = [(datetime.now(UTC) - one).total_seconds() for one in told]
    # The process may pause between two looks at the clocks.
    assert told_ago_s == pytest.approx([600.0, 600.0, 300.0, 0.0, 100.0], abs=30.0)


async def test_no_line_is_of_an_earlier_time_than_another_one_before_it() -> None:
    stream = Pieces()
    lines = json_lines(logger := open_log("info", "json", stream))
    assert lines is not None
    now = time.monotonic()
    lines.tell(logging.INFO, "request", now, {"number": 1}, END)
    logger.info("between")
    lines.tell(logging.INFO, "request", now + 0.0005, {"number": 2}, END)
    lines.flush()
    written = [json.loads(line) for line in b"".join(stream.pieces).splitlines()]
    assert written[0]["timestamp"] != written[2]["timestamp"]


@pytest.mark.parametrize("form", ["json", "console"])
async def test_what_comes_before_a_line_is_asked_for_when_it_is_written(form: str) -> None:
    stream = io.BytesIO()
    logger = open_log("info", form, stream)
    lines = lines_of(logger)
    assert lines is not None
    earlier = ["first", "second"]

    def tell() -> None:
        told, earlier[:] = [*earlier], []
        for word in told:
            logger.info(word)

    lines.before_others = tell
    logger.info("third")
    # In a thread nothing of the event loop's is done.
    earlier.append("never")
    await asyncio.to_thread(logger.info, "fourth")
    written = [line.rpartition(b"event")[2] for line in stream.getvalue().splitlines()]
    words = (b"first", b"second", b"third", b"fourth")
    assert [word in line for word, line in zip(words, written, strict=True)] == [True] * 4


async def test_a_line_is_not_lost_when_another_one_is_written_while_it_is_made() -> None:
    stream = Pieces()
    lines = json_lines(open_log("info", "json", stream))
    assert lines is not None

    class Loud:
        def __str__(self) -> str:
            # As a library's logger in another thread would.
            assert lines is not None
            lines.msg(b'{"event":"between"}')
            return "loud"

    lines.tell(logging.INFO, "first", NOW, {"number": 1}, END)
    lines.tell(logging.INFO, "second", NOW, {"number": Loud()}, END)
    await asyncio.sleep(0)
    events = [json.loads(line)["event"] for line in b"".join(stream.pieces).splitlines()]
    assert events == ["first", "between", "second"]


async def test_a_log_that_is_opened_anew_comes_after_the_one_before() -> None:
    stream = Pieces()
    lines = json_lines(open_log("info", "json", stream))
    assert lines is not None
    lines.tell(logging.INFO, "first", NOW, {"number": 1}, END)
    open_log("info", "console", stream).info("second")
    assert [b"first" in stream.pieces[0], b"second" in stream.pieces[1]] == [True, True]


def test_what_a_log_that_is_opened_anew_has_lost_is_told_of_in_its_own_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_stream, "_PATIENCE_S", 0.001)
    with piped() as far:
        logger = open_log("info", "json", far.stream)
        for _ in range(3):
            logger.info("x" * MOST_WAITING_BYTES)
        lines = lines_of(open_log("info", "console", far.stream))
        assert lines is not None
        *_, lost = far.take_all(lines.out)
    assert b"log lines lost" in lost
    assert lost.endswith(b"lines=2")


def test_of_a_log_that_was_opened_anew_nothing_is_left() -> None:
    before = weakref.ref(lines_of(open_log("info", "json", io.BytesIO())))
    open_log("info", "json", io.BytesIO())
    gc.collect()
    assert before() is None
