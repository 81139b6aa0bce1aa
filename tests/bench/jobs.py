"""The jobs: what is done to a peer, and which figures come of it.

Each takes a running peer and returns figures by the keys of `report.COLUMNS`. A job that
met a failed request gives no figure for it, but a note.

Rule: CPU time is the peer's, over the very span in which the counted requests were made.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.bench import bodies, origin, paced, wrk
from tests.bench.configs import AUTHORIZATION, OVERRIDE, USER_AGENT
from tests.bench.machine import Cores, cpu_s, memory_mib
from tests.bench.peers import Peer

CONNECTIONS = 64
MANY = 1000
# A pause of 30 ms, as virtual machines make, is a hundredth of three seconds.
RATE_TIMES = 6
# What a share of failed requests may be before a figure says nothing.
MAX_FAILED = 0.001


class Failed(Exception):
    """A job that the peer did not do; the text says how it failed."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every job works with: `seconds` is the length of one measurement."""

    cores: Cores
    origin_port: int
    script: Path
    fresh_script: Path
    seconds: int
    rate: float


@dataclass(frozen=True, slots=True)
class Target:
    """A running peer."""

    peer: Peer
    pid: int


Figures: TypeAlias = Mapping[str, float | None]
Job: TypeAlias = Callable[[Bench, Target], Figures]


def plain(bench: Bench, target: Target) -> Figures:
    """GET an answer of 400 bytes."""
    return {"plain": _load(bench, target, CONNECTIONS, norm=False)[0]}


def norm(bench: Bench, target: Target) -> Figures:
    """Turn tunnelled POSTs into DELETE and PUT; also the rate, and the upstream reuse."""
    before = origin.accepted(bench.origin_port)
    cost, tally = _load(bench, target, CONNECTIONS)
    # The second question asks on a connection of its own.
    opened = origin.accepted(bench.origin_port) - before - 1
    reuse = 100 * (1 - opened / tally.requests)
    return {"norm": cost, "rate": tally.requests / tally.seconds, "reuse": reuse}


def fresh(bench: Bench, target: Target) -> Figures:
    """Do the norm job with a path of its own for each request."""
    return {"fresh": _load(bench, target, CONNECTIONS, fresh=True)[0]}


def page(bench: Bench, target: Target) -> Figures:
    """GET 64 KiB of JSON with the links of a list in it."""
    return {"page": _load(bench, target, CONNECTIONS, norm=False, path=origin.PAGE)[0]}


def connect(bench: Bench, target: Target) -> Figures:
    """Do the norm job's GET on a new connection for every request."""
    return {"connect": _load(bench, target, CONNECTIONS, norm=False, close=True)[0]}


def one(bench: Bench, target: Target) -> Figures:
    """Do the norm job on one connection."""
    return {"one": _load(bench, target, 1)[0]}


def thousand(bench: Bench, target: Target) -> Figures:
    """Do the norm job on 1,000 connections."""
    return {"thousand": _load(bench, target, MANY)[0]}


def fixed_rate(bench: Bench, target: Target) -> Figures:
    """Send requests at a fixed rate and look at how long each took."""
    before = cpu_s(target.pid)
    seen = paced.run(target.peer.ports.norm, bench.rate, RATE_TIMES * bench.seconds)
    spent = cpu_s(target.pid) - before
    count = len(seen.ordered) + seen.failed
    if seen.failed > MAX_FAILED * count:
        raise Failed(f"{seen.failed} of {count} requests failed at {bench.rate:g}/s")
    return {
        "paced": spent / count * 1e6,
        "p50": seen.percentile(0.5) * 1e6,
        "p99": seen.percentile(0.99) * 1e6,
    }


def fixed_rate_without_proxy(bench: Bench) -> Figures:
    """Send the same requests to the origin itself."""
    seen = paced.run(bench.origin_port, bench.rate, RATE_TIMES * bench.seconds)
    return {"p50": seen.percentile(0.5) * 1e6, "p99": seen.percentile(0.99) * 1e6}


