"""Where log lines go and what they look like: JSON for machines, a console for people.

Configured once, before the first line. The standard library's loggers (aiohttp, asyncio)
write into the same stream in the same form, so that one reader reads everything.

Rule 1: a stream that cannot be written to loses lines and nothing else: no request and
        no start-up fails, or waits, because of the log (`log_stream.py`).
Rule 2: the text of another library's exception is not logged, because aiohttp quotes the
        bytes that it could not parse, and those may be a caller's credential.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, TypeAlias

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from gateway.ops.log_stream import LogStream
from gateway.ops.redaction import show_text

Event: TypeAlias = MutableMapping[str, Any]
Render: TypeAlias = Callable[[Any, str, Event], bytes]
Shorten: TypeAlias = Callable[[Event], Event]

_LEVELS = {level: logging.getLevelName(level).lower() for level in range(10, 60, 10)}
# Several screens of a traceback's message help nobody.
_MAX_FOREIGN_TEXT = 2000
# The key of when an event was.
AT = "monotonic_s"
# To write the time of a line anew takes half as long as the line (1.8 us of 3.6).
_SAME_TIME_S = 0.001


def open_log(
    level: str, form: str, stream: BinaryIO | None = None, *, shorten: Shorten = lambda event: event
) -> FilteringBoundLogger:
    """Configure logging for this process and return its logger.

    `level` and `form` are `log.level` and `log.format`; `stream` is standard output unless
    given; `shorten` rewrites an event for the console.
    """
    stream = stream or sys.stdout.buffer
    render = _render_json if form == "json" else _console(stream.isatty(), shorten)

    def tell_lost(count: int) -> bytes:
        return render(None, "warning", {"event": "log lines lost", "lines": count})

    lines = Lines(_replace(stream, tell_lost), is_json=form == "json")
    _open.append(lines)
    atexit.register(lines.finish)
    structlog.configure(
        processors=[render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
    )
    # Bound once: `get_logger` returns a proxy that looks for the real one at every call.
    logger: FilteringBoundLogger = structlog.get_logger().bind()
    logging.basicConfig(handlers=[_Route(logger)], level=level.upper(), force=True)
    return logger


def render_traceback(error: BaseException, *, text: bool) -> str:
    """Return the frames and types of an error and its causes; with `text` also what it says."""
    said = f": {show_text(str(error))}" if text and str(error) else ""
    frames = "".join(traceback.format_tb(error.__traceback__))
    shown = f"{frames}{type(error).__module__}.{type(error).__qualname__}{said}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown if cause is None else f"{render_traceback(cause, text=False)}\n{shown}"


def _replace(stream: BinaryIO, tell_lost: Callable[[int], bytes]) -> LogStream:
    """Write what the lines before hold; return what the new ones are written by."""
    out = None
    while _open:
        before = _open.pop()
        before.flush()
        atexit.unregister(before.finish)
        out = before.out
    if out is not None and out.stream is stream:
        # It may have lines that wait.
        out.tell_lost = tell_lost
        return out
    return LogStream(stream, tell_lost)


class Lines:
    """Writes lines as long as somebody takes them.

    Those of requests without a warning are written at the end of a turn of the event loop, in
    pieces of whole lines that go in at once, so that those of several processes do not mix.
    """

    def __init__(self, out: LogStream, *, is_json: bool) -> None:
        self.is_json = is_json
        self.out = out
        self._held: list[bytes] = []
        # What the latest line begins with, and what that says.
        self._begun = b""
        self._begun_until = 0.0
        self._level, self._event = logging.NOTSET, ""
        self._due: asyncio.AbstractEventLoop | None = None
        # Called on the event loop before any other line is written, for those that come before it.
        self.before_others: Callable[[], None] = _nothing

    def tell(
        self, level: int, event: str, at: float, fields: dict[str, object], end: bytes
    ) -> None:
        """Write an event that was `at` monotonic seconds as JSON.

        None is of an earlier time than the one before. `fields` are not empty, `end` is from the
        comma behind them.
        """
        if "exc_info" in fields:
            _show_error(fields)
        if at >= self._begun_until or level != self._level or event != self._event:
            self._begin(level, event, at)
        line = self._begun + orjson.dumps(fields, str)[1:-1] + end
        # Looked for only now: a library may have logged in another thread, and flushed.
        self._held.append(line)
        if level >= logging.WARNING:
            self.flush()
        elif self._due is None or self._due.is_closed():
            self._flush_soon()

    def _begin(self, level: int, event: str, at: float) -> None:
        self._level, self._event, self._begun_until = level, event, at + _SAME_TIME_S
        begun = {"timestamp": _wall_time(at), "level": _LEVELS[level], "event": event}
        self._begun = orjson.dumps(begun, None, orjson.OPT_UTC_Z)[:-1] + b","

    def _flush_soon(self) -> None:
        try:
            self._due = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            self._due.call_soon(self.flush)

    def msg(self, message: bytes) -> None:
        """Write a line at once."""
        if asyncio._get_running_loop() is not None:
            self.before_others()
        # What comes after this one is not of an earlier time.
        self._begun_until = 0.0
        self._held.append(message)
        self.flush()

    def flush(self) -> None:
        """Write what is held."""
        held, self._held, self._due = self._held, [], None
        most = self.out.most_at_once
        if sum(map(len, held)) + len(held) <= most:
            if held:
                self.out.write(held)
            return
        piece: list[bytes] = []
        size = 0
        for line in held:
            if piece and size + len(line) >= most:
                self.out.write(piece)
                piece, size = [], 0
            piece.append(line)
            size += len(line) + 1
        self.out.write(piece)

    def finish(self) -> None:
        """Write what is held and what waits: the process ends."""
        self.flush()
        self.out.finish()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


_open: list[Lines] = []


def lines_of(logger: FilteringBoundLogger) -> Lines | None:
    """Return what a logger of `open_log` writes to, None for another one's."""
    lines = getattr(logger, "_logger", None)
    return lines if isinstance(lines, Lines) else None


