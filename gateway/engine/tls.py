"""Whose certificates are believed: one TLS context for all who believe the same.

The system's roots take longer to read than a small module tree to import, and most of a
MiB to hold; each upstream wants them, and so do its token calls.

Rule: files that were written anew are read anew, by whoever asks after that.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Hashable
from pathlib import Path
from weakref import WeakValueDictionary

# What somebody still connects by, under what it was read from.
_in_use: WeakValueDictionary[Hashable, ssl.SSLContext] = WeakValueDictionary()


def tls_for(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying context; `ca_file` (PEM) is trusted beside the system's roots.

    It is shared, so nobody changes it. Raises `OSError` when the file cannot be read.
    """
    roots = ssl.get_default_verify_paths()
    read_from = tuple((path, _stamp(path)) for path in (roots.cafile, roots.capath, ca_file))
    context = _in_use.get(read_from)
    if context is None:
        _in_use[read_from] = context = _make(ca_file)
    return context


def _make(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _stamp(path: str | Path | None) -> tuple[int, int, int] | None:
    """Return what changes when a file, or a list of files, does; None for none."""
    if path is None:
        return None
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino
