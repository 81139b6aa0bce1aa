"""The questions of `rc-gateway doctor`: requests that ask the path, and not the vendor.

None carries a credential or a body, and none names anything that exists, so the vendor
refuses whatever could change something; how it refuses is the answer. Who cannot see what
the vendor received compares two refusals: an override to PUT and one to nonsense get
different ones only if the vendor read it.

Rule: an upstream that documents no method override is never sent one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gateway.core.headers import Fields
from gateway.core.override import HEADER, PARAMETER

_PATHS = {
    "platform": b"/restapi",
    "media": b"/restapi",
    "ringcx": b"/voice/api",
    "engage_legacy": b"/api/v1",
    "engage_digital": b"/1.0",
}
OVERRIDABLE = frozenset({"platform", "media"})
# RFC 9112 section 3: a request line of 8000 bytes is what everybody is asked to support.
LONG_BYTES = 8000
_NONSENSE = b"NONSENSE"


class Question(Enum):
    """What is asked of the path; the value is its name in reports."""

    GET = "GET"
    HEAD = "HEAD"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    HEADER = "X-HTTP-Method-Override"
    HEADER_NONSENSE = "X-HTTP-Method-Override, nonsense"
    QUERY = "_method"
    QUERY_NONSENSE = "_method, nonsense"
    LONG = "long target"
    PLUS = "%2B"
    PLUS_RAW = "+"


VERBS = (Question.HEAD, Question.PUT, Question.PATCH, Question.DELETE)


@dataclass(frozen=True, slots=True)
class Probe:
    """One request without a body; `fields` are those that make it a question."""

    question: Question
    method: bytes
    path: bytes
    query: bytes | None = None
    fields: Fields = ()


def make_probes(upstream: str) -> tuple[Probe, ...]:
    """Return the probes for an upstream by its name, a plain GET first."""
    path = _PATHS[upstream]
    asked = [Probe(Question.GET, b"GET", path)]
    asked += [Probe(verb, verb.value.encode(), path) for verb in VERBS]
    asked.append(Probe(Question.LONG, b"GET", path, b"x=" + b"a" * (LONG_BYTES - len(path))))
    return (*asked, *_make_overrides(path)) if upstream in OVERRIDABLE else tuple(asked)


def _make_overrides(path: bytes) -> tuple[Probe, ...]:
    def by_header(question: Question, verb: bytes) -> Probe:
        return Probe(question, b"POST", path, None, ((HEADER, verb),))

    def by_query(question: Question, verb: bytes) -> Probe:
        return Probe(question, b"POST", path, PARAMETER + b"=" + verb)

    return (
        by_header(Question.HEADER, b"PUT"),
        by_header(Question.HEADER_NONSENSE, _NONSENSE),
        by_query(Question.QUERY, b"PUT"),
        by_query(Question.QUERY_NONSENSE, _NONSENSE),
        # A plus is no part of a verb, a blank behind it is overlooked: so the two differ,
        # unless somebody decoded the first.
        by_query(Question.PLUS, b"PUT%2B"),
        by_query(Question.PLUS_RAW, b"PUT+"),
    )
