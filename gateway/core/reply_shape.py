"""Patterns for reply heads whose names are known: each checks and cuts a head in one go.

An upstream sends the same names in the same order again and again. A pattern that has
them in it needs less time for a head than the general one needs to check it, and gives
the values without the names.

Rule 1: what a pattern takes, `PLAIN_REPLY` takes, and reads the same of it.
Rule 2: making one takes as long as some hundred heads, so it is made only for names that
        came often, and kept as long as `field_places` remembers them.
"""

from __future__ import annotations

import re

from gateway.core.field_places import Places
from gateway.core.grammar import plain_reply_with

# Of replies that come less often, nobody notices what reading them takes.
OFTEN = 64


def pattern_for(places: Places) -> re.Pattern[bytes] | None:
    """Return what reads plain replies with these names, None while they have not come often.

    Its groups are the status, the reason and the values. Call it once for each reply.
    """
    if places.pattern is None and places.is_remembered and places.names:
        places.times += 1
        if places.times == OFTEN:
            places.pattern = plain_reply_with(places.names)
    return places.pattern
