"""What a credential's tokens are had with, and what came of it so far.

The grant makes the token calls. How they failed, how often a refused token was given up,
and which secrets were presented say whether another call may be made now. A reload may
replace all of it; what was obtained stays with the broker.

Rule 1: what is replaced takes its failures along: by other means a call may succeed.
Rule 2: clock-free: times are handed in, event-loop seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.credentials.failures import Outcome
from gateway.credentials.grant import Grant
from gateway.credentials.reissues import Reissues
from gateway.credentials.setbacks import Setback, Setbacks
from gateway.credentials.watch import Watch

# What never works is looked at again when a secret has changed.
_LOOK_EVERY_S = 1.0


class Means:
    """A grant and its restraints.

    A living token that upstream refuses causes at most `reissues` renewals in `window_s`.
    `follows` tells that it is over as soon as what it was obtained with has another seed.
    """

    def __init__(
        self,
        grant: Grant,
        setbacks: Setbacks,
        *,
        reissues: int,
        window_s: float,
        follows: bool = False,
    ) -> None:
        self.grant = grant
        self.setbacks = setbacks
        self.follows = follows
        self.reissues = Reissues(reissues, window_s)
        # A few times a window; it costs no token call.
        self.look_every_s = window_s / 6
        self.watch = Watch(grant.secrets)
        self._next_look = 0.0

    def forget(self) -> None:
        """Take note that there is a token."""
        self._next_look = 0.0
        self.setbacks.forget()

    def hold_off(
        self, now: float, *, may_go_alone: bool, look: Callable[[], None]
    ) -> Setback | None:
        """Return the setback that forbids a token call now, unless a secret has changed.

        It calls `look` when the store may have by now what cannot be asked for.
        """
        setback = self.setbacks.hold_off(now)
        if setback is None or (setback.outcome is Outcome.STORE and may_go_alone):
            return None
        if now < self._next_look:
            return setback
        self._next_look = now + _LOOK_EVERY_S
        if not self.watch.has_changed():
            look()
            return setback
        self.setbacks.forget()
        return None
