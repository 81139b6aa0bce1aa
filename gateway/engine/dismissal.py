"""What a request is told that a shutdown ends before it has an answer.

Rule: 503 says "not handled; try again", and programs do so by themselves. So it is said only
where trying again does no harm: of what never left or was answered as not handled, and of what
may be done twice.
"""

from __future__ import annotations

from gateway.core.message import IDEMPOTENT
from gateway.engine.events import Record
from gateway.errors import Draining, GatewayError, UpstreamTimeout


def dismissal_of(record: Record) -> GatewayError:
    """Return the answer to a request; its record tells what was asked, and whether it has left."""
    if record.upstream_s is None or record.asked.method in IDEMPOTENT:
        return Draining("the gateway is shutting down")
    return UpstreamTimeout(
        "the gateway is shutting down, and upstream has not answered yet; "
        f"it may have handled the {record.asked.method}: look before you send it again"
    )
