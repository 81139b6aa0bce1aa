"""The raw query as pairs over the original bytes: profiles, the plus lint, repair, cuts.

The vendor asks for RFC 1738 values and for repeated parameters, so order, repetition,
empty values and keys without `=` all mean something. Nothing here decodes and encodes
again: a query is accepted as it is, has single offending bytes escaped, or loses whole
pairs.

Rule 1: an accepted query comes back byte for byte.
Rule 2: a repaired query is accepted and repairs no further.
Rule 3: a finding names the parameter, byte offset, what was seen and what to send,
        and never a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.core.grammar import (
    BAD_IN_ANY_QUERY,
    BAD_IN_RFC1738_QUERY,
    BAD_IN_RINGCENTRAL_QUERY,
    PERCENT,
    PLUS,
    unescape,
)
from gateway.errors import BadQuery, BadRequest, show


class Profile(StrEnum):
    """Which bytes a query may carry unescaped."""

    RFC1738 = "rfc1738"
    RINGCENTRAL = "ringcentral"
    OFF = "off"


class Mode(StrEnum):
    """What to do about a byte that the profile does not allow."""

    OFF = "off"
    REPORT = "report"
    REPAIR = "repair"
    REJECT = "reject"


# More names say nothing that these do not.
MAX_NAMES = 32


@dataclass(frozen=True, slots=True)
class QueryRules:
    """The `[query]` section of the configuration."""

    profile: Profile = Profile.RINGCENTRAL
    mode: Mode = Mode.REJECT
    plus: Mode = Mode.REPORT


@dataclass(frozen=True, slots=True)
class Finding:
    """One offending byte; `rule` is "profile" or "plus", `parameter` the decoded name.

    A key without `=` has no name here.

    `offset` counts from the byte after the `?`, in the query as received, also when another
    byte before it is repaired.
    """

    rule: str
    parameter: str
    offset: int
    seen: bytes
    send: bytes

    def __str__(self) -> str:
        hint = " (a raw '+' is read as a space)" if self.rule == "plus" else ""
        where = f"parameter '{self.parameter}', byte" if self.parameter else "byte"
        return (
            f"{where} {self.offset}: '{show(self.seen)}'{hint} must be sent as {self.send.decode()}"
        )


_BAD_BYTE = {
    Profile.RFC1738: BAD_IN_RFC1738_QUERY,
    Profile.RINGCENTRAL: BAD_IN_RINGCENTRAL_QUERY,
}
# A phone number in E.164 with its plus, also as people write it (RFC 3966: visual separators),
# or several, joined by commas as some operations take.
_PHONE = rb"(?:\+|%2[Bb])?[0-9](?:(?:[().\-]|%20|%28|%29)*[0-9]){5,14}"
_PHONES = re.compile(_PHONE + rb"(?:(?:,|%2[Cc])" + _PHONE + rb")*")
# ISO 8601 date-time with an offset east of UTC; the colons may be escaped. After a date alone
# the plus may well be the space before a time.
_OFFSET = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9.]+(?:(?::|%3[Aa])[0-9.]+)*"
    rb"\+[0-9]{2}(?:(?::|%3[Aa])?[0-9]{2})?"
)
# Longer than any name of the vendor's.
_MAX_NAME = 80
# A query that breaks its profile often breaks it everywhere; the log needs the first few.
_MAX_FINDINGS = 64


def check_query(raw: bytes, rules: QueryRules) -> tuple[bytes, tuple[Finding, ...]]:
    """Return the bytes to send and the first findings of each rule, or raise `BadQuery`.

    Only the modes `repair` change a byte; every other accepted query comes back as it came.
    What no profile could send, a control, a space or a `#`, is `BadRequest` in every mode.
    """
    bad = _bad_bytes(raw, rules)
    plus = _raw_pluses(raw) if PLUS in raw and rules.plus is not Mode.OFF else []
    if not bad and not plus:
        return raw, ()
    found = _judge("profile", raw, bad, rules.mode) + _judge("plus", raw, plus, rules.plus)
    repaired = [(bad, rules.mode), (plus, rules.plus)]
    offsets = [at for offsets, mode in repaired if mode is Mode.REPAIR for at in offsets]
    return _escape(raw, sorted(offsets)), found


def find_pairs(raw: bytes | None, name: bytes) -> list[bytes]:
    """Return the percent-decoded values of every pair named `name`, in order."""
    if not raw or not _may_name(raw, name):
        return []
    pairs = (pair.partition(b"=") for pair in raw.split(b"&"))
    return [unescape(value) for key, _, value in pairs if unescape(key) == name]


def cut_pairs(raw: bytes | None, name: bytes) -> bytes | None:
    """Return the query without the pairs named `name`; None when nothing is left of it."""
    if not raw or not _may_name(raw, name):
        return raw
    pairs = raw.split(b"&")
    kept = [pair for pair in pairs if unescape(pair.partition(b"=")[0]) != name]
    return raw if len(kept) == len(pairs) else (b"&".join(kept) or None)


def names_in(raw: bytes | None) -> tuple[str, ...]:
    """Return the first decoded parameter names in order, for the log; never a value.

    A key without `=` is left out: it may be a value whose name was forgotten.
    """
    if not raw:
        return ()
    pairs = (pair.partition(b"=") for pair in raw.split(b"&", MAX_NAMES)[:MAX_NAMES])
    return tuple(_printable(key) for key, equals, _ in pairs if equals)


def _may_name(raw: bytes, name: bytes) -> bool:
    """Tell cheaply whether a pair can have this name: it, or an escape, is in the query."""
    return name in raw or PERCENT in raw


def _bad_bytes(raw: bytes, rules: QueryRules) -> list[int]:
    """Return the offsets of the bytes that the profile wants escaped."""
    unsendable = BAD_IN_ANY_QUERY.search(raw)
    if unsendable is not None:
        seen, at = unsendable[0], unsendable.start()
        raise BadRequest(f"the query has '{show(seen)}' at byte {at}; send it as %{seen[0]:02X}")
    pattern = _BAD_BYTE.get(rules.profile)
    if pattern is None or rules.mode is Mode.OFF:
        return []
    return [match.start() for match in pattern.finditer(raw)]


def _raw_pluses(raw: bytes) -> list[int]:
    """Return the offsets of pluses in values that look like a phone number or an ISO offset."""
    found = []
    start = 0
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        # `orderBy=+x` is the vendor's own notation for ascending order.
        if PLUS in value and unescape(name) != b"orderBy" and _wants_escape(value):
            base = start + len(pair) - len(value)
            found += [base + at for at, byte in enumerate(value) if byte == 0x2B]
        start += len(pair) + 1
    return found


def _wants_escape(value: bytes) -> bool:
    return _PHONES.fullmatch(value) is not None or _OFFSET.fullmatch(value) is not None


def _judge(rule: str, raw: bytes, offsets: list[int], mode: Mode) -> tuple[Finding, ...]:
    if offsets and mode is Mode.REJECT:
        first = _finding(rule, raw, offsets[0])
        raise BadQuery(
            f"{len(offsets)} byte(s) to escape; {first}", parameter=first.parameter or None
        )
    return tuple(_finding(rule, raw, at) for at in offsets[:_MAX_FINDINGS])


def _finding(rule: str, raw: bytes, at: int) -> Finding:
    start = raw.rfind(b"&", 0, at) + 1
    end = raw.find(b"&", start)
    equals = raw.find(b"=", start, end if end >= 0 else len(raw))
    # A key without "=" may be a value whose name was forgotten; it is not repeated.
    name = raw[start : min(equals, start + _MAX_NAME)] if equals >= 0 else b""
    return Finding(rule, _printable(name), at, raw[at : at + 1], b"%%%02X" % raw[at])


def _escape(raw: bytes, offsets: list[int]) -> bytes:
    pieces = []
    last = 0
    for at in offsets:
        pieces += [raw[last:at], b"%%%02X" % raw[at]]
        last = at + 1
    return b"".join([*pieces, raw[last:]])


def _printable(name: bytes) -> str:
    return show(unescape(name), _MAX_NAME)
