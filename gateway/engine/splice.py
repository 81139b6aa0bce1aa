"""A long body on its way from one socket to another inside the kernel (splice(2)).

Most long bodies need not be seen, only counted. Where neither side is encrypted their bytes
then go through a pipe, and are never copied into this process. Linux has this; without it, or
when no pipe is to be had, bodies are read and written.

Rule 1: the beginning and the end of a body are read, and so is whatever goes wrong: this ends
        then, and the connections meet what happened as they would have without it.
Rule 2: what is in a pipe and cannot leave is given back before anything else is read.
Rule 3: meanwhile nobody else reads from the one socket, or writes to the other.
Rule 4: bytes are counted when they have left.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from typing import Protocol

from gateway.engine.lookout import Lookout
from gateway.engine.pipes import PIPE_BYTES, Pipe, pipes
from gateway.engine.watch import Watch
from gateway.engine.wire import NO_DESCRIPTOR, Wire

# What is left to be read of a body.
TAIL_BYTES = 16384
# A shorter rest is here with one read, or two.
LEAST_BYTES = 131072
# Copying is not what holds up a body of which nothing comes or leaves for so long.
PATIENCE_S = 0.1

# A MiB where pipes have their size, after which others have their turn.
_MOST_AT_ONCE = 2

_IS_KNOWN = hasattr(os, "splice")
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK if _IS_KNOWN else 0
_ENDED = -1


class Passage(ABC):
    """Takes bytes of a body as they come, which leave as they are and need not be seen."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, data: bytes) -> bool:
        """Take bytes, or tell with False that they cannot be taken now."""

    @abstractmethod
    def outlet(self) -> Wire | None:
        """Return where bytes may leave unseen, None while they may not."""

    @abstractmethod
    def count(self, size: int) -> None:
        """Take note that so many have left."""


class Receiver(Protocol):
    """Whoever receives a body."""

    @property
    def inlet(self) -> Wire | None:
        """Return where the body comes in, None when that is gone."""

    @property
    def left(self) -> int:
        """Return how many bytes of it have not come yet, 0 when nobody knows."""

    def let_by(self, size: int) -> None:
        """Take note that so many came and have left."""

    def put_back(self, data: bytes) -> None:
        """Hold what came and has not left; nobody takes it at once any more."""

    def data_received(self, data: bytes) -> None:
        """Take what came as if it had been read."""

    def note_broken(self) -> None:
        """Take note that the connection broke; who reads is told no more than that it ended."""


def begin_splice(
    loop: asyncio.AbstractEventLoop, receiver: Receiver, take: object
) -> Splice | None:
    """Have the rest of a body go by itself, if it may; return what is under way of that."""
    if receiver.left < LEAST_BYTES or not _IS_KNOWN or not isinstance(take, Passage):
        return None
    inlet, outlet = receiver.inlet, take.outlet()
    if inlet is None or outlet is None or NO_DESCRIPTOR in (inlet.descriptor, outlet.descriptor):
        return None
    outlet.send()
    if outlet.get_write_buffer_size() or outlet.is_closing() or inlet.is_closing():
        return None
    pipe = pipes.take()
    if pipe is None:
        return None
    splice = Splice(loop, receiver, take, inlet, pipe)
    splice.begin()
    return None if splice.is_over else splice


