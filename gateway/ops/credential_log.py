"""One log line for each change of a credential, and none while nothing changes.

A token that is renewed on time is a line at level info; a token call that fails is a
warning each time, because each time is minutes from the last one.

Rule: names, generations and reasons; never a token.
"""

from __future__ import annotations

from structlog.typing import FilteringBoundLogger

_WELL = ("obtained", "adopted")


class CredentialLog:
    """Writes what credentials and their store tell of themselves."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger

    def use(self, logger: FilteringBoundLogger) -> None:
        """Write there from now on."""
        self._logger = logger

    def token_changed(self, credential: str, generation: int) -> None:
        """Write that another token is used."""
        self._logger.info("token changed", credential=credential, generation=generation)

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Write why the token cannot be read; requests go on with the one before."""
        self._logger.warning("token unreadable", credential=credential, reason=reason)

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        """Write why there is no newer token."""
        if outcome not in _WELL:
            self._logger.warning(
                "token refresh failed", credential=credential, outcome=outcome, reason=reason
            )

    def store_failed(self, credential: str, reason: str) -> None:
        """Write nothing: the store tells of itself, once for all credentials."""

    def store_down(self, reason: str) -> None:
        """Write that tokens are used as they are in memory from now on."""
        self._logger.warning("store down", reason=reason)

    def store_back(self) -> None:
        """Write that the store answers again."""
        self._logger.info("store back")

    def store_broken(self, reason: str, kept: str) -> None:
        """Write that the file was no store's, and where it is kept."""
        self._logger.warning("store file set aside", reason=reason, kept=kept)

    def entry_unreadable(self, key: str, reason: str) -> None:
        """Write that a stored token cannot be opened; a new one is obtained."""
        self._logger.warning("stored token unreadable", key=key, reason=reason)
