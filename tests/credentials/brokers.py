"""A broker under test, the token service behind it, and who listens.

Rule: nothing here sleeps; whoever waits, waits for a call or an end.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.credentials.broker import Broker
from gateway.credentials.chains import name_of
from gateway.credentials.grant import Grant
from gateway.credentials.grants.jwt import JwtGrant
from gateway.credentials.grants.oauth import OAuthApp, Vault, Wishes
from gateway.credentials.means import Means
from gateway.credentials.renewal import Renewal
from gateway.credentials.setbacks import Setbacks
from gateway.credentials.tokens import Token
from gateway.errors import CredentialUnavailable
from gateway.stores.memory import MemoryStore
from tests.credentials.desk import Answer, Desk, Told, desk, endpoint_of, vault_of

KEY = "token:ours:1"


class Place:
    """A broker, the service behind it, and who listens."""

    def __init__(
        self, service: Desk, store: MemoryStore, grant: Grant, reissues: int, retry_s: float
    ) -> None:
        self.service = service
        self.store = store
        self.told = Told()
        self.broker = Broker(
            "ours",
            "jwt",
            Renewal(KEY, grant, store, time.time),
            Means(grant, Setbacks(retry_s, 60.0), reissues=reissues, window_s=60.0),
            self.told,
        )

    @property
    def record(self) -> str:
        """Return the name under which the store has its chain."""
        return name_of(KEY, self.broker._renewal.grant.seed())

    async def token(self, within_s: float = 10.0) -> Token:
        return await self.broker.current(asyncio.get_running_loop().time() + within_s)

    async def refusal(self, within_s: float = 10.0) -> CredentialUnavailable:
        with pytest.raises(CredentialUnavailable) as refused:
            await self.token(within_s)
        return refused.value


def jwt_grant(service: Desk, store: MemoryStore, vault: Vault | None = None) -> JwtGrant:
    vault = vault or vault_of(client_id="id", client_secret="secret", jwt="j.w.t")
    app = OAuthApp(endpoint_of(service, store), vault, Wishes("gateway-1"), time.time)
    return JwtGrant(app)


@asynccontextmanager
async def place(
    *answers: Answer | str,
    reissues: int = 4,
    retry_s: float = 10.0,
    vault: Vault | None = None,
    store: MemoryStore | None = None,
) -> AsyncIterator[Place]:
    """Run a broker that asks the service when somebody wants a token."""
    kept = store or MemoryStore()
    async with desk(*answers) as service:
        made = Place(service, kept, jwt_grant(service, kept, vault), reissues, retry_s)
        yield made
        await made.broker.close()


def lasting(seconds: float) -> Answer:
    return 200, {"access_token": f"lives-{seconds}", "expires_in": seconds, "refresh_token": "r"}
