from aiohttp import ClientSession

from gateway.simulator import Running


async def test_the_owner_of_the_token_is_told(client: ClientSession) -> None:
    async with client.get("/restapi/oauth/userinfo") as reply:
        assert (await reply.json())["sub"] == "230919005"
        assert reply.headers["X-Rate-Limit-Group"] == "auth"


async def test_the_configuration_and_the_keys_are_open(simulator: Running) -> None:
    async with ClientSession(simulator.origin) as anyone:
        async with anyone.get("/.well-known/openid-configuration") as reply:
            document = await reply.json()
        assert document["token_endpoint"] == f"{simulator.origin}/restapi/oauth/token"
        async with anyone.get(document["jwks_uri"]) as reply:
            assert await reply.json() == {"keys": []}


async def test_the_owner_is_nobodys_business(simulator: Running) -> None:
    async with (
        ClientSession(simulator.origin) as anyone,
        anyone.get("/restapi/oauth/userinfo") as reply,
    ):
        assert (reply.status, (await reply.json())["errorCode"]) == (401, "AGW-401")
