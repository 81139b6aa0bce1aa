"""`rc-gateway serve`: run the gateway until it is told to stop.

Everything it does is `gateway.app`'s; here the options are read, and what goes wrong
before the first request becomes a line and an exit code.

Rule 1: with `--simulator` nothing of the vendor's is read or reached.
Rule 2: a reload reads what the start read: the same files, environment and `--set`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from gateway.cli.options import Commands, add_command, add_config_options
from gateway.cli.welcome import Examples, render_welcome

if TYPE_CHECKING:
    from gateway.config.binds import Bind
    from gateway.config.load import Loaded

_EXAMPLE = "rc-gateway serve --config sidecar.toml --set log.format=console"
_SIGNALS = (
    "signals:\n"
    "  SIGTERM, SIGINT  finish what is under way and exit 0; a second one stops at once\n"
    "  SIGHUP           read the configuration again; when it has a problem, keep the old one"
)

# What shells report for a program that SIGTERM ended.
_TERMINATED = 143


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "serve", "run the gateway", _EXAMPLE, run)
    add_config_options(parser)
    parser.epilog = f"{parser.epilog}\n\n{_SIGNALS}"
    parser.add_argument(
        "--simulator",
        action="store_true",
        help="also run the embedded RingCentral simulator and send every request there",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after a drain, 1 when a second signal ended it, 71 when it cannot listen.

    Raises `ConfigError`.
    """
    heed_sigterm(os.getpid())
    # Until somebody listens to it, SIGHUP would end the process.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))
    try:
        return _serve(arguments)
    finally:
        if signal.SIGHUP in signal.sigpending():
            # There is nothing to reload any more, and something to say.
            signal.sigwait((signal.SIGHUP,))
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def heed_sigterm(pid: int) -> None:
    """Have SIGTERM end a start in a container, too, where the process is the first one.

    pid_namespaces(7): to that one the kernel gives only signals for which it has a handler.
    """
    if pid == 1:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))


def _serve(arguments: argparse.Namespace) -> int:
    from gateway import app
    from gateway.config.load import load
    from gateway.engine.listen import CannotBind

    simulator: bool = arguments.simulator

    def read() -> Loaded:
        return load(arguments.config, arguments.set, os.environ, simulator=simulator, resolve=True)

    try:
        return app.run(read, _announce if simulator else None)
    except CannotBind as error:
        print(error, file=sys.stderr)
        return os.EX_OSERR


def _announce(bind: Bind, examples: Examples) -> str:
    url = "http://localhost" if bind.path else f"http://{bind}"
    return render_welcome(url, examples, unix_socket=bind.path)
