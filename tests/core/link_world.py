"""What the tests of links share: the maps of two upstreams, and a second opinion on one URI."""

import re
from collections.abc import Iterator

from gateway.core.links import LinkMap, Links, Source

PATHS = (b"/restapi", b"/scim", b"/cx/social-messaging", b"/.well-known")
PLATFORM = "https://platform.ringcentral.com"
MEDIA = "https://media.ringcentral.com"
RINGCX = "https://ringcx.ringcentral.com"
LOOPBACK = "http://127.0.0.1:9080"
HERE = "http://localhost:8080"

TO_HERE = Links(
    LinkMap(
        (
            Source("https", "platform.ringcentral.com", 443, PATHS, alone=True),
            Source("https", "media.ringcentral.com", 443, PATHS),
            Source("https", "ringcx.ringcentral.com", 443, (b"/cx",), (b"/cx/social-messaging",)),
            Source("http", "127.0.0.1", 9080, PATHS),
        )
    ),
    (HERE.encode(), f"{HERE}/media".encode(), HERE.encode(), HERE.encode()),
)
FROM_HERE = Links(
    LinkMap(
        (
            Source("http", "localhost", 8080, PATHS, alone=True),
            Source("http", "localhost", 8080, PATHS, strip=b"/media"),
        )
    ),
    (PLATFORM.encode(), MEDIA.encode()),
)

_ALL = r"/(?:restapi|scim|cx/social-messaging|\.well-known)(?=[/?#]|\Z)"
# The same rules once more, on a decoded string and in another form.
_RULES = (
    (rf"https://(?i:platform\.ringcentral\.com)(?::443)?(?={_ALL})", HERE),
    (r"https://(?i:platform\.ringcentral\.com)(?::443)?(?=/?(?:[?#]|\Z))", HERE),
    (rf"https://(?i:media\.ringcentral\.com)(?::443)?(?={_ALL})", f"{HERE}/media"),
    (
        r"https://(?i:ringcx\.ringcentral\.com)(?::443)?"
        r"(?=/cx(?:[/?#]|\Z))(?!/cx/social-messaging(?:[/?#]|\Z))",
        HERE,
    ),
    (rf"http://127\.0\.0\.1:9080(?={_ALL})", HERE),
)


def transform(text: str) -> str:
    """Return what stands for one decoded string."""
    if re.fullmatch(r"[!#-;=?-\[\]-~]*", text) is None:
        return text
    for pattern, put in _RULES:
        if match := re.match(pattern, text):
            return put + text[match.end() :]
    return text


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """Yield `data` cut once at every place, and into single bytes."""
    for at in range(len(data) + 1):
        yield [data[:at], data[at:]]
    yield [data[at : at + 1] for at in range(len(data))]
