"""Absolute URIs of an upstream: which they are, and what stands in their place.

An answer is full of them, and a program that follows one leaves the gateway. A `LinkMap`
finds, for a set of origins, the URIs that one of our routes serves; `Links` says what is
written instead of their origin. The rest of a URI is never touched, so that its path and
query keep their bytes.

Rule 1: a host is compared whole, in any letter case; its port is that of the origin,
        which may be left out where it is the scheme's own.
Rule 2: a URI counts only as a whole: text that begins like one stays.
Rule 3: each search is one compiled pattern that reads every byte a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.core.grammar import BACKSLASH, QUOTE, SLASH

_PORTS = {"http": 80, "https": 443}

# Fields whose values are links; the names in lower case.
LINK_FIELDS = frozenset({b"location", b"content-location", b"link"})

# Below this, doing anything else than the search itself costs more than it saves.
_MOST_SHORT_BYTES = 3072

# What may stand in a URI as it is written in practice: visible ASCII but quotes, backslash
# and angle brackets. Blanks, controls and other letters make it text.
_VISIBLE = rb"[!#-;=?-\[\]-~]"
_URI_REST = _VISIBLE + rb"*+"
# RFC 8259 section 7: the same bytes may be written as escapes; `\/` and `\u0026` are usual.
_ESCAPE = (
    rb"\\(?:/|u00(?:2[13-9A-Fa-f]|3[0-9ABDFabdf]|[46][0-9A-Fa-f]|5[0-9ABD-Fabd-f]|7[0-9A-Ea-e]))"
)
JSON_BLANKS = rb"[ \t\r\n]*+"
# The same as `_URI_REST`: PCRE2 reads six in a row in a tenth less time, and `re` in more.
_STRIDES = rb"(?>(?:" + _VISIBLE * 6 + rb")*)" + _URI_REST


def _json_rest(rest: bytes) -> bytes:
    return rest + rb"(?>(?:" + _ESCAPE + rest + rb")*)"


JSON_URI_REST = _json_rest(_URI_REST)


@dataclass(frozen=True, slots=True)
class Source:
    """URIs to be found: `scheme://host[:port]`, then `strip`, then a path of ours.

    `paths` are prefixes of whole segments, `but` those below them that belong to somebody
    else; `alone` takes the origin itself, without a path, too.
    """

    scheme: str
    host: str
    port: int
    paths: tuple[bytes, ...]
    but: tuple[bytes, ...] = ()
    strip: bytes = b""
    alone: bool = False


class LinkMap:
    """The URIs of `sources`, to be found in JSON, in a field value, or in a Link field.

    A match is what is replaced, origin and `strip`; its `lastindex` is the source, from 1.
    `unescaped` finds the same as `in_json` where no backslash is, in a fifth less time;
    `machine_pattern` is `in_json` for who compiles it to machine code.
    """

    __slots__ = ("in_json", "in_link", "machine_pattern", "plain", "unescaped")

    def __init__(self, sources: Iterable[Source]) -> None:
        """Compile the patterns; where two sources find the same URI the first one counts."""
        listed = tuple(sources)
        written = _Spelling(rb"/", rb"//", rb"[/?#>]|\Z", rb"(?=[?#>]|/?(?:[>?#]|\Z))")
        escaped = _Spelling(
            rb"\\?/",
            rb"(?://|\\/\\/)",
            rb'["/?#]|\\(?:/|u00(?:2[3Ff]|3[Ff]))',
            rb'(?=(?:\\?/)?(?:["?#]|\\u00(?:23|3[Ff])))',
        )
        bare = _Spelling(rb"/", rb"//", rb'["/?#]', rb'(?=/?["?#])')
        plain, in_json = _any_of(listed, written), _any_of(listed, escaped)
        # An opening quote: see `link_json`. The literal comes first because the search for it
        # is what makes this fast; the lookbehinds ask for the quote.
        quoted = rb'http(?<="http)'
        opened = quoted + rb'(?<!\\"http)'
        self.in_json = re.compile(_value(opened + in_json, JSON_URI_REST))
        self.machine_pattern = _value(opened + in_json, _json_rest(_STRIDES))
        self.unescaped = re.compile(_value(quoted + _any_of(listed, bare), _URI_REST))
        self.plain = re.compile(rb"http" + plain + rb"(?=" + _URI_REST + rb"\Z)")
        # RFC 8288 section 3: `<URI>` is the target; quoted strings are parameters. One without
        # an end takes the rest, so that nothing is read twice.
        self.in_link = re.compile(
            rb'"(?>(?:[^"\\]|\\.)*)"?|(?<=<)http' + plain + rb"(?=" + _URI_REST + rb">)"
        )


# What is written of a document. A view is lent: the next document is written over it.
Lent: TypeAlias = bytes | memoryview
Substitute: TypeAlias = Callable[[bytes], Lent | None]
# Makes one of a pattern and what is written for each of its groups.
MakeSubstitute: TypeAlias = Callable[[bytes, tuple[bytes, ...]], Substitute | None]


@dataclass(frozen=True, slots=True)
class Links:
    """What is written for the sources of `found`, in their order: an origin, maybe a path."""

    found: LinkMap
    written: tuple[bytes, ...]
    # Replaces all that `found.in_json` finds, or says with None that it cannot.
    substitute: Substitute | None = field(default=None, repr=False, compare=False)
    # What `re` writes where one text stands for every source, which needs no call for each match.
    _text: bytes | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look whether there is one text."""
        is_one = len(set(self.written)) == 1
        text = self.written[0].replace(b"\\", rb"\\") if is_one else None
        object.__setattr__(self, "_text", text)

    def replace(self, match: re.Match[bytes]) -> bytes:
        """Return what is written for a match; a match of no source is kept."""
        return self.written[match.lastindex - 1] if match.lastindex else match[0]

    def rewrite_json(self, data: bytes) -> bytes:
        """Return what is settled of a JSON document; `link_json.py` knows what that is."""
        return bytes(self.lend_json(data))

    def lend_json(self, data: bytes) -> Lent:
        """Return the same, at the cost of no copy; a view only of what has changed."""
        if SLASH not in data:
            # Every URI has one, and the small bodies of most requests have none.
            return data
        if len(data) <= _MOST_SHORT_BYTES:
            found = self.found
            pattern = found.in_json if BACKSLASH in data else found.unescaped
            return pattern.sub(self._text or self.replace, data)
        if QUOTE not in data:
            # A large document is one of long strings; a single byte is found at memory's speed.
            return data
        rewritten = self.substitute(data) if self.substitute is not None else None
        if rewritten is not None:
            return rewritten
        if data.find(b'"http') < 0:
            # A match begins like this, and `re` takes 15 times as long to look for a whole one.
            return data
        return self.found.in_json.sub(self._text or self.replace, data)


