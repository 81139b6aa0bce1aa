"""A reload in a process whose Redis is away: the session that it has goes on."""

import asyncio
from pathlib import Path

from tests.e2e.crews import ask
from tests.e2e.reloadable import reloadable, text_of
from tests.e2e.vendor import OWNED, token_calls, vendor
from tests.redis_server import RedisServer

JWT = (
    *('credentials.ringcentral.grant = "jwt"', 'rates.mode = "off"'),
    *("{} = '{}'".format(*one.split("=")) for one in OWNED),
)


async def test_a_credential_that_changes_while_the_store_is_away_keeps_its_session(
    tmp_path: Path,
) -> None:
    with RedisServer(tmp_path) as redis:
        async with vendor() as upstream:
            text = text_of(upstream.origin, *JWT, f'stores.redis = "{redis.address}"')
            async with reloadable(tmp_path / "gateway.toml", text) as gateway:
                peer = await gateway.started.dial()
                await ask(peer)
                await asyncio.to_thread(redis.stop)
                event = await gateway.reload(text + 'user_agent.product = "another/1"\n')
                assert event["renewed"] == ["credentials.ringcentral"]
                await ask(peer)
                peer.close()
            assert token_calls(upstream) == {"jwt": {"200": 1}}
            assert upstream.control.report()["sessions_made"] == 1
