"""The windows of services that document their limits and say nothing of them in answers.

RingCX (Engage Voice) and Engage Digital send no `X-Rate-Limit-*`, and no `Retry-After`
is documented. Their documentation gives limits for families of paths, often two at once
(30 in 10 s and 120 in 60 s). They are counted here, but a count refuses nothing: other
programs share the limits, so only a 429 shuts the door, and the count tells for how long.

Rule 1: the numbers are data; they come from the vendor's pages on each family.
Rule 2: a repeated 429 doubles the wait, up to the longest window: the vendor asks for
        exponential backoff.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from gateway.errors import show
from gateway.policy.rate_buckets import Reason, Shut
from gateway.policy.rate_fields import RateFields


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` requests in `window_s` seconds."""

    limit: int
    window_s: float


@dataclass(frozen=True, slots=True)
class Family:
    """Paths that share windows; the pattern's group `scope` parts them further, if it is there."""

    name: str
    paths: re.Pattern[bytes]
    windows: tuple[Window, ...]

    def group_in(self, scope: str) -> str:
        """Return the rate group of the family's paths in a scope, empty for all of them."""
        return f"{self.name}/{scope}" if scope else self.name


def _family(name: str, paths: bytes, *windows: tuple[int, float]) -> Family:
    return Family(name, re.compile(paths, re.DOTALL), tuple(Window(*window) for window in windows))


# Readings are lower case; the older hosts have the same service below /api.
_ADMIN = rb"(?:/voice)?/api/v1/admin/"
_LEADS = _ADMIN + rb"accounts/[^/]+/campaign"
_VOICE = (
    # Per sub-account.
    _family(
        "ringcx-reports",
        _ADMIN + rb"reports(?:/.*)?|/voice/api/cx/integration/v1/accounts/[^/]+/sub-accounts/"
        rb"(?P<scope>[^/]+)/(?:agg-[^/]+-stats|interaction-metadata)",
        *((3, 60), (9, 900)),
    ),
    _family("ringcx-lead-search", _LEADS + rb"leads/leadsearch[^/]*", (15, 10), (60, 30)),
    _family("ringcx-lead-preview", _LEADS + rb"s/[^/]+/leadloader/preview", (12, 30), (18, 60)),
    _family("ringcx-lead-process", _LEADS + rb"s/[^/]+/leadloader/process", (9, 3), (30, 30)),
    _family(
        "ringcx-leads",
        _LEADS + rb"(?:leads(?:/.*)?|s/[^/]+/leadloader/direct)",
        *((30, 10), (120, 60)),
    ),
    _family("ringcx", rb".*", (120, 60)),
)
_DIGITAL = (_family("engage-digital", rb".*", (500, 60)),)
# By the name of the upstream.
FAMILIES: dict[str, tuple[Family, ...]] = {
    "ringcx": _VOICE,
    "engage_legacy": _VOICE,
    "engage_digital": _DIGITAL,
}


def find_family(upstream: str, reading: bytes) -> tuple[Family, str] | None:
    """Return the first family of a path and its scope, printable; None where there is none."""
    for family in FAMILIES.get(upstream, ()):
        match = family.paths.fullmatch(reading)
        if match is not None:
            return family, show(match.groupdict().get("scope") or b"")
    return None


class Tally:
    """One (credential, family): what was sent lately, counted here."""

    __slots__ = ("_sent", "_shut", "_strikes", "_windows")

    # No answer tells a limit, so there is none that other processes could share.
    limit: None = None
    window_s: None = None
    is_blank = False

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._sent: deque[float] = deque(maxlen=max(window.limit for window in windows))
        self._shut: Shut | None = None
        self._strikes = 0

    def refusal(self, now: float) -> Shut | None:
        """Return why a request may not be sent now, and until when; None when it may."""
        return self._shut if self._shut is not None and now < self._shut.until else None

    def take(self, _now: float) -> bool:
        """Do nothing: no answer tells that there is room."""
        return False

    def spend(self, now: float) -> None:
        """Count a request."""
        self._sent.append(now)

    def forget(self) -> None:
        """Do nothing: what was counted stays counted."""

    def note(
        self, _number: int, _latest: int, _answer: RateFields | None, _now: float, _over: int = 0
    ) -> None:
        """Do nothing: answers say nothing of what remains."""

    def judge(
        self, status: int, _answer: RateFields | None, retry_after_s: float | None, now: float
    ) -> Shut | None:
        """Shut the door after a 429, until every window that is full by our count has room.

        To be asked of every answer of a service that says nothing of what remains.
        """
        if status != 429:
            self._strikes = 0
            return None
        lengths = [window.window_s for window in self._windows]
        backoff_s = min(min(lengths) * 2**self._strikes, max(lengths))
        # Ten doublings are more than lie between any two of the windows.
        self._strikes = min(self._strikes + 1, 10)
        waits = [now + backoff_s, now + (retry_after_s or 0.0)]
        waits += [self._opens_at(window) for window in self._windows]
        return self.close(Reason.WINDOW, max(waits))

    def close(self, reason: Reason, until: float) -> Shut:
        """Keep the door shut until a moment; one that is shut for longer stays so."""
        if self._shut is None or self._shut.until < until:
            self._shut = Shut(reason, until)
        return self._shut

    def room(self, now: float) -> int:
        """Return how many waiting requests may go now: one at least while the door is open."""
        return 0 if self.refusal(now) is not None else max(1, self.remaining(now))

    def remaining(self, now: float) -> int:
        """Return what may still be sent by our own count."""
        if self.refusal(now) is not None:
            return 0
        free = (
            window.limit - sum(sent > now - window.window_s for sent in self._sent)
            for window in self._windows
        )
        return max(0, min(free))

    def _opens_at(self, window: Window) -> float:
        """Return when a window has room, a moment in the past when it has some."""
        if len(self._sent) < window.limit:
            return 0.0
        return self._sent[-window.limit] + window.window_s
