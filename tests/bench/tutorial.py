"""An aiohttp proxy as tutorials write it: `web.Application` in front, `ClientSession` behind.

usage: python -m tests.bench.tutorial PLAIN_PORT NORM_PORT ORIGIN_PORT
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict, CIMultiDictProxy

from tests.bench.configs import AUTHORIZATION, OVERRIDE, USER_AGENT

# What must not be copied from one connection to the next.
_HOP = ("Connection", "Keep-Alive", "Transfer-Encoding", "Host")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def proxy_to(session: ClientSession, origin: str, *, norm: bool) -> Handler:
    """Return a handler that forwards to `origin`."""

    async def forward(request: web.Request) -> web.StreamResponse:
        method = request.method
        headers = _passing(request.headers)
        if norm:
            method = headers.pop(OVERRIDE, method)
            headers["User-Agent"] = USER_AGENT
            headers["Authorization"] = AUTHORIZATION
        url = origin + request.path_qs
        body = request.content if request.can_read_body else None
        async with session.request(method, url, headers=headers, data=body) as reply:
            response = web.StreamResponse(status=reply.status, headers=_passing(reply.headers))
            await response.prepare(request)
            async for piece in reply.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    return forward


def _passing(fields: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    headers = CIMultiDict(fields)
    for name in _HOP:
        headers.popall(name, None)
    return headers


async def serve(plain: int, norm: int, origin: int) -> None:
    """Serve both jobs until the process is ended."""
    timeout = ClientTimeout(total=None)
    async with ClientSession(
        connector=TCPConnector(limit=0), timeout=timeout, auto_decompress=False
    ) as session:
        for port, is_norm in ((plain, False), (norm, True)):
            app = web.Application(client_max_size=1 << 30)
            handler = proxy_to(session, f"http://127.0.0.1:{origin}", norm=is_norm)
            app.router.add_route("*", "/{path:.*}", handler)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*(int(word) for word in sys.argv[1:4])))
