"""What a store told, in order."""

import asyncio

PATIENCE_S = 20


class Told:
    """Implements `gateway.stores.events.Events`; `lines` has a line for each event."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    async def until(self, count: int) -> list[str]:
        """Wait until so many lines were told; return them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.lines) < count:
                self._more.clear()
                await self._more.wait()
        return self.lines

    def store_down(self, reason: str) -> None:
        self._tell(f"down: {reason}")

    def store_back(self) -> None:
        self._tell("back")

    def store_broken(self, reason: str, kept: str) -> None:
        self._tell(f"broken: {reason}, kept as {kept}")

    def entry_unreadable(self, key: str, reason: str) -> None:
        self._tell(f"unreadable: {key}: {reason}")

    def _tell(self, line: str) -> None:
        self.lines.append(line)
        self._more.set()
