"""What a store told, in order."""


class Told:
    """Implements `gateway.stores.events.Events`; `lines` has a line for each event."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def store_down(self, reason: str) -> None:
        self.lines.append(f"down: {reason}")

    def store_back(self) -> None:
        self.lines.append("back")

    def store_broken(self, reason: str, kept: str) -> None:
        self.lines.append(f"broken: {reason}, kept as {kept}")

    def entry_unreadable(self, key: str, reason: str) -> None:
        self.lines.append(f"unreadable: {key}: {reason}")
