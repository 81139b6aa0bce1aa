"""What `serve --simulator` prints when it is ready: three commands that work as printed.

They show the gateway's main job, in an order in which each finds what it needs: a
tunnelled DELETE, a tunnelled PUT, and a repeated parameter.

Rule: a command is one line, to be copied whole.
"""

from __future__ import annotations

import shlex
from typing import Protocol

_STORE = "/restapi/v1.0/account/~/extension/~/message-store"


class Examples(Protocol):
    """Messages that the simulator's data has."""

    @property
    def delete_id(self) -> int | str:
        """Return a message to delete."""
        ...

    @property
    def update_id(self) -> int | str:
        """Return another message, to change."""
        ...


def render_welcome(gateway_url: str, examples: Examples, unix_socket: str | None = None) -> str:
    """Return the text, ending in a newline; `gateway_url` has no slash at its end.

    `unix_socket` is the path to reach the gateway by when it has no TCP port.
    """
    place = f"unix:{unix_socket}" if unix_socket else gateway_url
    curl = f"curl --unix-socket {shlex.quote(unix_socket)}" if unix_socket else "curl"
    store = f"{gateway_url}{_STORE}"
    return (
        f"rc-gateway listens on {place}, with the RingCentral simulator behind it. Try:\n"
        "\n"
        f"{curl} -i -X POST '{store}/{examples.delete_id}?_method=DELETE'\n"
        f"{curl} -X POST -H 'X-HTTP-Method-Override: PUT' -H 'Content-Type: application/json'"
        f""" -d '{{"readStatus":"Read"}}' '{store}/{examples.update_id}'\n"""
        f"{curl} '{store}?messageType=SMS&messageType=Pager'\n"
        "\n"
        "Ctrl-C stops it.\n"
    )
