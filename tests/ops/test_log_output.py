"""Log lines: their form, their stream, and what other libraries may say in them."""

import asyncio
import errno
import io
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.ops.log_output import Event, open_log, render_traceback


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


class FullDisk(io.BytesIO):
    def write(self, _data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def read_lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_event_first() -> None:
    stream = io.BytesIO()
    open_log("info", "json", stream).info("ready", port=8080, text="a\nb")
    (line,) = read_lines(stream)
    assert list(line) == ["timestamp", "level", "event", "port", "text"]
    assert (line["level"], line["event"], line["port"]) == ("info", "ready", 8080)
    assert line["timestamp"].endswith("Z")
    assert stream.getvalue().count(b"\n") == 1


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_event_may_carry_its_keys_in_one(form: str) -> None:
    lines = []
    for event in ({"fields": {"port": 8080}, "text": "a"}, {"port": 8080, "text": "a"}):
        stream = io.BytesIO()
        open_log("info", form, stream).info("ready", **event)
        lines.append(re.sub(rb"[0-9]{4}-[0-9T:.-]+Z", b"now", stream.getvalue()))
    assert lines[0] == lines[1]


def test_a_timestamp_is_utc_to_the_microsecond() -> None:
    stream = io.BytesIO()
    before = datetime.now(UTC)
    open_log("info", "json", stream).info("ready")
    told = datetime.fromisoformat(read_lines(stream)[0]["timestamp"])
    assert before <= told <= datetime.now(UTC)


def test_lines_below_the_level_are_not_written() -> None:
    stream = io.BytesIO()
    logger = open_log("warning", "json", stream)
    logger.info("quiet")
    logging.getLogger("aiohttp").info("quiet too")
    logger.warning("loud")
    assert [line["event"] for line in read_lines(stream)] == ["loud"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_standard_librarys_loggers_write_into_the_same_stream(form: str) -> None:
    stream = io.BytesIO()
    open_log("debug", form, stream)
    logging.getLogger("asyncio").warning("took %s s", 3)
    logging.getLogger("aiohttp").log(35, "between\nlevels")
    text = stream.getvalue()
    assert text.count(b"\n") == 2
    assert b"took 3 s" in text
    assert b"asyncio" in text
    assert b"between\\x0alevels" in text if form == "console" else b"between\\\\x0alevels" in text


def test_a_foreign_exception_shows_its_frames_but_not_its_text() -> None:
    stream = io.BytesIO()
    open_log("info", "json", stream)
    try:
        raise ValueError("bad header: Authorization: Bearer s3cr3t")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    (line,) = read_lines(stream)
    assert "builtins.ValueError" in line["exception"]
    assert "test_log_output.py" in line["exception"]
    assert "Bearer s3cr3t\n" not in line["exception"]
    assert line["exception"].endswith("builtins.ValueError")


def test_an_exception_of_ours_shows_its_text_in_one_line() -> None:
    stream = io.BytesIO()
    logger = open_log("info", "json", stream)
    try:
        raise KeyError("a\nb")
    except KeyError:
        logger.exception("bug")
    logger.error("bug", exc_info=KeyError("c"))
    logger.error("no bug", exc_info=None)
    first, second, third = read_lines(stream)
    assert first["exception"].endswith("builtins.KeyError: 'a\\nb'")
    assert second["exception"] == "builtins.KeyError: 'c'"
    assert "exception" not in third


def test_a_traceback_tells_causes_first_and_without_their_text() -> None:
    try:
        try:
            raise OSError("inner")
        except OSError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        shown = render_traceback(error, text=True)
    assert shown.index("builtins.OSError\n") < shown.index("builtins.RuntimeError: outer")


def test_a_suppressed_context_stays_untold() -> None:
    try:
        try:
            raise OSError("inner")
        except OSError:
            raise RuntimeError from None
    except RuntimeError as error:
        shown = render_traceback(error, text=True)
    assert "OSError" not in shown.splitlines()[-1]
    assert shown.endswith("builtins.RuntimeError")


def test_the_console_is_coloured_only_on_a_terminal() -> None:
    plain, coloured = io.BytesIO(), Terminal()
    open_log("info", "console", plain).info("ready", port=8080)
    open_log("info", "console", coloured).info("ready", port=8080)
    assert b"\x1b[" not in plain.getvalue()
    assert b"ready" in plain.getvalue()
    assert b"port=8080" in plain.getvalue()
    assert b"\x1b[" in coloured.getvalue()


def test_json_is_never_coloured() -> None:
    stream = Terminal()
    open_log("info", "json", stream).info("ready")
    assert b"\x1b" not in stream.getvalue()


def test_the_console_shows_shortened_events() -> None:
    def shorten(event: Event) -> Event:
        return {**event, "event": "short"}

    stream = io.BytesIO()
    open_log("info", "console", stream, shorten=shorten).info("long")
    assert b"short" in stream.getvalue()
    assert b"long" not in stream.getvalue()


def test_the_console_shows_a_traceback_below_its_line() -> None:
    stream = io.BytesIO()
    open_log("info", "console", stream).error("bug", exc_info=KeyError("c"))
    assert stream.getvalue().endswith(b"\nbuiltins.KeyError: 'c'\n")


def test_a_stream_that_takes_nothing_loses_lines_and_nothing_else() -> None:
    logger = open_log("info", "json", FullDisk())
    logger.info("lost")
    logger.error("lost too")


def test_values_that_json_does_not_know_are_written_as_text() -> None:
    stream = io.BytesIO()
    open_log("info", "json", stream).info("odd", value=object)
    assert read_lines(stream)[0]["value"] == "<class 'object'>"


def test_the_default_stream_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    open_log("info", "json").info("here")
    assert b'"event":"here"' in capfdbinary.readouterr().out


async def test_an_exception_that_nobody_caught_is_logged_by_asyncio() -> None:
    stream = io.BytesIO()
    open_log("info", "json", stream)
    error = ValueError("text")
    asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": error})
    (line,) = read_lines(stream)
    assert (line["level"], line["event"], line["logger"]) == ("error", "lost", "asyncio")
    assert line["exception"] == "builtins.ValueError"
