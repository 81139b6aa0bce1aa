"""The documented limits of the contact centre, by family of paths.

Most families have two windows, and a request needs room in both; whatever has no family of
its own shares the standard 120 a minute. Reports are limited for each sub-account. Nothing is
documented of a 429 but its status, so there is no penalty and no header, and a request that
was turned away counts for nothing. A lead search that only counts has more room, as
documented; that one by an exact number has more as well is not simulated.

Rule: nothing is turned away unless rates are enforced.
"""

import re
from typing import NamedTuple

from gateway.simulator.engage.errors import too_many_requests
from gateway.simulator.limits import Limit
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading

_LEADS = r"(?:voice/)?api/v1/admin/accounts/[^/]+/campaign"


class Family(NamedTuple):
    """Paths with limits of their own, each a count and the documented seconds."""

    name: str
    paths: re.Pattern[str]
    limits: tuple[tuple[int, int], ...]


def _family(name: str, paths: str, *limits: tuple[int, int]) -> Family:
    return Family(name, re.compile(paths, re.DOTALL), limits)


SEARCH = _family("ringcx-lead-search", _LEADS + r"Leads/leadSearch[^/]*", (15, 10), (60, 30))
COUNT = SEARCH._replace(name="ringcx-lead-count", limits=((90, 10), (180, 30)))
FAMILIES = (
    _family(
        "ringcx-reports",
        r"(?:voice/)?api/v1/admin/reports(?:/.*)?|voice/api/cx/integration/v1/accounts/[^/]+/"
        r"sub-accounts/(?P<scope>[^/]+)/(?:agg-[^/]+-stats|interaction-metadata)",
        *((3, 60), (9, 900)),
    ),
    SEARCH,
    _family("ringcx-lead-preview", _LEADS + r"s/[^/]+/leadLoader/preview", (12, 30), (18, 60)),
    _family("ringcx-lead-process", _LEADS + r"s/[^/]+/leadLoader/process", (9, 3), (30, 30)),
    _family(
        "ringcx-leads",
        _LEADS + r"(?:Leads/.*|s/[^/]+/leadLoader/direct)",
        *((30, 10), (120, 60)),
    ),
    _family("ringcx", r".*", (120, 60)),
)


class Quotas:
    """What one host of the contact centre let through."""

    def __init__(self, rates: Rates) -> None:
        """Start with nothing spent."""
        self._rates = rates
        self._limits: dict[tuple[str, str], list[Limit]] = {}

    def charge(self, reading: Reading, now: float) -> None:
        """Count one request; `now` is monotonic seconds. Raises Fault: 429."""
        if not self._rates.enforced:
            return
        family, scope = find_family(reading)
        fresh = [Limit(count, self._rates.pace.shorten(s)) for count, s in family.limits]
        limits = self._limits.setdefault((family.name, scope), fresh)
        # The fullest first: when it refuses, nothing was spent of the others.
        for limit in sorted(limits, key=lambda limit: limit.left(now)):
            if self._rates.charge(family.name, limit, now):
                raise too_many_requests()


def find_family(reading: Reading) -> tuple[Family, str]:
    """Return the family of a request, and the sub-account within it where that matters."""
    path = "/".join(reading.segments)
    matches = ((family, family.paths.fullmatch(path)) for family in FAMILIES)
    family, match = next((family, match) for family, match in matches if match)
    if family is SEARCH and ("count", "true") in reading.query:
        return COUNT, ""
    return family, match.groupdict().get("scope") or ""
