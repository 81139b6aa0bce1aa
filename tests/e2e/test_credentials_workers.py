"""Workers that share a session through a file, and one that has none to share."""

import asyncio
import os
import stat
from pathlib import Path

from tests.e2e.crews import ask, show, until_left, workers_of
from tests.e2e.reloadable import reloadable, text_of
from tests.e2e.vendor import OWNED, token_calls, vendor
from tests.started import command

JWT = (
    *('credentials.ringcentral.grant = "jwt"', 'rates.mode = "off"', "engine.workers = 3"),
    *("{} = '{}'".format(*one.split("=")) for one in OWNED),
)


def private(folder: Path) -> str:
    """Return the setting of a store that is nobody else's."""
    folder.mkdir()
    os.chmod(folder, stat.S_IRWXU)
    return f'stores.file = "{folder}/tokens.json"'


def write(file: Path, text: str) -> None:
    """Write a configuration."""
    file.write_text(text)


async def test_three_workers_and_their_successors_have_one_session(tmp_path: Path) -> None:
    store = private(tmp_path / "store")
    async with vendor() as upstream:
        text = text_of(upstream.origin, *JWT, store)
        async with reloadable(tmp_path / "gateway.toml", text) as gateway:
            for _ in range(2):
                # On connections of their own, so that every worker gets some.
                peers = await asyncio.gather(*(gateway.started.dial() for _ in range(12)))
                assert {(await ask(peer))[1] for peer in peers} == {True}
                for peer in peers:
                    peer.close()
                assert token_calls(upstream) == {"jwt": {"200": 1}}
                assert '"generation": 1,' in await show(gateway, "/credentials")
                await gateway.reload(text + "limits.max_in_flight = 500\n")
            await until_left(gateway.started, 6)
            assert len(workers_of(gateway.started.process.pid)) == 3
            metrics = await show(gateway, "/metrics")
            assert 'rcgw_token_expiry_timestamp_seconds{credential="ringcentral"} 1.' in metrics
        assert upstream.control.report()["sessions_made"] == 1


async def test_workers_without_a_store_for_their_session_do_not_begin(tmp_path: Path) -> None:
    text = text_of("http://127.0.0.1:9", *JWT)
    file = tmp_path / "gateway.toml"
    write(file, text)
    async with command("--config", str(file)) as started:
        assert await started.code() == os.EX_CONFIG
        error = await started.errors()
    assert "engine.workers: is 3, and each worker would begin a session of its own" in error
    assert "set stores.file or stores.redis" in error
