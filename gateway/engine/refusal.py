"""Does this 401 speak of the token: read enough of the answer to tell, and leave it whole.

The codes that say so stand in the body, which may be compressed because the caller asked
for that. What cannot be read is judged by its head alone.

Rule 1: nothing is taken from the body, so that the answer can still be relayed.
Rule 2: what is decompressed is bounded, whatever it claims to be.
"""

from __future__ import annotations

import asyncio
import zlib

from gateway.core.message import ReplyHead
from gateway.engine.upstream import UpstreamConnection
from gateway.policy.rejections import speaks_of_token

# The vendor's error documents have a few hundred bytes.
_PEEK_BYTES = 16_384
# They come with their head; one that does not is judged by what there is.
_PEEK_S = 2.0
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def refuses_token(upstream: UpstreamConnection, head: ReplyHead, deadline: float) -> bool:
    """Tell whether the answer says that the token is not, or no longer, good."""
    if head.status != 401:
        return False
    patience = asyncio.get_running_loop().time() + _PEEK_S
    body = await upstream.peek_body(_PEEK_BYTES, min(deadline, patience))
    return speaks_of_token(head.status, head.fields, decode(body, head))


def decode(body: bytes, head: ReplyHead) -> bytes:
    """Return the beginning of a body without its content coding, b"" when it cannot be undone."""
    codings = {*head.members(b"content-encoding")} - {b"identity"}
    if not codings:
        return body
    if codings - {b"gzip", b"x-gzip", b"deflate"} or len(codings) > 1:
        return b""
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, _PEEK_BYTES)
    except zlib.error:
        return b""
