"""Accept-Encoding, narrowed to the codings that can be read and written here.

An answer whose links are rewritten must be read, so upstream is asked for gzip or for no
coding, as far as the caller takes them (RFC 9110 section 12.5.3).

Rule 1: nothing is asked for that the caller did not allow.
Rule 2: what cannot be read, or leaves nothing to ask for, passes as it is.
"""

from __future__ import annotations

import re

from gateway.core.grammar import TCHAR

_MEMBER = re.compile(
    rb"[ \t]*(?:(" + TCHAR + rb"+)([ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?)?[ \t]*"
)
_READ_HERE = (b"gzip", b"x-gzip", b"identity")


def narrow_codings(value: bytes) -> bytes:
    """Return an Accept-Encoding that asks for gzip and identity at most."""
    members = [_MEMBER.fullmatch(member) for member in value.split(b",")]
    listed = [(m[1].lower(), m[2] or b"", m[3] or b"1") for m in members if m and m[1]]
    if None in members or not listed:
        return value
    codings = {coding for coding, _, _ in listed}
    kept, usable = [], False
    for coding, weight, q in listed:
        refused = not q.strip(b"0.")
        if coding == b"*" and not refused:
            coding = b"*" if b"gzip" in codings else b"gzip"
        if coding in _READ_HERE or (refused and coding == b"*"):
            kept.append(coding + weight)
            usable = usable or not refused
    if usable:
        return b", ".join(kept)
    # RFC 9110 section 12.5.3: no coding is acceptable unless it is refused by name or by "*".
    return value if codings & {b"identity", b"*"} else b"identity"
