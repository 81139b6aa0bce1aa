r"""Links in JSON: found in its bytes as they stream, without parsing the document.

What is rewritten is a string value that as a whole is a URI of a `LinkMap`. Why a search
is enough, in valid JSON (RFC 8259):

A quote with no backslash before it opens or ends a string. One that ends a string is
followed by a blank, `:`, `,`, `]`, `}` or nothing, never by a letter. So a quote that
`http` follows and no backslash precedes opens a string; that string goes on for as long
as bytes of a URI and harmless escapes follow, to its closing quote; and it is a name, and
no value, when the next byte that is no blank is a colon.

Rule 1: bytes outside a match are never changed, and no input raises.
Rule 2: the byte before the buffer is no backslash, so a match needs no older byte.
Rule 3: a string is waited for up to `MOST_BYTES`; one that is longer may stay as it is.
"""

from __future__ import annotations

import re

from gateway.core.links import JSON_BLANKS, JSON_URI_REST, Lent, Links

# As long as the longest request-target that is taken here; more could not be followed.
MOST_BYTES = 16384

_QUOTE = b'"'
_BACKSLASH = b"\\"
_ENDS = (b"}", b"]")
# A string that may become a URI when more comes: begun, an escape in it begun, or at its
# end with nothing behind it yet that says whether it is a name.
_BEGUN = re.compile(
    rb'"(?:h(?:t(?:t(?:p' + JSON_URI_REST + rb"(?:\\(?:u[0-9A-Fa-f]{0,4})?)?)?)?)?)?"
)
_ENDED = re.compile(rb'"http' + JSON_URI_REST + rb'"' + JSON_BLANKS)


class JsonRewriter:
    """Rewrites one document, fed in pieces that may be cut anywhere."""

    __slots__ = ("_held", "_links")

    def __init__(self, links: Links) -> None:
        self._links = links
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what is settled by now: all but a string that may still be a URI."""
        if self._held:
            data = self._held + data
        end = _settled(data)
        self._held = data[end:]
        return self._links.rewrite_json(data[:end])

    def finish(self) -> bytes:
        """Return the rest; the document has ended."""
        rest, self._held = self._held, b""
        # What follows the last string is no colon.
        return self._links.rewrite_json(rest + b",")[:-1] if rest else b""

    def whole(self, data: bytes) -> bytes:
        """Return a whole document rewritten; instead of `feed` and `finish`."""
        return rewrite_whole(self._links, data)


def rewrite_whole(links: Links, data: bytes) -> bytes:
    """Return a whole document rewritten."""
    return bytes(lend_whole(links, data))


def lend_whole(links: Links, data: bytes) -> Lent:
    """Return the same, as `Links.lend_json` does."""
    if not data or data.endswith(_ENDS):
        # What ends like this ends with no string, of which the pattern would want to see more.
        return links.lend_json(data)
    rewriter = JsonRewriter(links)
    return rewriter.feed(data) + rewriter.finish()


def _settled(data: bytes) -> int:
    """Return where the part of `data` ends that nothing to come can change."""
    # Rule 3: a string that begins before this is not waited for.
    first = max(len(data) - MOST_BYTES, 0)
    last = data.rfind(_QUOTE, first)
    before = data.rfind(_QUOTE, first, max(last, first))
    for at, unsettled in ((before, _ENDED), (last, _BEGUN)):
        if at < 0 or data[at - 1 : at] == _BACKSLASH:
            continue
        if unsettled.fullmatch(data, at) is not None:
            return at
    return len(data) - data.endswith(_BACKSLASH)
