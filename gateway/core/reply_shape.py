"""Patterns for reply heads whose names are known: each checks and cuts a head in one go.

An upstream sends the same names in the same order again and again. A pattern that has
them in it needs less time for a head than the general one needs to check it, and gives
the values without the names.

Rule 1: what a pattern takes, `PLAIN_REPLY` takes, and reads the same of it.
Rule 2: making one takes as long as some hundred heads, so it is made only for names that
        came often, and kept as long as `field_places` remembers them.
"""

from __future__ import annotations

from gateway.core.field_places import Places
from gateway.core.grammar import plain_reply_with

# Of replies that come less often, nobody notices what reading them takes.
OFTEN = 64
# The vendor's have about fifteen; a pattern takes 0.4 KB for each.
MOST_NAMES = 32


def note_reply(places: Places) -> None:
    """Take note that a plain reply had these names; give them a pattern when they come often.

    Its groups are the status, the reason and the values.
    """
    if places.pattern is not None or not places.is_remembered:
        return
    places.times += 1
    if places.times == OFTEN and len(places.names) <= MOST_NAMES:
        places.pattern = plain_reply_with(places.names)
