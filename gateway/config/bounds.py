"""`[timeouts]` and `[limits]`: what a request may cost.

The engine reads these as they are. The bounds refuse what is certainly a slip (minutes
taken for seconds, megabytes for bytes), not what is merely unusual.

Rule: seconds end in `_s` and may be fractions; sizes end in `_bytes` and are whole.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.config.section import Section

# A day: nothing that is waited for longer is being waited for.
Seconds = Annotated[float, Field(gt=0, le=86400)]
# More open sockets than one process can serve, on any machine.
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Timeouts(Section):
    """How long the gateway waits; seconds."""

    head_s: Seconds = Field(default=10, description="seconds to receive a request head")
    body_idle_s: Seconds = Field(
        default=30, description="seconds between two reads of a request body"
    )
    connect_s: Seconds = Field(
        default=5, description="seconds to connect to an upstream, TLS included"
    )
    first_byte_s: Seconds = Field(
        default=60,
        description="seconds from the arrival of a request head to the upstream's answer",
    )
    idle_s: Seconds = Field(default=60, description="seconds between two reads of a response body")
    client_write_s: Seconds = Field(
        default=60, description="seconds after which a caller that takes nothing is cut"
    )
    keepalive_s: Seconds = Field(
        default=75, description="seconds an idle caller connection is kept"
    )
    drain_s: Seconds = Field(
        default=20, description="seconds that requests under way get at shutdown"
    )


class Limits(Section):
    """How much the gateway takes; sizes in bytes."""

    max_head_bytes: int = Field(
        default=65536, ge=512, le=1 << 20, description="bytes of a request head"
    )
    max_target_bytes: int = Field(
        default=16384, ge=64, le=1 << 20, description="bytes of a request-target"
    )
    max_body_bytes: int = Field(
        # 110 MiB: the vendor's largest documented upload is 100m.
        default=115343360,
        ge=1,
        le=1 << 40,
        description="bytes of a request body",
    )
    replay_body_bytes: int = Field(
        default=65536,
        ge=0,
        le=1 << 24,
        description="bytes of a request body that may be held for a replay or a length",
    )
    max_connections: Count = Field(
        default=10000, description="open caller connections, of each worker"
    )
    max_in_flight: Count = Field(default=1000, description="requests under way, of each worker")
