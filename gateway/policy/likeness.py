"""Which targets are decided alike: those that differ in ids and in the values of parameters.

Programs name another message, call or contact with each request. The vendor's ids are
segments of digits, UUIDs, or 24 hexadecimal digits, and have a digit; what decides compares
the other segments and the names of parameters. So what was decided about one such target
holds for the next.

Rule 1: two targets with one mould, of which the decision about one is typical, are decided
        alike, but for the bytes of the target itself.
Rule 2: what compares a path with one that has such a segment turns this off; what looks at a
        value of the query is never typical.
"""

from __future__ import annotations

import re

from gateway.core.query import QueryRules, check_query
from gateway.errors import Refused
from gateway.policy.forward import Plan
from gateway.policy.permits import RESERVED
from gateway.policy.rate_windows import find_family
from gateway.policy.routes import PASSTHROUGH, Routes

_HEX = rb"[0-9A-Fa-f]"
_ID = re.compile(
    rb"/(?=[A-Fa-f\-]*+[0-9])(?:[0-9]++|%b{24}|%b{8}(?:-%b{4}){3}-%b{12})(?=/|\Z)"
    % (_HEX, _HEX, _HEX, _HEX)
)
# What is behind a `;` may be a name for an upstream, and for `permits.py`.
_VALUE = re.compile(rb"=[^&;]*+")


class Likeness:
    """What targets have in common under one policy."""

    __slots__ = ("_is_on", "_query")

    def __init__(self, routes: Routes, query: QueryRules) -> None:
        """Find out whether any path that is compared has an id."""
        compared = (*routes.compared_paths(), *RESERVED)
        self._is_on = not any(_ID.search(path) for path in compared)
        self._query = query

    def mould(self, target: bytes) -> bytes | None:
        """Return a target of visible ASCII without its ids and values; None when it has no like."""
        if not self._is_on:
            return None
        path, mark, query = target.partition(b"?")
        # No target has a blank.
        mould = _ID.sub(b"/ ", path)
        if not mark:
            return mould
        return mould + b"?" + _VALUE.sub(b"=", query) if self._is_usual(query) else None

    def is_typical(self, plan: Plan, target: bytes) -> bool:
        """Tell whether what was decided about a target depends on its mould alone."""
        if plan.outbound.target != target or plan.request.findings:
            # A pair was cut because of its name, or something is told of a byte by its place.
            return False
        if plan.upstream.scheme is PASSTHROUGH:
            # The caller's own token may be in the query, and is what is charged.
            return False
        family = find_family(plan.upstream.name, plan.permitted.routed.reading)
        # A family may be counted by an id in the path.
        return family is None or not family[1]

    def _is_usual(self, query: bytes) -> bool:
        try:
            return check_query(query, self._query) == (query, ())
        except Refused:
            return False
