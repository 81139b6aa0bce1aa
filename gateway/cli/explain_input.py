"""The request that a person pastes, as a head the gateway could have received.

Rule 1: nothing is added but what every caller adds: Host, and the length of a body.
Rule 2: nothing is refused here; whether the head can be believed is the pipeline's to say.
"""

from __future__ import annotations

import argparse
import os

from gateway.cli.curl import join_body
from gateway.config.binds import Bind
from gateway.core.grammar import ABSOLUTE
from gateway.core.headers import Field, values_of
from gateway.core.message import Listener, RawHead


def build_head(arguments: argparse.Namespace, bind: Bind) -> RawHead:
    """Return the head of the pasted request as it would arrive at `bind`."""
    target = os.fsencode(arguments.target)
    body = join_body(arguments.body)
    fields: list[Field] = list(arguments.fields)
    if not values_of(fields, b"host"):
        fields.insert(0, (b"Host", _host_of(target, bind)))
    is_framed = values_of(fields, b"content-length") or values_of(fields, b"transfer-encoding")
    if body is not None and not is_framed:
        fields.append((b"Content-Length", b"%d" % len(body)))
    method = arguments.method or ("GET" if body is None else "POST")
    listener = Listener(bind.port, bind.is_loopback)
    return RawHead(os.fsencode(method), target, b"HTTP/1.1", tuple(fields), listener)


def _host_of(target: bytes, bind: Bind) -> bytes:
    """Return what a caller would send as Host: the URL's authority, or where we listen."""
    url = ABSOLUTE.fullmatch(target)
    if url is not None:
        return url["authority"]
    if bind.host is None:
        return b"localhost"
    named = Bind("localhost" if bind.is_wildcard else bind.host, bind.port)
    return str(named).removesuffix(":0").encode()
