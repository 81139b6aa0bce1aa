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

from gateway.core.grammar import FINAL_STATUS, VISIBLE_VALUE
from gateway.core.headers import ENDING_HERE

Pick: TypeAlias = Callable[[tuple[bytes, ...]], tuple[bytes, ...]]

# Of the groups, those of the status line; the first group is around them.
STATUS, REASON = 1, 2


class ReplyShape:
    """A pattern for heads with these names; `pick_...` take what is wanted from its groups.

    `pick_values` takes the values in order; `pick_lines` the status line and the lines of all
    fields but those that end here, with their ends and in as few pieces as they stand in.
    """

    __slots__ = ("match", "pick_lines", "pick_values")

    def __init__(self, names: Sequence[bytes]) -> None:
        """Compile."""
        parts, values, pieces = [b"(", FINAL_STATUS, rb"\r\n"], [], [0]
        group, is_within = REASON + 1, True
        for name in names:
            passes = name.lower() not in ENDING_HERE
            if passes and not is_within:
                parts.append(b"(")
                pieces.append(group)
                group += 1
            elif is_within and not passes:
                parts.append(b")")
            is_within = passes
            parts += (re.escape(name), rb": (", VISIBLE_VALUE, rb")\r\n")
            values.append(group)
            group += 1
        parts.append(rb")\r\n" if is_within else rb"\r\n")
        self.match = re.compile(b"".join(parts)).match
        self.pick_values = picking(values)
        self.pick_lines = picking(pieces)


def picking(places: Sequence[int]) -> Pick:
    """Return what takes the values at these places, as a tuple."""
    if len(places) < 2:
        return lambda values: tuple([values[place] for place in places])
    return itemgetter(*places)
