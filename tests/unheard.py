"""What credentials tell, where nobody listens."""


class Unheard:
    """Hears of credentials and takes no note."""

    def token_changed(self, credential: str, generation: int) -> None:
        """Take no note (credentials call this)."""

    def token_unreadable(self, credential: str, reason: str) -> None:
        """Take no note (credentials call this)."""

    def refresh_finished(self, credential: str, outcome: str, reason: str) -> None:
        """Take no note (credentials call this)."""

    def store_failed(self, credential: str, reason: str) -> None:
        """Take no note (credentials call this)."""
