"""Whether a configured secret has changed since an attempt failed.

What was presented is noted before the attempt, so that a secret which is corrected while
the call is under way is seen as well. A secret that cannot be read for a moment has not
changed: only what can be read, and reads otherwise than before, is worth another call.

Rule: fingerprints only; this module never sees a secret.
"""

from __future__ import annotations

from collections.abc import Callable


class Watch:
    """Compares what `read` returns, a fingerprint for each secret, "" while it is unreadable."""

    def __init__(self, read: Callable[[], tuple[str, ...]]) -> None:
        self._read = read
        self._presented: tuple[str, ...] = ()

    def note(self) -> None:
        """Remember the secrets that an attempt is made with."""
        self._presented = self._read()

    def has_changed(self) -> bool:
        """Tell whether another attempt would present something else."""
        pairs = zip(self._presented, self._read(), strict=False)
        return any(now not in ("", then) for then, now in pairs)
