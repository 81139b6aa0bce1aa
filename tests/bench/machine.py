"""What the machine is, and what a process costs it.

CPU time is read from each process's own CPU clock (clock_getcpuclockid(3)), which counts
nanoseconds of user and system time, threads that have ended included.

Rule: a peer is measured as a tree of processes, because some have workers.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core runs what: the proxy is alone on its own."""

    proxy: int
    load: int

    @property
    def shared(self) -> bool:
        """Tell whether the proxy is not alone, for want of a second core."""
        return self.proxy == self.load


def choose_cores() -> Cores:
    """Return the first allowed core for the proxy, the second for origin and load."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[1 % len(allowed)])


def stay_on(core: int) -> None:
    """Keep this process, and what it starts from now on, on a core."""
    os.sched_setaffinity(0, {core})


def cpu_s(pid: int) -> float:
    """Return the user and system seconds of a process and its children."""
    return sum(_own_cpu_s(one) for one in tree(pid))


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process and its children."""
    return sum(_resident_bytes(one) for one in tree(pid)) / MIB


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that it started."""
    yield pid
    for task in _tasks(pid):
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


def describe() -> str:
    """Return processor, cores, memory, kernel and Python in a line."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        f"{os.cpu_count()} x {_cpu_model()}, {pages / 2**30:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def load_average() -> float:
    """Return how many processes wanted to run in the last minute."""
    return os.getloadavg()[0]


def _own_cpu_s(pid: int) -> float:
    try:
        # linux/posix-timers.h: CPUCLOCK_SCHED (2) of a whole process.
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _resident_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
