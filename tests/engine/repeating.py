"""When a request is to be sent once more, and has not been yet."""

from tests.eventually import eventually
from tests.wire import Running


async def until_repeating(gateway: Running) -> None:
    """Wait until a request that is under way is to be repeated."""
    under_way = gateway.gateway.gate._under_way
    await eventually(lambda: any(record.retries for record in under_way.values()))
