"""A connection for tests of what is written to one."""

import asyncio


class Held(asyncio.Protocol):
    """A connection that does nothing; `lost` is done when it is gone."""

    def __init__(self) -> None:
        self.lost = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)