class Splice:
    """The middle of one body; it ends by itself, or is stopped."""

    __slots__ = (
        *("_held", "_inlet", "_is_paused", "_lookout", "_loop", "_passage", "_pipe", "_receiver"),
        *("_watch", "is_over"),
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        receiver: Receiver,
        passage: Passage,
        inlet: Wire,
        pipe: Pipe,
    ) -> None:
        self._loop = loop
        self._receiver = receiver
        self._passage = passage
        self._inlet = inlet
        self._pipe = pipe
        # Bytes in the pipe.
        self._held = 0
        self._watch = Watch(loop)
        self._lookout = Lookout(loop)
        self._is_paused = self.is_over = False

    def begin(self) -> None:
        """Move what is here, and wait for more."""
        if self._move_some():
            self._await_bytes()

    def stop(self) -> None:
        """End now, and have what has not left put back."""
        if not self.is_over and (data := self._end()):
            self._receiver.put_back(data)

    def _go_on(self) -> None:
        """Move what has come, after the event loop has told of it."""
        left = self._receiver.left
        if self._move_some():
            if self._receiver.left < left:
                self._await_bytes()
            else:
                # Something is here that cannot be moved, as an urgent byte: who reads takes it.
                self._end()

    def _move_some(self) -> bool:
        """Move what is here, unless that is much; tell whether more is to be waited for."""
        for _ in range(_MOST_AT_ONCE):
            size = min(self._receiver.left - TAIL_BYTES, PIPE_BYTES)
            is_open = size > 0 and not self._inlet.is_closing()
            try:
                moved = _move(self._inlet.descriptor, self._pipe.inlet, size) if is_open else _ENDED
            except ConnectionError:
                self._end()
                self._receiver.note_broken()
                return False
            if moved == _ENDED:
                # Enough was moved, or who reads meets what happened.
                self._end()
                return False
            if not moved:
                return True
            self._held = moved
            if not self._empty():
                return False
        self._have_others_go_first()
        return False

    def _have_others_go_first(self) -> None:
        # Of a socket that broke uvloop tells once, however much is still to be read.
        self._wait_no_more()
        self._pause()
        self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        if not self.is_over:
            self.begin()

    def _empty(self) -> bool:
        """Have what is in the pipe leave, or wait for room; tell whether all has left."""
        outlet = self._passage.outlet()
        if outlet is None or outlet.is_closing():
            self._give_up()
            return False
        try:
            moved = _move(self._pipe.outlet, outlet.descriptor, self._held)
        except ConnectionError:
            moved = _ENDED
        if moved == _ENDED:
            # Who writes meets what happened.
            self._give_up()
            return False
        self._held -= moved
        self._receiver.let_by(moved)
        self._passage.count(moved)
        if self._held:
            self._await_room(outlet, has_moved=moved > 0)
        return not self._held

    def _await_bytes(self) -> None:
        """Wait for more, but not for long: others may need the pipe."""
        if not self._lookout.awaits_bytes:
            self._pause()
            try:
                self._lookout.await_bytes(self._inlet.descriptor, self._go_on)
            except OSError:
                self._end()
                return
        self._watch.set(self._loop.time() + PATIENCE_S, self._give_back)

    def _await_room(self, outlet: Wire, *, has_moved: bool) -> None:
        """Wait for room, but not for long: who is slow gets it by the longer way."""
        if not self._lookout.awaits_room:
            self._pause()
            try:
                self._lookout.await_room(outlet.descriptor, self._on_room)
            except OSError:
                self._give_up()
                return
        elif not has_moved:
            return
        self._watch.set(self._loop.time() + PATIENCE_S, self._give_back)

    def _on_room(self) -> None:
        if self._empty():
            self._wait_no_more()
            self.begin()

    def _give_up(self) -> None:
        """Have what is in the pipe given back, when nobody is in the middle of reading."""
        self._wait_no_more()
        self._pause()
        self._loop.call_soon(self._give_back)

    def _give_back(self) -> None:
        """End, and leave what has not left to whoever reads."""
        if self.is_over or not (data := self._end()):
            return
        try:
            self._receiver.data_received(data)
        except BaseException:
            # As where the event loop gives what it has read.
            self._inlet.abort()
            raise

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._inlet.pause_reading()

    def _wait_no_more(self) -> None:
        self._watch.clear()
        self._lookout.stop()

    def _end(self) -> bytes:
        """Let go of everything; return what has not left."""
        self.is_over = True
        self._watch.close()
        self._lookout.close()
        held, self._held = self._held, 0
        data = os.read(self._pipe.outlet, held) if held else b""
        pipes.give_back(self._pipe, self._loop, is_empty=len(data) == held)
        if self._is_paused and not self._inlet.is_closing():
            self._inlet.resume_reading()
        return data


def _move(source: int, sink: int, size: int) -> int:
    """Return how many bytes were moved: 0 if none can be now, `_ENDED` if there will be none.

    Raises `ConnectionError` where that tells of one: the kernel tells it once.
    """
    try:
        return os.splice(source, sink, size, flags=_FLAGS) or _ENDED
    except BlockingIOError:
        return 0
    except ConnectionError:
        raise
    except OSError:
        return _ENDED
