"""The life of a request in the simulator, without a socket.

The order: read what arrived, note it, check the token, count it in its rate group, find
the operation, run it. The versions are open: no token, no rate headers. Everything a
client sees goes through here, so every answer has the vendor's headers, a refusal has the
vendor's shape, and an error of our own says nothing but 500.

This module must not know aiohttp; `server` does.
"""

import logging
from collections.abc import Callable
from uuid import uuid4

from gateway.simulator.answers import Answer, render_fault
from gateway.simulator.faults import Fault, internal, oversized_body
from gateway.simulator.groups import Groups
from gateway.simulator.operations import find_operation, is_open
from gateway.simulator.reading import Reading, Wire, parse_wire
from gateway.simulator.seeds import sow
from gateway.simulator.seen import Notebook
from gateway.simulator.tokens import check_token
from gateway.simulator.windows import Windows

logger = logging.getLogger(__name__)


class Service:
    """One simulated account with its data, its counters and its notebook."""

    def __init__(self, token: str, clock: Callable[[], float]) -> None:
        """Seed the data; `clock` gives monotonic seconds."""
        self.world = sow()
        self.notebook = Notebook()
        self._token = token
        self._clock = clock
        self._groups = Groups()
        self._windows = Windows()

    def answer(self, wire: Wire, own_origin: str) -> Answer:
        """Answer a request. Never raises."""
        try:
            reading = parse_wire(wire, own_origin)
        except Fault as fault:
            self.notebook.write(wire, None)
            return finish(render_fault(fault))
        self.notebook.write(wire, reading.method)
        return finish(self._judge(reading))

    def _judge(self, reading: Reading) -> Answer:
        rates: dict[str, str] = {}
        try:
            if not is_open(reading):
                check_token(reading, self._token)
                group = self._groups.find(reading.method, reading.segments)
                rates = self._windows.spend(group, self._clock())
            return self._serve(reading).adding(rates)
        except Fault as fault:
            return render_fault(fault).adding(rates)
        except Exception:
            logger.exception("the simulator failed to answer")
            return render_fault(internal()).adding(rates)

    def _serve(self, reading: Reading) -> Answer:
        found = find_operation(reading)
        kept = len(reading.wire.body)
        if reading.wire.body_length > kept:
            raise oversized_body(kept)
        return found.run(self.world, reading, found.ids)


def finish(answer: Answer) -> Answer:
    """Add the headers that every answer of the vendor has."""
    return answer.adding(
        {
            "RCRequestId": str(uuid4()),
            "RoutingKey": "SIM01P01PAS01",
            "Content-Language": "en-US",
        }
    )
