"""A process that rotates its tokens with a file store, and kills itself before a step of it.

Arguments: the origin of the vendor, the store's path, and which step is the last that is not
made. A step is a call of the system while the pair is stored, the token call itself, or
the moment when the new token is put to use. It prints "rotated" when it lived to use it.
"""

import asyncio
import fcntl
import os
import sys
from typing import cast

from gateway.app import Credentials, make_credentials
from gateway.config.load import load
from gateway.credentials.broker import Broker
from gateway.credentials.endpoint import TokenEndpoint
from gateway.credentials.grants import oauth
from gateway.simulator import CLIENT_ID, CLIENT_SECRET
from gateway.stores.file import FileStore
from tests.stores.crashing import Countdown
from tests.stores.telling import Told
from tests.wire import Recorder

NAME = "ringcentral"
# Calls of the system by which a pair gets to the disk.
STEPS = ("open", "close", "fsync", "replace", "unlink")


def carried_on(origin: str, path: str) -> Credentials:
    """Return the credentials of a gateway whose session began elsewhere, kept in a file."""
    table = f"credentials.{NAME}"
    sets = (
        *(f"{table}.grant=refresh_token", f"{table}.client_id=literal:{CLIENT_ID}"),
        *(f"{table}.client_secret=literal:{CLIENT_SECRET}", f"{table}.auth_window_s=0.01"),
        *(f'upstreams.platform.origin="{origin}"', f'stores.file="{path}"'),
        f"{table}.refresh_token=env:FIRST_REFRESH_TOKEN",
    )
    store = FileStore(path, Told(), lease_s=60.0)
    return make_credentials(load([], sets, {}).config, os.environ, Recorder(), store)


async def rotate(origin: str, path: str, last: int) -> None:
    credentials = carried_on(origin, path)
    broker = cast(Broker, credentials.by_name[NAME])
    deadline = asyncio.get_running_loop().time() + 30
    old = await broker.current(deadline)
    countdown = Countdown(last)
    for name in STEPS:
        countdown.watch(os, name)
    countdown.watch(fcntl, "flock")
    countdown.watch(TokenEndpoint, "_send")
    countdown.watch(oauth, "read_answer")
    countdown.watch(Broker, "_adopt")
    assert broker.refuse(old)
    new = await broker.current(deadline)
    assert new.generation > old.generation
    sys.stdout.write("rotated\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(rotate(sys.argv[1], sys.argv[2], int(sys.argv[3])))
