"""The way to one upstream, how far along it an exchange has come, and all ways of a gate.

Rule: nothing is done here; these are what `swift.py`, `exchange.py` and `attempts.py` share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.config.model import Limits, Timeouts
from gateway.credentials.tokens import Credential, Token
from gateway.engine.credential_line import CredentialLine
from gateway.engine.events import Events
from gateway.engine.pool import Pool
from gateway.engine.toll import Toll
from gateway.engine.upstream import UpstreamConnection
from gateway.pipeline import Policy
from gateway.policy.rates import Spent
from gateway.policy.retries import RetryBudget, RetryRules


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one upstream: connections, the gateway's own credential, what may be repeated.

    `toll` is the same for all of them.
    """

    pool: Pool
    credential: Credential | None
    rules: RetryRules
    budget: RetryBudget
    toll: Toll
    credential_line: CredentialLine = field(default_factory=CredentialLine, repr=False)
    on_use: Callable[[], None] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take down what hears of answers, for nearly always that is nobody."""
        credential = self.credential
        object.__setattr__(self, "on_use", credential.on_use if credential is not None else None)


@dataclass(frozen=True, slots=True)
class Begun:
    """What of an exchange was done before its attempts: paid for, and maybe asked by one."""

    spent: Spent | None = None
    token: Token | None = None
    upstream: UpstreamConnection | None = None
    asked_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a gate works with; one configuration's worth. Ways are by upstream name.

    What every request asks of limits and timeouts stands here, too: their model is slow to answer.
    """

    policy: Policy
    limits: Limits
    timeouts: Timeouts
    ways: Mapping[str, Way]
    events: Events
    fast_lane: bool = True
    max_in_flight: int = field(init=False)
    keepalive_s: float = field(init=False)
    replay_body_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        """Take down what is asked for often."""
        object.__setattr__(self, "max_in_flight", self.limits.max_in_flight)
        object.__setattr__(self, "keepalive_s", self.timeouts.keepalive_s)
        object.__setattr__(self, "replay_body_bytes", self.limits.replay_body_bytes)
