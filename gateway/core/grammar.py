"""The productions that this gateway believes, as named compiled patterns.

A production is used with `fullmatch` (never `^...$`, which lets a newline slip by); a
pattern named `BAD_IN_...` finds, with `search`, a single byte that may not stand there.
All work on bytes and cost linear time, whatever the input. Where an RFC allows more than
one spelling with one meaning, the narrower is taken when the wider has a second reading.

Rule 1: a production lives here or nowhere; a module that needs one imports it by name.
Rule 2: possessive is only the repetition of a single byte; that of a group stands in an atomic
        group: before CPython 3.11.5 a possessive one takes what no other does (gh-106052).
"""

import re

# Single bytes, as numbers: these are found ten times as fast as bytes objects of one byte.
PERCENT, PLUS, SLASH, NUMBER_SIGN, AT, UNDERSCORE, QUOTE, SEMICOLON, LF, TAB = b'%+/#@_";\n\t'
(BACKSLASH,) = b"\\"

# RFC 9110 section 5.6.2: tchar.
TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TOKEN = re.compile(TCHAR + rb"+")

# RFC 9110 section 5.5: field-vchar with SP and HTAB inside; obs-text bytes are opaque.
_FIELD_TEXT = rb"[\t\x20-\x7e\x80-\xff]*"
FIELD_VALUE = re.compile(rb"(?![\t ])" + _FIELD_TEXT + rb"(?<![\t ])")

# Names and values in turn, one a line: for many fields at once.
FIELD_BLOCK = re.compile(
    rb"(?>(?:" + TCHAR + rb"++\n(?![\t ])" + _FIELD_TEXT + rb"+(?<![\t ])(?:\n|\Z))*)"
)

# RFC 9112 section 5: field-line = field-name ":" OWS field-value OWS; no obs-fold.
FIELD_LINE = re.compile(rb"(" + TCHAR + rb"+):(" + _FIELD_TEXT + rb")")

# Many lines at once, each with its end; and, of lines that are well-formed, the name and the
# value, which may still have white space behind it.
FIELD_LINES = re.compile(rb"(?>(?:" + TCHAR + rb"++:" + _FIELD_TEXT + rb"+\r\n)*)")
FIELD_PAIR = re.compile(rb"(" + TCHAR + rb"++):[\t ]*+(" + _FIELD_TEXT + rb"+)\r\n")

# A whole request head of the plainest kind: HTTP/1.1, visible ASCII, no white space but one blank
# after a colon and what stands within a value. Every reader of HTTP has the same view of it.
PLAIN_VALUE = rb"(?:[!-~][\t -~]*+(?<![\t ]))?"
_PLAIN_LINE = rb"([A-Z]{3,7}) (/[!-~]*+) HTTP/1\.1\r\n"
_PLAIN_LINES = rb"((?>(?:" + TCHAR + rb"++: " + PLAIN_VALUE + rb"\r\n)+))"
PLAIN_LINE = re.compile(_PLAIN_LINE)
PLAIN_HEAD = re.compile(_PLAIN_LINE + _PLAIN_LINES + rb"\r\n")
# What such a head may begin with, for a look at a part of one.
PLAIN_BEGUN = re.compile(rb"[A-Z]{1,7}(?:\Z| (?:\Z|/))")
# The same of a reply.
_PLAIN_STATUS = rb"HTTP/1\.1 ([1-9][0-9]{2}) ((?>[!-~]++(?: [!-~]++)*)|)\r\n"
PLAIN_REPLY = re.compile(_PLAIN_STATUS + _PLAIN_LINES + rb"\r\n")
PLAIN_FIELD = re.compile(rb"([^:]++): ([^\r]*+)\r\n")
# Parts of a pattern for a final head whose names are known: the status line without its end, and
# a value. They take no tab, and find out in one step what those above do in several.
FINAL_STATUS = rb"HTTP/1\.1 ([2-9][0-9]{2}) ([!-~][ -~]*+(?<! )|(?=\r))"
VISIBLE_VALUE = rb"[!-~][ -~]*+(?<! )|(?=\r)"

