"""How a token call fails, in the words that operators see.

Rule: a reason names hosts, statuses and error codes; never a token, a form or free text of
an answer.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a token call failed; a label of the metrics."""

    REJECTED = "rejected"  # the vendor does not accept what was presented
    THROTTLED = "throttled"  # the vendor says too many
    BUDGET = "budget"  # we would say too many
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    ERROR = "error"  # an answer that is no use
    UNREADABLE = "unreadable"  # a configured secret cannot be read now; nothing was asked
    STORE = "store"  # what the fleet shares cannot be reached; nothing was asked
    SOURCE = "source"  # the credential whose token is exchanged has none


# RFC 6749 section 5.2, and the vendor's own word for it: what was presented is over.
_OVER = frozenset({"invalid_grant", "OAU-210"})


class TokenCallFailed(Exception):
    """A token call brought no token; `retry_after_s` is what the vendor or the budget says.

    `speaks_of_token` tells that an access token was presented, and that it is not good any more;
    `codes` are those of the answer's body; `may_begin` that what was held was presented, and that
    something is configured which was not.
    """

    def __init__(
        self,
        outcome: Outcome,
        reason: str,
        *,
        status: int = 0,
        retry_after_s: float | None = None,
        speaks_of_token: bool = False,
        codes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s
        self.speaks_of_token = speaks_of_token
        self.codes = codes
        self.may_begin = False

    @property
    def is_refusal(self) -> bool:
        """Tell whether the endpoint said no to what was presented, and not to the call as such."""
        return 400 <= self.status < 500 and self.status not in (408, 429)

    @property
    def is_over(self) -> bool:
        """Tell whether the vendor said in so many words that what was presented is not good."""
        return self.is_refusal and not _OVER.isdisjoint(self.codes)
