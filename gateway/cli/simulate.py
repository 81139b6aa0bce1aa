"""`rc-gateway simulate`: the RingCentral simulator alone, until it is told to stop.

For trying a program without the gateway, or the gateway against a vendor that forgets
everything when it stops.

Rule 1: it is a toy for one machine, so it listens on loopback unless told otherwise.
Rule 2: it serves whether or not anybody reads what it prints.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from gateway.cli.options import Commands, add_command

if TYPE_CHECKING:
    from gateway.config.binds import Bind

_DESK = """from loopback only, options in the query, seconds are real ones:
  GET  /-/simulator/seen      what happened, in numbers
  POST /-/simulator/expire    kind=access|platform|ringcx|legacy|sessions
  POST /-/simulator/fail      count= status= retry_after=    the next token calls fail
  POST /-/simulator/stall     count= seconds=                held, then carried out
  POST /-/simulator/drop      count= at=arrival|answer|body  the connection is cut
  POST /-/simulator/release   what is held goes on
  POST /-/simulator/rates     headers=on|off                 answers tell their rates, or not
  POST /-/simulator/reset     forget counts and trouble to come
fail, stall and drop also take kind=platform|ringcx|legacy for one kind of token call,
or kind=api for any other request, and method= for one method only"""


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "simulate",
        "run the RingCentral simulator alone",
        "rc-gateway simulate --bind 127.0.0.1:9080",
        run,
    )
    parser.add_argument(
        "--bind",
        metavar="HOST:PORT",
        type=parse_bind,
        default="127.0.0.1:9080",
        help="where to listen (default 127.0.0.1:9080)",
    )
    parser.add_argument(
        "--time-scale",
        metavar="N",
        type=parse_scale,
        default=1.0,
        help="divide every lifetime, window and penalty by N; what answers say of them is the "
        "short time, with up to three decimals when it is not whole (default 1)",
    )
    parser.add_argument(
        "--enforce-rates",
        action="store_true",
        help="answer 429 over the documented rate limits, with a penalty that every further "
        "request begins anew; counting only unless this is given",
    )
    parser.epilog = f"{parser.epilog}\n\n{_DESK}"


def run(arguments: argparse.Namespace) -> int:
    """Simulate until SIGTERM or SIGINT; 71 when the address cannot be listened on."""
    import asyncio

    from gateway.engine.listen import cannot_bind

    bind: Bind = arguments.bind
    try:
        asyncio.run(_simulate(bind, arguments.time_scale, arguments.enforce_rates))
    except OSError as error:
        print(cannot_bind(bind, error), file=sys.stderr)
        return os.EX_OSERR
    return 0


def parse_bind(text: str) -> Bind:
    """Read where to listen, as the configuration does, but for Unix sockets."""
    from gateway.config import binds

    try:
        bind = binds.parse_bind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if bind.path is not None:
        raise argparse.ArgumentTypeError("the simulator listens on TCP only")
    return bind


def parse_scale(text: str) -> float:
    """Read a time scale: a number above 0."""
    import math

    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not (math.isfinite(scale) and scale > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return scale


async def _simulate(bind: Bind, time_scale: float, enforce_rates: bool) -> None:
    import asyncio
    import signal

    from gateway.ops.log_stream import LogStream
    from gateway.simulator import start

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    running = await start(
        bind.host or "", bind.port or 0, time_scale=time_scale, enforce_rates=enforce_rates
    )
    out = LogStream(sys.stdout.buffer, lambda lost: b"lines lost: %d" % lost)
    out.write([line.encode() for line in _welcome(running.origin)])
    await stopped.wait()
    await running.close()
    out.finish()


def _welcome(origin: str) -> tuple[str, ...]:
    from gateway.simulator import CLIENT_ID, CLIENT_SECRET, JWT, TOKEN

    login = f"-d 'grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={JWT}'"
    return (
        f"The RingCentral simulator listens on {origin}. Try:",
        "",
        f"curl -H 'Authorization: Bearer {TOKEN}' '{origin}/restapi/v1.0/account/~'",
        f"curl -u {CLIENT_ID}:{CLIENT_SECRET} {login} '{origin}/restapi/oauth/token'",
    )
