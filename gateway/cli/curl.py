"""curl's options, as far as `rc-gateway explain` takes them.

They are the same, so that a command line can be pasted with only its first word changed:
method, fields, body, and a path or a URL. What only tells curl how to print is taken and
ignored.

Rule: bytes stay as typed; nothing is escaped, put in order, or trimmed inside.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

_IGNORED = (
    *("-i", "-s", "-S", "-v", "-k", "-f", "-L", "-g"),
    *("--include", "--silent", "--show-error", "--verbose", "--insecure", "--fail"),
    *("--location", "--globoff", "--compressed", "--path-as-is"),
)


def add_request_options(parser: argparse.ArgumentParser) -> None:
    """Declare `-X`, `-I`, `-H`, `-d` and TARGET."""
    add = parser.add_argument
    add("-X", "--request", dest="method", metavar="METHOD", help="default GET, or POST with -d")
    head = "the same as -X HEAD"
    add("-I", "--head", dest="method", action="store_const", const="HEAD", help=head)
    add(
        *("-H", "--header"),
        dest="fields",
        metavar="'Name: value'",
        type=parse_field,
        action="append",
        default=[],
        help="a header field; may be repeated, order is kept",
    )
    add(
        *("-d", "--data"),
        dest="body",
        metavar="BODY",
        type=parse_body,
        action="append",
        help="a body; repeated ones are joined by '&'",
    )
    for name, parse in (("--data-binary", parse_body), ("--data-raw", os.fsencode)):
        add(name, dest="body", type=parse, action="append", help=argparse.SUPPRESS)
    add(*_IGNORED, dest="ignored", action="store_true", help=argparse.SUPPRESS)
    add("target", metavar="TARGET", help="a path or a URL")


def parse_field(text: str) -> tuple[bytes, bytes]:
    """Read `Name: value`; white space around the value is not part of it."""
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise argparse.ArgumentTypeError(f"{text!a} is not 'Name: value'")
    return os.fsencode(name), os.fsencode(value.strip(" \t"))


def parse_body(text: str) -> bytes:
    """Read a body; where curl would read a file, nothing is read here."""
    if text.startswith("@"):
        raise argparse.ArgumentTypeError(f"{text!a} names a file; paste the body itself")
    return os.fsencode(text)


def join_body(pieces: Sequence[bytes] | None) -> bytes | None:
    """Return the body that curl would send, None for no `-d`."""
    return None if pieces is None else b"&".join(pieces)
