"""A worker process: serves by a configuration and sockets that its parent has handed to it.

It does what the parent says (retire, drain, stop) and answers what the parent asks. When
the parent is gone, nobody would replace it or tell of it any more, so it drains.

Rule 1: SIGINT and SIGHUP are the parent's, whoever sends them. At SIGTERM it asks its parent
        to be let go, which first holds the sockets off when all are to stop.
Rule 2: the last message says how many requests were cut, and all that was counted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import uvloop

from gateway.app.channel import Channel, Message
from gateway.app.job import read_job
from gateway.app.memory import settle_memory
from gateway.app.service import OpenLog, Service
from gateway.config.sections import LogConfig
from gateway.ops.sums import read_families

# Each ends sooner than the one before.
_ORDERS = ("retire", "drain", "stop")


def run(descriptor: int, open_log: OpenLog) -> int:
    """Serve until the parent says stop, or is gone; return the exit code.

    `descriptor` is this side of the channel. Raises `ConfigError` for a secret that is gone.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(socket.socket(fileno=descriptor), open_log))


async def _work(sock: socket.socket, open_log: OpenLog) -> int:
    os.set_inheritable(sock.fileno(), False)
    channel = await Channel.over(sock)
    job = await channel.receive()
    if job is None:
        await channel.close()
        return 0
    return await Worker(channel, job, open_log).run()


class Worker:
    """Serves one job."""

    def __init__(self, channel: Channel, job: Message, open_log: OpenLog) -> None:
        self._channel = channel
        config, self._inherited = read_job(job)

        def open_mine(log: LogConfig) -> Any:
            return open_log(log).bind(worker=os.getpid())

        self._service = Service(
            config, open_mine, lambda found: self._channel.send({"required": found})
        )
        self._ending: asyncio.Task[None] | None = None
        self._urgency = -1
        self._over = asyncio.Event()

    async def run(self) -> int:
        """Serve, obey and answer until all is over."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: None)
        loop.add_signal_handler(signal.SIGTERM, self._channel.send, {"asks": "drain"})
        self._service.raise_limits()
        await self._service.gateway.open(self._inherited)
        settle_memory()
        self._service.watch()
        self._channel.send({"ready": True})
        listening = loop.create_task(self._listen())
        await self._over.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await self._channel.close()
        return 0

    async def _listen(self) -> None:
        while (message := await self._channel.receive()) is not None:
            if (order := message.get("order")) is not None:
                self._obey(order)
            else:
                self._channel.send({"report": await self._report()})
        # The parent is gone, so every worker stops, and nobody will take what still comes.
        self._service.gateway.is_shared = False
        self._obey("drain")

    def _obey(self, order: str) -> None:
        """Begin to end, unless an order that ends as soon is obeyed already."""
        urgency = _ORDERS.index(order)
        if urgency <= self._urgency:
            return
        self._urgency = urgency
        before, loop = self._ending, asyncio.get_running_loop()
        self._ending = loop.create_task(self._end(order, before))

    async def _end(self, order: str, before: asyncio.Task[None] | None) -> None:
        gateway = self._service.gateway
        if before is not None:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        await self._service.requirements.stop()
        requests_cut = 0
        match order:
            case "retire":
                await gateway.retire()
                self._channel.send({"retired": True})
                await gateway.emptied()
            case "drain":
                requests_cut = await gateway.drain()
            case _:
                requests_cut = await gateway.abort()
        self._channel.send({"over": requests_cut, "report": await self._report()})
        self._over.set()

    async def _report(self) -> Message:
        service = self._service
        service.metrics.sample()
        return {
            # Long enough to notice, as rendering is.
            "metrics": await asyncio.to_thread(read_families, service.metrics.registry),
            "credentials": service.report.document(),
            "notes": service.report.notes(),
        }
