"""Each way in which Redis can be unwell, in words of ours."""

from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from gateway.config.redis_address import RedisAddress
from gateway.core.secret import Secret
from gateway.stores.redis import RedisStore
from gateway.stores.store import StoreDown
from tests.redis_server import RedisServer
from tests.stores.scripted_redis import scripted
from tests.stores.telling import Told


async def reason_at(address: RedisAddress, ca_file: str = "") -> str:
    """Return why the store at an address is down; nothing when it is well."""
    told = Told()
    store = RedisStore(address, told, ca_file=ca_file, timeout_s=5, retry_s=3600)
    with suppress(StoreDown):
        await store.lease("token:ringcentral")
    reason = store.trouble
    await store.close()
    assert told.lines == ([] if reason is None else [f"down: {reason}"])
    return (reason or "").removeprefix(f"redis at {address} ")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("-LOADING Redis is loading the dataset in memory", "is loading its data"),
        ("-READONLY You can't write against a read only replica.", "is a replica"),
        ("-NOAUTH Authentication required.", "refuses the user or the password"),
        ("-WRONGPASS invalid username-password pair", "refuses the user or the password"),
        ("-NOPERM this user has no permissions to run", "does not let this user do"),
        ("-OOM command not allowed when used memory > 'maxmemory'.", "has no memory left"),
        ("-MASTERDOWN Link with MASTER is down", "answered with an error (MasterDownError)"),
        ("-ERR s3cr3t", "answered with an error (ResponseError)"),
        ("HTTP/1.1 400 Bad Request", "answered with an error (InvalidResponse)"),
    ],
)
async def test_what_redis_answers_is_told_in_words_of_ours(reply: str, reason: str) -> None:
    async with scripted(f"{reply}\r\n".encode()) as (address, _):
        seen = await reason_at(address)
    assert seen.startswith(reason)
    assert "s3cr3t" not in seen


async def test_a_connection_that_ends_is_no_redis() -> None:
    async with scripted(b"") as (address, _):
        assert await reason_at(address) == "cannot be reached, or broke off"
    assert await reason_at(address) == "cannot be reached, or broke off"


async def test_a_name_that_is_not_there_cannot_be_reached() -> None:
    assert await reason_at(RedisAddress("none.invalid")) == "cannot be reached, or broke off"


async def test_a_password_is_needed_and_never_shown(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--requirepass", "s3cr3t") as server:
        port = server.address.port
        for password, reason in (
            (b"", "refuses the user or the password"),
            (b"wr0ng-s3cr3t", "refuses the user or the password"),
            (b"s3cr3t", ""),
        ):
            address = RedisAddress("127.0.0.1", port, password=Secret(password))
            assert await reason_at(address) == reason


async def test_a_full_memory_is_told(tmp_path: Path) -> None:
    with RedisServer(tmp_path, "--maxmemory", "1") as server:
        assert await reason_at(server.address) == "has no memory left"


async def test_a_replica_is_told(tmp_path: Path, shared_redis: RedisServer) -> None:
    with RedisServer(tmp_path) as server:
        replica = RedisServer(tmp_path, "--replicaof", f"127.0.0.1 {server.address.port}")
        with replica:
            assert await reason_at(replica.address) == "is a replica that takes no writes"


async def test_a_unix_socket_is_dialled(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(tmp_path, "--unixsocket", str(path)):
        assert await reason_at(RedisAddress(socket=str(path))) == ""


async def test_certificates_are_verified_against_the_authorities_of_the_configuration(
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with RedisServer(tmp_path, tls=True) as server:
        by_name = RedisAddress("localhost", server.address.port, tls=True)
        by_address = RedisAddress("127.0.0.1", server.address.port, tls=True)
        assert await reason_at(by_name, str(ca_file)) == ""
        assert await reason_at(by_name) == "cannot be reached, or broke off"
        assert await reason_at(by_address, str(ca_file)) == "cannot be reached, or broke off"
