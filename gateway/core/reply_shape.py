"""How a reply head is read whose names are known: one pattern checks it and cuts it.

An upstream sends the same names in the same order again and again. A pattern that has
them in it needs less time for a head than the general one needs to check it; it gives
the values without the names, and whole lines where they may pass as they are.

Rule 1: what a pattern takes, `parse_reply_head` takes, and reads the same of it.
Rule 2: making one takes as long as some hundred heads, so it is made only for names that
        came often, and kept as long as `field_places` remembers them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TypeAlias

from gateway.core.grammar import CONTENT_LENGTH, FINAL_STATUS, VISIBLE_VALUE
from gateway.core.headers import ENDING_HERE, FRAMING

Pick: TypeAlias = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]

# Of the groups, those of the status line; the first group is around them.
STATUS, REASON = 1, 2
# Any other value is for `parse_reply_head`, which says what is wrong with it.
_FRAMING_VALUES = {
    b"content-length": CONTENT_LENGTH.pattern,
    b"transfer-encoding": b"(?i:chunked)",
}


class ReplyShape:
    """A pattern for heads with these names; `pick_...` take what is wanted from its groups.

    `pick_values` takes the values in order; `pick_lines` the status line and the lines of all
    fields but those that end here, with their ends and in as few pieces as they stand in.
    `framing` and `connection` are the groups of the fields that say where the body ends and
    what the connection is for; without such a field they match nothing.
    """

    __slots__ = ("connection", "framing", "match", "pick_lines", "pick_values")

    def __init__(self, names: Sequence[bytes]) -> None:
        """Compile; the names are `is_usual`."""
        parts, values, pieces = [b"(", FINAL_STATUS, rb"\r\n"], [], [0]
        group, is_within = REASON + 1, True
        special: dict[bytes, int] = {}
        for name in names:
            folded = name.lower()
            passes = folded not in ENDING_HERE
            if passes and not is_within:
                parts.append(b"(")
                pieces.append(group)
                group += 1
            elif is_within and not passes:
                parts.append(b")")
            is_within = passes
            value = _FRAMING_VALUES.get(folded, VISIBLE_VALUE)
            parts += (re.escape(name), rb": (", value, rb")\r\n")
            special[folded] = group
            values.append(group)
            group += 1
        parts.append(rb")\r\n()" if is_within else rb"\r\n()")
        framing = [special[name] for name in FRAMING if name in special]
        self.framing = framing[0] if framing else group
        self.connection = special.get(b"connection", group)
        self.match = re.compile(b"".join(parts)).match
        self.pick_values = picking(values)
        self.pick_lines = picking(pieces)


def is_usual(folded: Sequence[bytes]) -> bool:
    """Tell by folded names that at most one field frames a reply, and at most one lists options."""
    framing = sum(name in FRAMING for name in folded)
    return framing < 2 and folded.count(b"connection") < 2


def picking(places: Sequence[int]) -> Pick:
    """Return what takes the values at these places, as a tuple."""
    if len(places) < 2:
        return lambda values: tuple([values[place] for place in places])
    return itemgetter(*places)
