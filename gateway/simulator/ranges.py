"""The Range header, by RFC 9110 section 14.

One range of bytes is served: `0-99`, `100-` or `-100`. Whatever else is well-formed by
that RFC but more than this (several ranges, another unit), and whatever is malformed, is
ignored, which the RFC allows: the answer is then the whole content. Only a range that
begins after the last byte is an error.
"""

import re

from gateway.simulator.faults import unsatisfiable_range

# int() refuses more than 4300 digits; eighteen are more than any content has bytes.
_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


def parse_range(header: str, size: int) -> range | None:
    """Return the offsets asked for, or None for the whole. Raises Fault."""
    found = _ONE_RANGE.fullmatch(header)
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), int(found[2] or size - 1)
        if found[2] and last < first:
            # "An int-range is invalid if the last-pos value is present and less than first-pos."
            return None
    if first >= size:
        raise unsatisfiable_range(size)
    return range(first, min(last, size - 1) + 1)
