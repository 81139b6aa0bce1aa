"""The soft limit is raised as far as needed and allowed; in a process of its own, as it sticks."""

import resource
import subprocess
import sys

import pytest

from gateway.config.model import Limits
from gateway.engine.descriptors import count_callers, count_needed, raise_limit

RAISE = """
import resource
from gateway.engine.descriptors import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(raise_limit({needed}), resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "needed", "allowed"),
    [
        (256, 1024, 512, 512),
        (256, 1024, 1024, 1024),
        (256, 1024, 4096, 1024),
        (512, 1024, 256, 512),
    ],
)
def test_a_limit_is_raised_as_far_as_needed_and_allowed(
    soft: int, hard: int, needed: int, allowed: int
) -> None:
    script = RAISE.format(soft=soft, hard=hard, needed=needed)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{allowed} ({allowed}, {hard})\n"


def test_what_is_without_a_limit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: endless)
    assert raise_limit(10**6) == 10**6


def test_a_limit_that_may_not_be_changed_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(_kind: int, _limits: tuple[int, int]) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", forbid)
    assert raise_limit(10**6) == 256


def test_every_caller_and_every_request_may_have_a_connection() -> None:
    limits = Limits(max_connections=5000, max_in_flight=700)
    assert count_needed(limits) > 5700


@pytest.mark.parametrize(
    ("allowed", "callers"),
    [(10**6, 5000), (6020, 5000), (6019, 2849), (1024, 352), (512, 128), (256, 64), (4, 1)],
)
def test_fewer_descriptors_leave_room_for_fewer_callers(allowed: int, callers: int) -> None:
    assert count_callers(Limits(max_connections=5000, max_in_flight=700), allowed) == callers


RESERVE = """
import os, resource
from gateway.engine.descriptors import reserve
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
free = 20 - len(os.listdir("/proc/self/fd")) + 1
for count in (0, free, free + 1):
    try:
        reserve(count)
        print("enough")
    except OSError as error:
        print(error.strerror)
print(20 - len(os.listdir("/proc/self/fd")) + 1 == free)
"""


def test_what_is_reserved_is_there_or_is_missed_and_none_of_it_is_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESERVE], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["enough", "enough", "Too many open files", "True"]
