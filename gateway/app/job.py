"""What a worker is started with: a configuration that was checked, and sockets that are bound.

The parent reads and checks a configuration once and hands it on, so that all workers, also
one that replaces another in an hour, serve by the same one, whatever became of the files.

Rule: the parent opens and closes listening sockets, and removes their files; a worker only
serves what it has inherited.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.app.channel import Message
from gateway.app.opened import Opened
from gateway.config.binds import parse_bind
from gateway.config.load import restore
from gateway.config.model import Config


@dataclass(frozen=True, slots=True)
class Job:
    """A `Loaded.tree`, and the sockets by bind."""

    tree: Mapping[str, Any] = field(repr=False)
    opened: Sequence[Opened]

    @property
    def descriptors(self) -> list[int]:
        """Return the descriptors that the worker inherits, under the same numbers."""
        return [sock.fileno() for one in self.opened for sock in one.sockets]

    def render(self) -> Message:
        """Return the message that tells a worker all of it."""
        return {
            # As text, because an environment may hold what is no UTF-8.
            "config": json.dumps(self.tree),
            "binds": [
                [str(one.configured), [sock.fileno() for sock in one.sockets]]
                for one in self.opened
            ],
        }


def read_job(message: Message) -> tuple[Config, list[Opened]]:
    """Return the configuration and the inherited sockets that a parent has told of."""
    config = restore(json.loads(message["config"]))
    return config, [_inherit(bind, numbers) for bind, numbers in message["binds"]]


def _inherit(bind: str, numbers: Sequence[int]) -> Opened:
    for number in numbers:
        os.set_inheritable(number, False)
    return Opened(parse_bind(bind), [socket.socket(fileno=number) for number in numbers])
