"""Where the fields of a head stand, by name: found once for each sequence of names.

An upstream sends the same names in the same order again and again, and only their values
change. So the names of a head are folded and counted once, and every question about one
of them is then a lookup instead of a walk over all fields.

Rule 1: this is an index of what is there; what a name means is for others to know.
Rule 2: what is remembered is bounded, and so is each entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from gateway.core.headers import Fields
from gateway.core.reply_shape import ReplyShape, is_usual

# A few dozen sequences are usual; a long one is not worth its memory.
_MOST_REMEMBERED = 512
_MOST_REMEMBERED_BYTES = 1024
_MOST_REMEMBERED_FIELDS = 64
# Of replies that come less often, nobody notices what reading them takes.
OFTEN = 64
# The vendor's have about fifteen; a pattern takes 0.4 KB for each.
MOST_SHAPED_FIELDS = 32


class Places:
    """A sequence of names, and the places of each, lower case, in order; compared by identity.

    `is_remembered` tells that the same sequence of names has this very object again, `shape`
    how a plain reply with them is read, once there were `OFTEN`.
    """

    __slots__ = ("_times", "by_name", "folded", "is_remembered", "names", "shape")

    def __init__(self, names: bytes, *, is_remembered: bool) -> None:
        """Take names with a colon between them."""
        self.is_remembered = is_remembered
        self._times = 0
        self.shape: ReplyShape | None = None
        self.names = tuple(names.split(b":")) if names else ()
        self.folded = tuple(name.lower() for name in self.names)
        found: dict[bytes, list[int]] = {}
        for place, name in enumerate(self.folded):
            found.setdefault(name, []).append(place)
        self.by_name: Mapping[bytes, tuple[int, ...]] = {
            name: tuple(places) for name, places in found.items()
        }

    def note_reply(self) -> None:
        """Take note that a plain reply had these names."""
        if self.shape is not None or not self.is_remembered:
            return
        self._times += 1
        is_long = len(self.names) > MOST_SHAPED_FIELDS
        if self._times == OFTEN and not is_long and is_usual(self.folded):
            self.shape = ReplyShape(self.names)


def places_of(fields: Fields) -> Places:
    """Return where the fields stand; their names are tokens."""
    return places_among([name for name, _ in fields])


def places_among(names: Sequence[bytes]) -> Places:
    """Return where fields with these names stand; they are tokens."""
    joined = b":".join(names)
    if len(joined) > _MOST_REMEMBERED_BYTES or len(names) > _MOST_REMEMBERED_FIELDS:
        return Places(joined, is_remembered=False)
    return _remember(joined)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _remember(names: bytes) -> Places:
    return Places(names, is_remembered=True)
