"""The control desk: everything that may be done to a running simulator, as one object.

`Running.control` is one, for tests in the same process; `endpoint` offers the same to
other processes. It reaches into the simulator through the few functions of `Levers`, so it
knows neither sessions nor RingCX.

Rule: it reports counts, never a token.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.simulator.control.ledger import Ledger
from gateway.simulator.control.troubles import Trouble, Troubles
from gateway.simulator.faults import Document


@dataclass(frozen=True, slots=True)
class Levers:
    """What the desk can move: ways to end tokens by name, numbers to show by name."""

    expire: Mapping[str, Callable[[], None]]
    show: Mapping[str, Callable[[], int]]


class Control:
    """The desk of one simulator."""

    def __init__(self, levers: Levers) -> None:
        """Start without trouble and with nothing counted."""
        self.ledger = Ledger()
        self.troubles = Troubles()
        self._levers = levers
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
        self, count: int = 1, status: int = 503, retry_after: str = "", kind: str = ""
    ) -> None:
        """Let the next token calls fail, without carrying them out."""
        self.troubles.ask(Trouble(kind, status=status, retry_after=retry_after), count)

    def stall(self, count: int = 1, seconds: float | None = None, kind: str = "") -> None:
        """Hold the next token calls, for a time or until `release`, and then carry them out."""
        self.troubles.ask(Trouble(kind, held=True, held_s=seconds), count)

    def drop(self, count: int = 1, kind: str = "") -> None:
        """Carry the next token calls out, but cut their connection instead of answering."""
        self.troubles.ask(Trouble(kind, dropped=True), count)

    def release(self) -> None:
        """Let the token calls that are held go on."""
        self.troubles.release()

    def reset(self) -> None:
        """Forget counts and trouble to come; sessions, tokens and rate windows stay."""
        self.ledger.reset()
        self.troubles.clear()
        self._base = {name: show() for name, show in self._levers.show.items() if _grows(name)}

    def report(self) -> Document:
        """Tell what the simulator saw."""
        shown = {name: show() - self._base.get(name, 0) for name, show in self._levers.show.items()}
        waiting = {"held": self.troubles.held, "troubles_pending": len(self.troubles.pending)}
        return {**self.ledger.report(), **shown, **waiting}


def _grows(name: str) -> bool:
    return name.endswith("_made")
