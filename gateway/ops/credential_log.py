"""One log line for each change of a credential, and none while nothing changes.

Rule: names, generations and reasons; never a token.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger


class CredentialLog:
    """Writes what credentials tell of themselves."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger

    def token_changed(self, credential: str, generation: int) -> None:
        """Write that another token is used."""
        self._logger.info("token changed", credential=credential, generation=generation)

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Write why the token cannot be read; requests go on with the one before."""
        self._logger.warning("token unreadable", credential=credential, reason=reason)