def rewrite_field(name: bytes, value: bytes, links: Links) -> bytes:
    """Return the value of a field named `name` (lower case), its links rewritten."""
    if name in (b"location", b"content-location"):
        match = links.found.plain.match(value)
        return value if match is None else links.replace(match) + value[match.end() :]
    if name == b"link":
        return links.found.in_link.sub(links.replace, value)
    return value


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Patterns for a slash, the end of a path's segment, and what may follow an origin alone."""

    slash: bytes
    two_slashes: bytes
    segment_end: bytes
    alone: bytes

    def path(self, path: bytes) -> bytes:
        return self.slash.join(map(re.escape, path.split(b"/")))

    def one_of(self, paths: tuple[bytes, ...]) -> bytes:
        return rb"(?:%b)(?:%b)" % (b"|".join(map(self.path, paths)), self.segment_end)


def _value(begun: bytes, rest: bytes) -> bytes:
    """Return the pattern of a string that is a URI as a whole, and no name."""
    # RFC 8259 section 4: a string before a colon is a name.
    return begun + rb"(?=" + rest + rb'"' + JSON_BLANKS + rb"[^: \t\r\n])"


def _any_of(sources: tuple[Source, ...], spelling: _Spelling) -> bytes:
    # Without a source, what never matches.
    return rb"(?:%b)" % (b"|".join(_one(source, spelling) for source in sources) or b"(?!)")


def _one(source: Source, spelling: _Spelling) -> bytes:
    """Return the pattern of one source, from behind the `http` of its scheme."""
    default = _PORTS[source.scheme]
    port = rb":%d" % source.port
    origin = rb"%b:%b(?i:%b)%b%b" % (
        source.scheme.encode().removeprefix(b"http"),
        spelling.two_slashes,
        re.escape(source.host.encode()),
        rb"(?:%b)?" % port if source.port == default else port,
        spelling.path(source.strip),
    )
    served = rb"(?=%b)" % spelling.one_of(source.paths) if source.paths else rb"(?!)"
    if source.but:
        served = rb"(?!%b)%b" % (spelling.one_of(source.but), served)
    if source.alone:
        served = rb"(?:%b|%b)" % (served, spelling.alone)
    return rb"(%b)%b" % (origin, served)
