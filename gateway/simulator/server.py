"""The simulator on a socket: aiohttp in front, `service` behind.

A body is read to its end before the answer, so that no upload is cut off by a refusal;
what is kept of it and what is read of it are bounded. Bytes are counted as sent: a
Content-Encoding is not undone. There is no access log, `Running.seen` is the record. The
limits on the head are generous, because long id lists and page tokens are ordinary. What
is no HTTP at all gets aiohttp's own 400, in plain text; it never comes as far as here.

This module must not judge a request; it carries.
"""

import hashlib
import ipaddress
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from gateway.simulator.answers import Answer, render_fault
from gateway.simulator.control.desk import Control
from gateway.simulator.control.ledger import TEST_ID
from gateway.simulator.control.troubles import Cut
from gateway.simulator.faults import Fault, oversized_body, unreadable_body
from gateway.simulator.pace import Pace
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Wire
from gateway.simulator.seeds import Examples, pick_examples
from gateway.simulator.seen import Seen
from gateway.simulator.service import Service, finish

TOKEN = "simulator-token"  # noqa: S105 - it opens a simulator and is printed in the README

# The vendor's largest documented upload is 100m; a little more shows who cuts first.
MAX_BODY_BYTES = 110 * 2**20
# No operation served here needs more than a few bytes.
MAX_KEPT_BYTES = 2**20
_MAX_HEAD_FIELD_BYTES = 65536
# A client that is still being answered when the simulator closes has this long.
_CLOSE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that listens; close it once."""

    origin: str
    port: int
    examples: Examples
    seen: deque[Seen]
    control: Control
    _runner: web.ServerRunner

    async def close(self) -> None:
        """Stop listening, let go what is held, and close every connection."""
        self.control.release()
        await self._runner.cleanup()


async def start(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str = TOKEN,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    time_scale: float = 1.0,
    enforce_rates: bool = False,
    limits: Mapping[str, int] | None = None,
) -> Running:
    """Start a simulator with fresh data; port 0 takes a free one.

    `time_scale` divides every lifetime and window; `clock` is monotonic
    seconds, `wall` seconds since 1970. Rates are counted only, unless
    `enforce_rates`; `limits` replaces the documented numbers of some groups.
    Raises OSError, or ValueError for a scale or limit that is not above 0.
    """
    rates = Rates(Pace(time_scale), enforced=enforce_rates, limits=limits)
    service = Service(token, clock, rates, wall)
    server = web.Server(
        _Shell(service).respond,
        access_log=None,
        auto_decompress=False,
        max_line_size=_MAX_HEAD_FIELD_BYTES,
        max_field_size=_MAX_HEAD_FIELD_BYTES,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_CLOSE_WITHIN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    bound = int(runner.addresses[0][1])
    examples = pick_examples(service.world)
    origin = render_origin(host, bound)
    return Running(origin, bound, examples, service.notebook.entries, service.control, runner)


def render_origin(host: str, port: int) -> str:
    """Write the origin of an address; an IPv6 one has brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Shell:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self._service.control.ledger.arrive(request.headers.get(TEST_ID))
        try:
            wire = await _receive(request)
        except Fault as fault:
            # What is left of the body would be read as the next request.
            return _respond(finish(render_fault(fault)), closing=True)
        troubles = self._service.control.troubles
        trouble = troubles.meet(wire)
        if trouble is not None:
            await troubles.hold(trouble)
        answer = self._service.answer(wire, _own_origin(request), trouble)
        if trouble is None or trouble.cut is None:
            return _respond(answer)
        return await _cut(request, answer, trouble.cut)


async def _receive(request: web.BaseRequest) -> Wire:
    await _invite_body(request)
    kept, length, digest = bytearray(), 0, hashlib.sha256()
    try:
        async for chunk in request.content.iter_any():
            length += len(chunk)
            if length > MAX_BODY_BYTES:
                raise oversized_body(MAX_BODY_BYTES)
            digest.update(chunk)
            kept += chunk[: MAX_KEPT_BYTES - len(kept)]
    except (web.RequestPayloadError, ConnectionError):
        raise unreadable_body() from None
    return Wire(
        method=request.method,
        target=request.raw_path,
        headers=tuple(request.raw_headers),
        body=bytes(kept),
        body_length=length,
        body_sha256=digest.hexdigest(),
        is_local=_is_local(request),
    )


def _is_local(request: web.BaseRequest) -> bool:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport else None
    if not peer:
        return False
    return ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback


async def _invite_body(request: web.BaseRequest) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The final head is still to come; aiohttp takes any output for a begun answer.
        request.writer.output_size = 0


def _own_origin(request: web.BaseRequest) -> str:
    transport = request.transport
    # None when the client has gone; its answer will not be read.
    name = transport.get_extra_info("sockname") if transport else None
    return render_origin(*name[:2]) if name else "http://localhost"


async def _cut(request: web.BaseRequest, answer: Answer, at: Cut) -> web.StreamResponse:
    transport = request.transport
    whole = _respond(answer)
    # None when the client has gone, and cut itself off.
    if transport is None:
        return whole
    if at is not Cut.BODY or not answer.body or request.method == "HEAD":
        transport.abort()
        return whole
    half = web.StreamResponse(status=answer.status, headers=whole.headers)
    half.content_length = len(answer.body)
    await half.prepare(request)
    await half.write(answer.body[: len(answer.body) // 2])
    transport.close()
    return half


def _respond(answer: Answer, *, closing: bool = False) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body)
    response.headers.extend(answer.headers)
    response.headers["Server"] = "ringcentral-simulator"
    if closing:
        response.force_close()
    return response
