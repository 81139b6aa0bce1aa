"""How fast the vendor's time passes here: documented seconds, divided by a scale.

With `scale` 600 a token of an hour lives six seconds, and a test of ten hours takes a
minute. Whatever is written into an answer (`expires_in`, `Retry-After`,
`X-Rate-Limit-Window`) is the short time.

Rule: at scale 1 a written time is whole, as clients expect it; at any other scale it is
whole when it can be, else a decimal fraction of at most three digits.
Rule: a life is rounded down and a wait is rounded up, so that neither is a false promise.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """A scale; above 1 time is short. Raises ValueError for what is no pace."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"a time scale is a number above 0, not {self.scale}")

    def shorten(self, documented_s: float) -> float:
        """Return how long a documented time lasts here, in seconds."""
        return documented_s / self.scale

    def write_life(self, seconds: float) -> int | float:
        """Return what an answer says of a life with so many real seconds left."""
        return self._write(math.floor, max(seconds, 0.0))

    def write_wait(self, seconds: float) -> int | float:
        """Return what an answer says of a wait of so many real seconds."""
        return self._write(math.ceil, max(seconds, 0.0))

    def _write(self, rounded: Callable[[float], int], seconds: float) -> int | float:
        steps = 1 if self.scale == 1 else 1000
        # Differences of clock readings are not exact; a millionth of a step is no time.
        count = rounded(round(seconds * steps, 6))
        return count // steps if count % steps == 0 else count / steps
