"""Trouble to order: what the next requests meet instead of, or around, their answer.

Each asked-for trouble meets one request of its kind, in the order in which they were asked
for; one that names a method meets that effective method only. The request fails (it is not
carried out, and a 429 or 503 of this sort has no rate headers, as with the limits of an
account or of an address), or it is held (until released or for a time, then carried out,
also when the caller has gone meanwhile), or its connection is cut: at its arrival, before
it is carried out; instead of the answer; or in the middle of the answer's body.

Seconds here are real seconds; no pace shortens them.
"""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.simulator.control.kinds import TOKEN_KINDS, find_kind
from gateway.simulator.faults import Fault
from gateway.simulator.reading import Wire, parse_wire


class Cut(StrEnum):
    """Where a connection is cut; a body that is empty is cut as its answer is."""

    ARRIVAL = "arrival"
    ANSWER = "answer"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one request meets; `kind` is empty for any token call, `method` for any method."""

    kind: str = ""
    method: str = ""
    status: int = 0
    retry_after: str = ""
    held: bool = False
    held_s: float | None = None
    cut: Cut | None = None

    def meets(self, kind: str, method: str) -> bool:
        """Tell whether a request of that kind and effective method meets this."""
        is_kind = kind == self.kind if self.kind else kind in TOKEN_KINDS
        return is_kind and self.method in ("", method)


@dataclass(slots=True)
class Troubles:
    """Those still to come, the requests that are held, and the one that met trouble last."""

    pending: list[Trouble] = field(default_factory=list)
    held: int = 0
    latest: Wire | None = None
    _gate: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self, trouble: Trouble, count: int) -> None:
        """Ask for the same trouble for `count` requests."""
        self.pending.extend([trouble] * count)

    def meet(self, wire: Wire) -> Trouble | None:
        """Take the trouble that this request meets, if any."""
        if not self.pending:
            return None
        kind, method = find_kind(wire), _find_method(wire)
        for index, trouble in enumerate(self.pending):
            if trouble.meets(kind, method):
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
        """Let every request that is held go on; stalls not met yet remain."""
        self._gate.set()
        self._gate = asyncio.Event()

    def clear(self) -> None:
        """Forget what is still to come, and let go what is held."""
        self.pending.clear()
        self.release()


def _find_method(wire: Wire) -> str:
    try:
        return parse_wire(wire, "").method
    except Fault:
        return wire.method
