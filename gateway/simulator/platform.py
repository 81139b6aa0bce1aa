"""The RingCentral platform's API, without its authorisation server.

The order: check the token, charge the request to its rate group, find the operation, run
it. What is over its rate is turned away before the operation is looked for. The open paths
(`operations.is_open`) have no token and no rate headers. A refusal has the vendor's shape,
and the rate headers when the token was good.
"""

from gateway.simulator.answers import Answer, render_fault
from gateway.simulator.faults import Fault, exceeded_rate, oversized_body
from gateway.simulator.groups import Groups
from gateway.simulator.oauth.sessions import Sessions
from gateway.simulator.operations import find_operation, is_open
from gateway.simulator.rates import Rates
from gateway.simulator.reading import Reading
from gateway.simulator.tokens import find_token
from gateway.simulator.windows import Windows
from gateway.simulator.world import World


class Platform:
    """One simulated account with its counters."""

    def __init__(self, world: World, sessions: Sessions, rates: Rates) -> None:
        """Serve `world` to whoever holds a token of `sessions`."""
        self._world = world
        self._sessions = sessions
        self._groups = Groups()
        self._rates = rates
        self._windows = Windows(rates)

    def answer(self, reading: Reading, now: float) -> Answer:
        """Answer a request; `now` is monotonic seconds."""
        told: dict[str, str] = {}
        try:
            if not is_open(reading):
                app = self._sessions.check(find_token(reading), now)
                group = self._groups.find(reading.method, reading.segments)
                told, wait_s = self._windows.spend(app, group, now)
                if wait_s:
                    raise exceeded_rate(self._rates.pace.write_wait(wait_s))
            return self._serve(reading).adding(told)
        except Fault as fault:
            return render_fault(fault).adding(told)

    def _serve(self, reading: Reading) -> Answer:
        found = find_operation(reading)
        kept = len(reading.wire.body)
        if reading.wire.body_length > kept:
            raise oversized_body(kept)
        return found.run(self._world, reading, found.ids)
