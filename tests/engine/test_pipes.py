"""gateway/engine/pipes.py: which pipes are kept, how many there are, and that they are empty."""

import errno
import os

import pytest

from gateway.engine.pipes import MOST_PIPES, PIPE_BYTES, Pipe, Pipes


def close_all(pipes: list[Pipe]) -> None:
    for pipe in pipes:
        pipe.close()


def test_a_pipe_holds_as_much_as_one_read_brings_and_never_waits() -> None:
    pipe = Pipe()
    with pytest.raises(BlockingIOError):
        os.read(pipe.outlet, 1)
    assert os.write(pipe.inlet, bytes(PIPE_BYTES + 1)) == PIPE_BYTES
    with pytest.raises(BlockingIOError):
        os.write(pipe.inlet, b"x")
    pipe.close()


def test_a_pipe_that_was_given_back_is_taken_again() -> None:
    pipes = Pipes()
    pipe = pipes.take()
    assert pipe is not None
    pipes.give_back(pipe)
    assert pipes.take() is pipe
    assert pipes.take() is not pipe
    pipe.close()


def test_no_more_are_open_than_are_allowed_and_few_are_kept() -> None:
    pipes = Pipes()
    taken = [pipe for _ in range(MOST_PIPES) if (pipe := pipes.take()) is not None]
    assert len(taken) == MOST_PIPES
    assert pipes.take() is None
    before = len(os.listdir("/proc/self/fd"))
    for pipe in taken:
        pipes.give_back(pipe)
    kept = MOST_PIPES - (before - len(os.listdir("/proc/self/fd"))) // 2
    assert 0 < kept < MOST_PIPES
    again = [pipe for _ in range(MOST_PIPES) if (pipe := pipes.take()) is not None]
    assert len(again) == MOST_PIPES
    close_all(again)


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
