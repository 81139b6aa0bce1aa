"""What the configuration refers to: found, or named with its path."""

from pathlib import Path

import trustme

from gateway.config.model import Config
from gateway.config.resolve import check_authorities, check_secrets
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
