"""The control desk: everything that may be done to a running simulator, as one object.

`Running.control` is one, for tests in the same process; `endpoint` offers the same to
other processes. It reaches into the simulator through the few functions of `Levers`, so it
knows neither sessions nor RingCX.

Rule: it reports counts, never a token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.simulator.control.ledger import Ledger
from gateway.simulator.control.troubles import Cut, Trouble, Troubles
from gateway.simulator.faults import Document
from gateway.simulator.rates import Rates


@dataclass(frozen=True, slots=True)
class Levers:
    """What the desk can move: ways to end tokens by name, numbers to show by name."""

    expire: Mapping[str, Callable[[], None]]
    show: Mapping[str, Callable[[], int]]


class Control:
    """The desk of one simulator."""

    def __init__(self, levers: Levers, rates: Rates) -> None:
        """Start without trouble and with nothing counted."""
        self.ledger = Ledger()
        self.troubles = Troubles()
        self._levers = levers
        self._rates = rates
        self._base: dict[str, int] = {}

    def expire(self, kind: str = "access") -> None:
        """Let tokens be over now; the static ones never are. Raises KeyError.

        `platform`, `ringcx` or `legacy` name one kind of access token, `access` all three;
        `sessions` ends all sessions of the platform, refresh tokens and all.
        """
        kinds = ("platform", "ringcx", "legacy") if kind == "access" else (kind,)
        for name in kinds:
            self._levers.expire[name]()

    def fail(
        self,
        count: int = 1,
        status: int = 503,
        retry_after: str = "",
        kind: str = "",
        method: str = "",
    ) -> None:
        """Let the next requests fail, without carrying them out."""
        trouble = Trouble(kind, method, status=status, retry_after=retry_after)
        self.troubles.ask(trouble, count)

    def stall(
        self, count: int = 1, seconds: float | None = None, kind: str = "", method: str = ""
    ) -> None:
        """Hold the next requests, for a time or until `release`, and then carry them out."""
        self.troubles.ask(Trouble(kind, method, held=True, held_s=seconds), count)

    def drop(self, count: int = 1, kind: str = "", method: str = "", at: Cut = Cut.ANSWER) -> None:
        """Cut the connections of the next requests; at their arrival they are not carried out."""
        # A failure that nobody sees is how a request is not carried out.
        status = 500 if at is Cut.ARRIVAL else 0
        self.troubles.ask(Trouble(kind, method, status=status, cut=at), count)

    def tell_rates(self, *, told: bool) -> None:
        """Let answers have the `X-Rate-Limit-*` headers, or not."""
        self._rates.told = told

    def release(self) -> None:
        """Let the requests that are held go on."""
        self.troubles.release()

    def reset(self) -> None:
        """Forget counts and trouble to come, tell rates; sessions, tokens and windows stay."""
        self.ledger.reset()
        self.troubles.clear()
        self._rates.forget()
        self._base = {name: show() for name, show in self._levers.show.items() if _grows(name)}

    def report(self) -> Document:
        """Tell what the simulator saw."""
        shown = {name: show() - self._base.get(name, 0) for name, show in self._levers.show.items()}
        waiting = {"held": self.troubles.held, "troubles_pending": len(self.troubles.pending)}
        return {**self.ledger.report(), **self._rates.report(), **shown, **waiting}


def _grows(name: str) -> bool:
    return name.endswith("_made")
