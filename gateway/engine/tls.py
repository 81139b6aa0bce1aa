"""Whose certificates are believed: TLS contexts, one for all that are made together.

Reading the system's roots from one file takes 20 to 50 ms and most of a MiB. Each upstream
wants them, and so do token calls.

Rule: who is made later reads the files anew.
"""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsContexts:
    """The contexts of what is made together, which nobody changes."""

    def __init__(self) -> None:
        self._made: dict[Path | None, ssl.SSLContext] = {}

    def find(self, ca_file: Path | None) -> ssl.SSLContext:
        """Return a verifying context; `ca_file` (PEM) is trusted beside the system's roots.

        Raises `OSError` (`ssl.SSLError` is one) when the file cannot be read.
        """
        context = self._made.get(ca_file)
        if context is None:
            self._made[ca_file] = context = _make(ca_file)
        return context


def _make(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
