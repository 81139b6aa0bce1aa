"""Entity tags of answers that are not upstream's to the byte (RFC 9110 section 8.8.3).

A strong validator promises the same bytes. Where those were changed on their way the tag is
made weak, which promises the same meaning; a condition that needs the strong one, and names
the tag as its caller got it, gets back what upstream gave. Which form its caller got is told
by a condition that needs none.

Rule: what is no list of entity tags passes as it is.
"""

from __future__ import annotations

import re

_OPAQUE = rb'"[!#-~\x80-\xff]*+"'
_TAGS = re.compile(rb"(?:W/)?(" + _OPAQUE + rb")")
_TAG = rb"(?:W/)?" + _OPAQUE
# RFC 9110 section 5.6.1.2: a recipient takes empty members, too.
_LIST = re.compile(rb"[ \t,]*+" + _TAG + rb"(?>(?:[ \t]*+,[ \t,]*+" + _TAG + rb")*)[ \t,]*+")


def weaken(tag: bytes) -> bytes:
    """Return the tag of bytes that were changed."""
    return b"W/" + tag if tag.startswith(b'"') else tag


def strengthen(condition: bytes) -> bytes:
    """Return an `If-Match` whose tags are compared as upstream gave them.

    RFC 9110 section 13.1.1: a weak tag matches nothing there, so nothing is lost of one that
    was weak from the first.
    """
    return condition if _LIST.fullmatch(condition) is None else _TAGS.sub(rb"\1", condition)


def names_strong(condition: bytes, tag: bytes) -> bool | None:
    """Tell in which form an `If-None-Match` names a strong tag; None when in none.

    Of one that is named in both forms only what the weak one promises is sure.
    """
    if _LIST.fullmatch(condition) is None:
        return None
    named = {found[0] for found in _TAGS.finditer(condition)}
    if weaken(tag) == tag or named.isdisjoint((tag, weaken(tag))):
        return None
    return weaken(tag) not in named