def json_lines(logger: FilteringBoundLogger) -> Lines | None:
    """Return what a logger writes JSON to, for whoever has no time for its processors."""
    lines = lines_of(logger)
    return lines if lines is not None and lines.is_json else None


def _nothing() -> None:
    """Do nothing."""


def _wall_time(at: float) -> datetime:
    """Return the time of day at a moment of the monotonic clock, which has passed."""
    return datetime.now(UTC) - timedelta(seconds=time.monotonic() - at)


class _Route(logging.Handler):
    """Carries a record of the standard library's into our log."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        # Levels between the named ones count as the named one below.
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        details: dict[str, object] = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            details["exception"] = render_traceback(record.exc_info[1], text=False)
        self._logger.log(level, show_text(record.getMessage(), _MAX_FOREIGN_TEXT), **details)


def _complete(level: str, event: Event) -> Event:
    """Return the event behind what every line has first, its `exc_info` as the traceback's text.

    One that is older than its line says when it was, in monotonic seconds, as `AT`.
    """
    at = event.pop(AT, None)
    when = datetime.now(UTC) if at is None else _wall_time(at)
    line: Event = {"timestamp": when, "level": level, "event": event.pop("event")}
    # An event with many keys carries them in one: structlog copies each keyword four times.
    line.update(event.pop("fields", {}))
    line.update(event)
    if "exc_info" in line:
        _show_error(line)
    return line


def _show_error(line: Event) -> None:
    error = line.pop("exc_info")
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        line["exception"] = render_traceback(error, text=True)


def _render_json(_logger: Any, method: str, event: Event) -> bytes:
    """Return one JSON object."""
    line = _complete(method, event)
    return orjson.dumps(line, default=str, option=orjson.OPT_UTC_Z)


def _console(colors: bool, shorten: Shorten) -> Render:
    # Without the column of padding that is meant for short words; ours are sentences.
    renderer = structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0, sort_keys=False)

    def render(logger: Any, method: str, event: Event) -> bytes:
        line = _complete(method, event)
        line["timestamp"] = line["timestamp"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return renderer(logger, method, shorten(line)).encode("utf-8", "backslashreplace")

    return render