# RFC 9112 section 2.3, narrowed to the two versions spoken here.
VERSION = re.compile(rb"HTTP/1\.[01]")

# RFC 9110 section 8.6: 1*DIGIT; 18 digits stay inside a signed 64-bit count everywhere.
CONTENT_LENGTH = re.compile(rb"[0-9]{1,18}")

# RFC 3986 section 2.1: pct-encoded, and a "%" that begins none.
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_PERCENT = rb"%(?![0-9A-Fa-f]{2})"

# RFC 3986 section 3.3: pchar and "/"; "[" and "]" as the vendor's Digital API is called.
PATH = re.compile(rb"(?>(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]++|%[0-9A-Fa-f]{2})*)")
BAD_IN_PATH = re.compile(rb"[^A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]%]|" + _BAD_PERCENT)

# RFC 1738 section 5: search = *[ uchar | ";" | ":" | "@" | "&" | "=" ].
_SEARCH = rb"A-Za-z0-9$\-_.+!*'(),;:@&="
BAD_IN_RFC1738_QUERY = re.compile(rb"[^" + _SEARCH + rb"%]|" + _BAD_PERCENT)
# RFC 3986's "~", "/" and "?" and the brackets that ordinary clients leave as they are.
BAD_IN_RINGCENTRAL_QUERY = re.compile(rb"[^" + _SEARCH + rb"~/?\[\]%]|" + _BAD_PERCENT)
# Whatever the profile, a request-target has no control, space or fragment.
BAD_IN_ANY_QUERY = re.compile(rb"[\x00-\x20#\x7f]")

# RFC 3986 section 3.2.2, narrowed: a DNS name or IPv4 address, or what may be an IPv6 address
# in brackets.
AUTHORITY = re.compile(
    rb"(?P<host>[A-Za-z0-9][A-Za-z0-9\-._]{0,253}|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])"
    rb"(?::(?P<port>[0-9]{1,5}))?"
)
# RFC 3986 section 3: the parts of a URL; each is judged by itself.
ABSOLUTE = re.compile(
    rb"(?P<scheme>[A-Za-z][A-Za-z0-9+\-.]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL
)

# RFC 9112 section 4: the reason phrase is the only free text of a status line.
STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: (" + _FIELD_TEXT + rb"))?")

# RFC 9112 section 7.1.1: chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted ) ] ).
_BWS = rb"[\t ]*"
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_CHUNK_EXT = (
    *(_BWS, rb";", _BWS, TCHAR, rb"+"),
    *(rb"(?:", _BWS, rb"=", _BWS, rb"(?:", TCHAR, rb"+|", _QUOTED, rb"))?"),
)
# RFC 9112 section 7.1: chunk-size [ chunk-ext ]; 16 hex digits are 64 bits.
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + b"".join(_CHUNK_EXT) + rb")*")

# RFC 9110 section 7.6.2: 1*DIGIT; no path on earth has a billion hops.
MAX_FORWARDS = re.compile(rb"[0-9]{1,18}")

# RFC 1945 section 3.7: product = token ["/" product-version].
PRODUCT = re.compile(TCHAR + rb"+(?:/" + TCHAR + rb"+)?")

# Words that stand in the names, and some in the values, of fields whose values are secrets; for
# bytes in lower case. The vendor's `telephony/sessions/` are calls.
MAY_BE_SECRET = re.compile(
    rb"auth|cookie|token|secret|session(?!s/)|passw|pwd|credential|key|jwt|signature|assertion"
    rb"|code=|pin="
)

REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")

_OCTETS = {b"%02X" % number: bytes([number]) for number in range(256)}


def unescape(raw: bytes) -> bytes:
    """Return `raw` with every %HH replaced by its byte, once; for comparing, never for sending."""
    if PERCENT not in raw:
        return raw
    return _ESCAPE.sub(lambda match: _OCTETS[match[1].upper()], raw)
