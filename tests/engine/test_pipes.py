"""gateway/engine/pipes.py: how much one holds, and how many there are."""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import ClassVar, cast

import pytest

from gateway.engine.pipes import MOST_PIPES, PIPE_BYTES, Pipe, Pipes
from tests.eventually import eventually


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_pipe_holds_as_much_as_it_shall_and_never_waits() -> None:
    pipe = Pipe()
    with pytest.raises(BlockingIOError):
        os.read(pipe.outlet, 1)
    assert os.write(pipe.inlet, bytes(PIPE_BYTES + 1)) == PIPE_BYTES
    with pytest.raises(BlockingIOError):
        os.write(pipe.inlet, b"x")
    pipe.close()


async def test_no_more_are_open_than_are_allowed_and_none_is_kept_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.engine.pipes.KEPT_S", 0.05)
    loop, pipes = asyncio.get_running_loop(), Pipes()
    before = descriptors()
    for _ in range(2):
        taken = [pipe for _ in range(MOST_PIPES) if (pipe := pipes.take()) is not None]
        assert len(taken) == MOST_PIPES == pipes.count
        assert pipes.take() is None
        for pipe in taken:
            pipes.give_back(pipe, loop, is_empty=True)
        assert (pipes.count, descriptors()) == (0, before + 2 * MOST_PIPES)
    await eventually(lambda: descriptors() == before)
    # And again, after the first time.
    pipe = pipes.take()
    assert pipe is not None
    pipes.give_back(pipe, loop, is_empty=True)
    await eventually(lambda: descriptors() == before)


def test_pipes_kept_after_others_were_closed_are_closed_whatever_the_clock_says() -> None:
    class Loop:
        due: ClassVar[list[Callable[[], None]]] = []

        def time(self) -> float:
            # uvloop's clock stands still within a turn, and may be a hair late.
            return 1000.0

        def call_later(self, delay: float, callback: Callable[[], None]) -> None:
            self.due.append(callback)

    loop, pipes = cast("asyncio.AbstractEventLoop", Loop()), Pipes()
    before = descriptors()
    for _ in range(2):
        taken = [pipe for _ in range(3) if (pipe := pipes.take()) is not None]
        for pipe in taken:
            pipes.give_back(pipe, loop, is_empty=True)
        (sweep,) = Loop.due
        Loop.due.clear()
        sweep()
        assert descriptors() == before


async def test_a_free_pipe_is_taken_again_but_never_with_bytes_of_another_body() -> None:
    loop, pipes = asyncio.get_running_loop(), Pipes()
    first = pipes.take()
    assert first is not None
    pipes.give_back(first, loop, is_empty=True)
    assert pipes.take() is first
    os.write(first.inlet, b"of one caller")
    before = descriptors()
    pipes.give_back(first, loop, is_empty=False)
    assert (pipes.count, descriptors()) == (0, before - 2)
    second = pipes.take()
    assert second is not None
    with pytest.raises(BlockingIOError):
        os.read(second.outlet, 1)
    second.close()


def test_without_descriptors_there_is_no_pipe_and_later_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipes = Pipes()

    def fail(_: int) -> tuple[int, int]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe2", fail)
        assert [pipes.take() for _ in range(MOST_PIPES + 1)] == [None] * (MOST_PIPES + 1)
    pipe = pipes.take()
    assert pipe is not None
    pipe.close()
