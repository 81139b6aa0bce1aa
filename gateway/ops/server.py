"""The operators' listener: `/livez`, `/readyz`, `/metrics`, `/credentials`, nothing else.

A port of its own, so that probes work while the data port is full, and callers of the
data port can never read what is written here.

Rule 1: an answer tells of this gateway only, never of the vendor, unless it is to depend on it.
Rule 2: rendering metrics takes long enough to notice, so it happens in a thread.
Rule 3: where only this machine can ask, a page of a name that was rebound to it may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

from aiohttp import web

from gateway.config.binds import Bind
from gateway.engine.listen import BACKLOG, open_sockets
from gateway.engine.unix_socket import SocketFile, files_of
from gateway.ops.health import Check, judge, render_verdict
from gateway.ops.own_name import is_own_name

_Page: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.Response]]
# A probe's answer is a line; whoever needs longer to take it has gone.
_CLOSE_WITHIN_S = 1.0
_KEEPALIVE_S = 75.0
_FOREIGN = "is not a name of this gateway; add it to listener.hosts if it should be\n"


class Exposition(Protocol):
    """What a scrape shows: this process's `metrics.Metrics`, or the sums of several."""

    def sample(self) -> None:
        """Read what is read when somebody asks; on the event loop, before `render`."""
        ...

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text for a scraper and its media type; may run in a thread."""
        ...


async def _nothing() -> None:
    """Refresh nothing: what is shown is this process's own."""


class OpsServer:
    """Answers probes and scrapes; `checks` decide `/readyz`, see `health.Check`.

    `notes` are what `/readyz?verbose` adds; `credentials` returns what `/credentials` shows, as
    JSON has it: metadata, never a token. `refresh` is awaited before anything is shown that other
    processes know. `hosts` returns the names that Host may carry besides loopback ones, `required`
    what else decides `/readyz`: by name what is wrong, None for what is well.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        notes: Callable[[], Mapping[str, str | None]],
        metrics: Exposition,
        credentials: Callable[[], object],
        refresh: Callable[[], Awaitable[None]] | None = None,
        hosts: Callable[[], Iterable[str]] = tuple,
        required: Callable[[], Mapping[str, str | None]] = dict,
    ) -> None:
        self._checks = checks
        self._notes = notes
        self._metrics = metrics
        self._credentials = credentials
        self._refresh = refresh or _nothing
        self._hosts = hosts
        self._required = required
        self._is_loopback = False
        self._pages: dict[str, _Page] = {
            "/livez": self._show_live,
            "/readyz": self._show_ready,
            "/metrics": self._show_metrics,
            "/credentials": self._show_credentials,
        }
        self._runner: web.ServerRunner | None = None
        self._files: list[SocketFile] = []

    async def start(self, bind: Bind) -> Bind:
        """Listen, and return where: port 0 has become a real one. Raises `CannotBind`."""
        self._is_loopback = bind.is_loopback
        sockets = await open_sockets(bind)
        server = web.Server(self._respond, access_log=None, keepalive_timeout=_KEEPALIVE_S)
        self._runner = web.ServerRunner(server, shutdown_timeout=_CLOSE_WITHIN_S)
        await self._runner.setup()
        self._files = files_of(sockets)
        for sock in sockets:
            await web.SockSite(self._runner, sock, backlog=BACKLOG).start()
        if bind.path:
            return bind
        return Bind(bind.host, int(sockets[0].getsockname()[1]))

    async def close(self) -> None:
        """Stop listening and close every connection; harmless when not started."""
        for file in self._files:
            file.remove()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        name = request.headers.get("Host")
        if self._is_loopback and name is not None and not is_own_name(name, self._hosts()):
            return _text(403, f"Host {name[:80]!a} {_FOREIGN}")
        page = self._pages.get(request.path)
        if page is None:
            return _text(404, "not found; there are /livez, /readyz, /metrics and /credentials\n")
        if request.method not in ("GET", "HEAD"):
            response = _text(405, "only GET and HEAD\n")
            response.headers["Allow"] = "GET, HEAD"
            return response
        return await page(request)

    async def _show_live(self, _request: web.BaseRequest) -> web.Response:
        return _text(200, "ok\n")

    async def _show_ready(self, request: web.BaseRequest) -> web.Response:
        verbose = "verbose" in request.query
        if verbose:
            await self._refresh()
        verdict = {**judge(self._checks), **self._required()}
        return _text(*render_verdict(verdict, self._notes(), verbose=verbose))

    async def _show_metrics(self, request: web.BaseRequest) -> web.Response:
        await self._refresh()
        self._metrics.sample()
        accept = request.headers.get("Accept", "")
        body, media_type = await asyncio.to_thread(self._metrics.render, accept)
        return _plain(web.Response(body=body, headers={"Content-Type": media_type}))

    async def _show_credentials(self, _request: web.BaseRequest) -> web.Response:
        await self._refresh()
        return _plain(web.json_response(self._credentials()))


def _text(status: int, text: str) -> web.Response:
    return _plain(web.Response(status=status, text=text))


def _plain(response: web.Response) -> web.Response:
    """Keep an answer out of caches, and from being taken for a page."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