def large_bodies(bench: Bench, target: Target) -> Figures:
    """Move 64 MiB bodies, both ways."""
    return _bodies(bench, target, "64m", "down64", "up64")


def middle_bodies(bench: Bench, target: Target) -> Figures:
    """Move 1 MiB bodies, both ways."""
    return _bodies(bench, target, "1m", "down1", "up1")


def memory(bench: Bench, target: Target) -> Figures:
    """Open 1,000 connections, ask once on each, and look at the memory."""
    idle = memory_mib(target.pid)
    request = paced.norm_request(target.peer.ports.norm)
    with ExitStack() as stack:
        for _ in range(MANY):
            address = ("127.0.0.1", target.peer.ports.norm)
            sock = stack.enter_context(socket.create_connection(address, timeout=10.0))
            sock.sendall(request)
            held = b""
            while not paced.is_whole(held):
                if not (data := sock.recv(65536)):
                    raise Failed("a connection was closed while 1,000 were opened")
                held += data
        return {"idle": idle, "full": memory_mib(target.pid)}


JOBS: Mapping[str, Job] = {
    "plain": plain,
    "norm": norm,
    "fresh": fresh,
    "page": page,
    "connect": connect,
    "one": one,
    "thousand": thousand,
    "rate": fixed_rate,
    "1m": middle_bodies,
    "64m": large_bodies,
}
# The figures of each job, for the rounds in which it fails.
KEYS = {
    "plain": ("plain",),
    "norm": ("norm", "rate", "reuse"),
    "fresh": ("fresh",),
    "page": ("page",),
    "connect": ("connect",),
    "one": ("one",),
    "thousand": ("thousand",),
    "rate": ("paced", "p50", "p99"),
    "1m": ("down1", "up1"),
    "64m": ("down64", "up64"),
    "memory": ("idle", "full"),
}
QUICK = ("plain", "norm", "page", "connect", "rate", "1m")


def check(target: Target) -> None:
    """Raise `Failed` unless the peer does the norm job."""
    connection = http.client.HTTPConnection("127.0.0.1", target.peer.ports.norm, timeout=10)
    try:
        given = {OVERRIDE: "DELETE", "Authorization": "Bearer of-the-caller", "User-Agent": "x/1"}
        connection.request("POST", origin.SEEN, headers=given | {"Content-Length": "0"})
        seen = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    wanted = {
        "method": "DELETE",
        "agent": USER_AGENT,
        "authorization": AUTHORIZATION,
        "override": "",
    }
    if seen != wanted:
        raise Failed(f"it does not do the norm job: the origin saw {seen}")


def _load(
    bench: Bench,
    target: Target,
    connections: int,
    *,
    norm: bool = True,
    close: bool = False,
    fresh: bool = False,
    path: str = origin.SMALL,
) -> tuple[float, wrk.Tally]:
    """Return the CPU-microseconds per request of a run of wrk, and the run."""
    ports = target.peer.ports
    script = bench.fresh_script if fresh else bench.script
    before = cpu_s(target.pid)
    tally = wrk.run(
        f"http://127.0.0.1:{ports.norm if norm else ports.plain}{path}",
        bench.cores.load,
        bench.seconds,
        connections,
        script=script if norm else None,
        close=close,
    )
    spent = cpu_s(target.pid) - before
    if not tally.requests or tally.failed > MAX_FAILED * tally.requests:
        raise Failed(f"{tally.failed} requests failed, {tally.requests} were answered")
    return spent / tally.requests * 1e6, tally


def _bodies(bench: Bench, target: Target, size: str, down: str, up: str) -> Figures:
    """Return CPU-microseconds per MiB in both directions."""
    port, size_bytes = target.peer.ports.plain, origin.SIZES[size]
    begin = cpu_s(target.pid)
    received_mib = bodies.download(port, size, size_bytes, bench.seconds / 2)
    middle = cpu_s(target.pid)
    sent_mib = bodies.upload(port, size_bytes, bench.seconds / 2)
    end = cpu_s(target.pid)
    return {down: (middle - begin) / received_mib * 1e6, up: (end - middle) / sent_mib * 1e6}
