"""What the configuration refers to: found, or named with its path."""

import importlib.util
from pathlib import Path

import pytest
import trustme

from gateway.config.load import load
from gateway.config.model import Config
from gateway.config.resolve import check_authorities, check_secrets, check_stores
from tests.config.loading import config_of


def test_a_secret_that_resolves_is_no_problem() -> None:
    assert check_secrets(config_of(), {}) == ()


def test_every_secret_that_does_not_resolve_is_named(tmp_path: Path) -> None:
    config = config_of(
        "credentials.ringcentral.token=env:NONE",
        f"credentials.media.token=file:{tmp_path}/none",
        "upstreams.media.credential=media",
        "credentials.spare.token=env:NONE",
    )
    assert [str(problem) for problem in check_secrets(config, {})] == [
        "credentials.ringcentral.token: the environment variable NONE is not set",
        f"credentials.media.token: file {tmp_path}/none does not exist",
    ]


BLANK = "has a blank inside; write the token alone, without 'Bearer'"


@pytest.mark.parametrize(
    ("sets", "key"),
    [
        (("grant=static", "token=env:S"), "token"),
        (("grant=jwt", "client_id=env:S", "client_secret=env:S", "jwt=env:S"), "jwt"),
        (("grant=refresh_token", "client_id=env:S", "refresh_token=env:S"), "refresh_token"),
    ],
)
def test_a_token_that_was_pasted_with_its_scheme_is_named_by_its_key(
    sets: tuple[str, ...], key: str
) -> None:
    config = load([], [f"credentials.ringcentral.{line}" for line in sets], {}).config
    assert [str(problem) for problem in check_secrets(config, {"S": "Bearer s3cr3t"})] == [
        f"credentials.ringcentral.{key}: variable S {BLANK}"
    ]


def test_a_legacy_token_is_a_token_and_a_legacy_password_may_have_blanks() -> None:
    upstream = "upstreams.engage_legacy={origin='https://portal.vacd.biz', credential='old'}"
    old = "credentials.old.grant=engage_legacy"
    login = ("credentials.old.username=env:S", "credentials.old.password=env:S")
    assert check_secrets(config_of(upstream, old, *login), {"S": "a b"}) == ()
    (problem,) = check_secrets(
        config_of(upstream, old, "credentials.old.token=env:S"), {"S": "a b"}
    )
    assert str(problem) == f"credentials.old.token: variable S {BLANK}"


def with_authorities(path: Path) -> Config:
    return config_of(f"upstreams.media.ca_file={path}")


def test_a_file_of_authorities_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    assert check_authorities(with_authorities(path)) == ()
    assert check_authorities(config_of()) == ()


def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name, reason in (
        ("none.pem", f"file {tmp_path}/none.pem does not exist"),
        ("empty.pem", f"file {tmp_path}/empty.pem holds no certificate in PEM form"),
        ("", f"file {tmp_path} is a directory"),
    ):
        (problem,) = check_authorities(with_authorities(tmp_path / name))
        assert str(problem) == f"upstreams.media.ca_file: {reason}"


def stores_of(*sets: str, **environ: str) -> list[str]:
    config = config_of(*(f"stores.{line}" for line in sets))
    return [str(problem) for problem in check_stores(config, environ)]


def test_a_store_that_has_all_it_needs_is_no_problem(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert stores_of() == []
    assert stores_of(f"file={tmp_path}/tokens.json", "key=env:KEY", KEY="ab" * 32) == []
    assert stores_of("redis=env:REDIS_URL", REDIS_URL="rediss://:s3cr3t@redis/1") == []


def test_everything_that_a_store_lacks_is_named_without_the_secret(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert stores_of(f"file={tmp_path}/tokens.json", "key=env:KEY", KEY="s3cr3t") == [
        f"stores.file: directory {tmp_path} is open to every user; "
        f"use another one: mkdir -m 700 {tmp_path}/rc-gateway",
        "stores.key: env:KEY is no key; make one with: openssl rand -hex 32",
    ]
    assert stores_of("redis=env:REDIS_URL", "key=env:KEY", REDIS_URL="http://s3cr3t") == [
        "stores.redis: env:REDIS_URL is no URL of Redis; write "
        '"redis://host:6379/0", "rediss://host:6379/0" or "unix:///path"',
        "stores.key: the environment variable KEY is not set",
    ]


def test_a_package_that_is_missing_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert stores_of("redis=redis://127.0.0.1", "key=env:KEY", KEY="ab" * 32) == [
        "stores.redis: needs the package redis, which is not here; "
        "run: pip install 'rc-gateway[redis]'",
        "stores.key: needs the package cryptography, which is not here; "
        "run: pip install 'rc-gateway[sealing]'",
    ]


def test_the_authorities_of_redis_are_read_too(tmp_path: Path) -> None:
    config = config_of("stores.redis=rediss://redis", f"stores.redis_ca_file={tmp_path}/none")
    (problem,) = check_authorities(config)
    assert str(problem) == f"stores.redis_ca_file: file {tmp_path}/none does not exist"
