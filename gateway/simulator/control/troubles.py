"""Trouble to order: what the next token calls meet instead of, or around, their answer.

A token call is a POST that obtains or refreshes a token: of the platform, of RingCX, or of
Engage's legacy login. Each asked-for trouble meets one token call of its kind, in the order
in which they were asked for. It fails (the call is not carried out), or it is held (until
released or for a time, then carried out, also when the caller has gone meanwhile), or it
is carried out and its connection is cut instead of the answer.

Seconds here are real seconds; no pace shortens them.
"""

import asyncio
from dataclasses import dataclass, field

from gateway.simulator.reading import Wire

KINDS = ("platform", "ringcx", "legacy")
_TOKEN_PATHS = {
    "/restapi/oauth/token": "platform",
    "/api/auth/login/rc/accesstoken": "ringcx",
    "/api/auth/token/refresh": "ringcx",
    "/api/v1/auth/login": "legacy",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one token call meets; `kind` is empty for any."""

    kind: str = ""
    status: int = 0
    retry_after: str = ""
    held: bool = False
    held_s: float | None = None
    dropped: bool = False


@dataclass(slots=True)
class Troubles:
    """The troubles still to come, the calls that are held, and the one that met trouble last."""

    pending: list[Trouble] = field(default_factory=list)
    held: int = 0
    latest: Wire | None = None
    _gate: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, trouble: Trouble, count: int) -> None:
        """Ask for the same trouble for `count` token calls."""
        self.pending.extend([trouble] * count)

    def meet(self, wire: Wire) -> Trouble | None:
        """Take the trouble that this request meets, if any."""
        kind = find_kind(wire)
        for index, trouble in enumerate(self.pending):
            if kind and trouble.kind in ("", kind):
                self.latest = wire
                return self.pending.pop(index)
        return None

    async def hold(self, trouble: Trouble) -> None:
        """Wait as long as a trouble says."""
        if not trouble.held:
            return
        self.held += 1
        try:
            await asyncio.wait_for(self._gate.wait(), trouble.held_s)
        except TimeoutError:
            return
        finally:
            self.held -= 1

    def release(self) -> None:
        """Let every call that is held go on; stalls not met yet remain."""
        self._gate.set()
        self._gate = asyncio.Event()

    def clear(self) -> None:
        """Forget what is still to come, and let go what is held."""
        self.pending.clear()
        self.release()


def find_kind(wire: Wire) -> str:
    """Name the kind of a token call; empty when the request is none."""
    return _TOKEN_PATHS.get(wire.target.partition("?")[0], "") if wire.method == "POST" else ""
