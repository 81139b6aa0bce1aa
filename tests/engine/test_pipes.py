"""gateway/engine/pipes.py: how much one holds, and how many there are."""

import errno
import os

import pytest

from gateway.engine.pipes import MOST_PIPES, PIPE_BYTES, Pipe, Pipes


def test_a_pipe_holds_as_much_as_one_read_brings_and_never_waits() -> None:
    pipe = Pipe()
    with pytest.raises(BlockingIOError):
        os.read(pipe.outlet, 1)
    assert os.write(pipe.inlet, bytes(PIPE_BYTES + 1)) == PIPE_BYTES
    with pytest.raises(BlockingIOError):
        os.write(pipe.inlet, b"x")
    pipe.close()


def test_no_more_are_open_than_are_allowed_and_none_is_kept() -> None:
    pipes = Pipes()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        taken = [pipe for _ in range(MOST_PIPES) if (pipe := pipes.take()) is not None]
        assert len(taken) == MOST_PIPES == pipes.count
        assert pipes.take() is None
        for pipe in taken:
            pipes.give_back(pipe)
        assert (pipes.count, len(os.listdir("/proc/self/fd"))) == (0, before)


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
