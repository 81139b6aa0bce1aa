import os
from pathlib import Path

import pytest

from gateway.config.secrets import parse_reference
from gateway.credentials.grants.static import LOOK_EVERY_S, StaticCredential
from gateway.credentials.tokens import Credential
from gateway.errors import CredentialUnavailable
from tests.credentials.desk import Told


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self) -> None:
        self.now += LOOK_EVERY_S


class Place:
    """A token's file, the credential that reads it, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "token"
        self.clock = Clock()
        self._writes = 0
        self.told = Told()
        reference = parse_reference(f"file:{self.file}")
        self.credential: Credential = StaticCredential("ours", reference, {}, self.told, self.clock)

    def write(self, text: bytes) -> None:
        """Write the file; each time is another one, however coarse the file system's clock."""
        self.file.write_bytes(text)
        self._writes += 1
        os.utime(self.file, (self._writes, self._writes))

    async def read(self) -> tuple[bytes, int]:
        token = await self.credential.current(0.0)
        return token.value.reveal(), token.generation


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("text", ["env:TOKEN", "literal:abc"])
async def test_a_variable_or_literal_is_given_as_it_is(text: str) -> None:
    clock = Clock()
    environ = {"TOKEN": "abc"}
    credential = StaticCredential("ours", parse_reference(text), environ, Told(), clock)
    first = await credential.current(0.0)
    environ.clear()
    clock.now += 3600
    assert await credential.current(0.0) is first
    assert (first.value.reveal(), first.generation) == (b"abc", 1)


async def test_a_changed_file_is_read_after_a_while_and_not_before(place: Place) -> None:
    place.write(b"one\n")
    assert await place.read() == (b"one", 1)
    place.write(b"two\n")
    assert await place.read() == (b"one", 1)
    place.clock.pass_by()
    assert await place.read() == (b"two", 2)


async def test_another_token_descends_from_something_else(place: Place) -> None:
    assert place.credential.seed() == ""
    seeds = []
    for text in (b"one", b"two", b"two\n"):
        place.write(text)
        place.clock.pass_by()
        seeds.append(place.credential.seed())
        token = await place.credential.current(0.0)
        assert token.seed == seeds[-1]
        assert "one" not in token.seed
    assert seeds[0] != seeds[1] == seeds[2]
    place.file.unlink()
    place.clock.pass_by()
    assert place.credential.seed() == seeds[2]


async def test_a_file_that_is_replaced_is_read(place: Place, tmp_path: Path) -> None:
    place.write(b"one")
    await place.read()
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"two")
    os.utime(fresh, (1, 1))
    fresh.rename(place.file)
    place.clock.pass_by()
    # Same size and same time: it is another file all the same.
    assert await place.read() == (b"two", 2)


async def test_a_link_that_points_elsewhere_is_followed(tmp_path: Path) -> None:
    # As Kubernetes rotates a mounted secret.
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"in-{name}")
    place = Place(tmp_path)
    place.file.symlink_to(tmp_path / "a")
    assert await place.read() == (b"in-a", 1)
    (tmp_path / "new").symlink_to(tmp_path / "b")
    (tmp_path / "new").rename(place.file)
    place.clock.pass_by()
    assert await place.read() == (b"in-b", 2)


async def test_a_file_written_anew_with_the_same_token_is_no_new_generation(place: Place) -> None:
    place.write(b"one")
    token = await place.credential.current(0.0)
    place.write(b"one\n")
    place.clock.pass_by()
    assert await place.credential.current(0.0) is token


async def test_a_file_that_has_not_changed_is_not_read(place: Place) -> None:
    place.write(b"one")
    token = await place.credential.current(0.0)
    place.file.chmod(0)
    seen = place.file.stat().st_atime_ns
    for _ in range(5):
        place.clock.pass_by()
        assert await place.credential.current(0.0) is token
    assert place.file.stat().st_atime_ns == seen


@pytest.mark.parametrize("half", [b"", b"\n", b"tw\no", b"\x00\x00\x00", b"t\xc3", b"Bearer two"])
async def test_what_is_missing_or_half_written_for_a_moment_does_no_harm(
    place: Place, half: bytes
) -> None:
    place.write(b"one")
    await place.read()
    place.write(half)
    place.clock.pass_by()
    assert await place.read() == (b"one", 1)
    place.file.unlink()
    place.clock.pass_by()
    assert await place.read() == (b"one", 1)
    place.write(b"two")
    place.clock.pass_by()
    assert await place.read() == (b"two", 2)


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_token_that_was_never_there_is_unavailable_until_it_is(
    place: Place, is_there: bool
) -> None:
    if is_there:
        place.write(b"")
    for _ in range(2):
        with pytest.raises(CredentialUnavailable) as caught:
            await place.credential.current(0.0)
        assert caught.value.status == 503
        assert caught.value.retry_after_s == 5
        assert caught.value.message == "the token of credential ours cannot be read"
    place.write(b"one")
    # It is looked at without delay: every request that fails is one too many.
    assert await place.read() == (b"one", 1)


async def test_a_missing_variable_is_unavailable() -> None:
    credential = StaticCredential("ours", parse_reference("env:TOKEN"), {}, Told())
    with pytest.raises(CredentialUnavailable, match="credential ours cannot be read"):
        await credential.current(0.0)


async def test_a_change_is_told_once_and_the_first_token_is_none(place: Place) -> None:
    place.write(b"one")
    await place.read()
    for text in (b"two", b"two\n", b"three"):
        place.write(text)
        place.clock.pass_by()
        await place.read()
        await place.read()
    assert place.told.changes == [("ours", 2), ("ours", 3)]
    assert place.told.troubles == []


async def test_a_file_that_cannot_be_read_is_told_once_for_each_reason(place: Place) -> None:
    place.write(b"secret-one")
    await place.read()
    for _ in range(3):
        place.clock.pass_by()
        place.write(b"")
        assert (await place.read())[0] == b"secret-one"
    place.file.unlink()
    for _ in range(3):
        place.clock.pass_by()
        assert (await place.read())[0] == b"secret-one"
    assert place.told.troubles == [
        ("ours", f"file {place.file} is empty"),
        ("ours", f"file {place.file} does not exist"),
    ]
    place.write(b"secret-one")
    place.clock.pass_by()
    await place.read()
    place.file.unlink()
    place.clock.pass_by()
    await place.read()
    assert len(place.told.troubles) == 3
    assert place.told.changes == []
    assert "secret" not in repr(place.told.troubles)


async def test_a_refused_token_is_replaced_when_the_file_has_another_one(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(b"first")
    first = await place.credential.current(0.0)
    assert not place.credential.refuse(first)
    place.write(b"second")
    assert place.credential.refuse(first)
    assert place.credential.ready() == await place.credential.current(0.0)
    assert (await place.read())[0] == b"second"


async def test_a_refused_token_without_another_one_is_told_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(b"secret-one")
    first = await place.credential.current(0.0)
    assert [place.credential.refuse(first, b"/a") for _ in range(3)] == [False] * 3
    status = place.credential.status()
    assert (status.outcome, status.generation) == ("refused", 1)
    ((outcome, reason),) = place.told.refreshes
    assert outcome == "refused"
    assert status.reason == reason != ""
    assert place.credential.ready() == first
    place.write(b"secret-two")
    assert place.credential.refuse(first)
    second = await place.credential.current(0.0)
    assert (place.credential.status().outcome, place.credential.status().reason) == ("read", "")
    assert not place.credential.refuse(second)
    assert [outcome for outcome, _ in place.told.refreshes] == ["refused"] * 2
    assert place.credential.status().outcome == "refused"
    place.file.unlink()
    place.clock.pass_by()
    await place.read()
    assert place.credential.status().outcome == "unreadable"


async def test_a_late_refusal_of_the_token_before_is_not_told_of(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write(b"one")
    first = await place.credential.current(0.0)
    place.write(b"two")
    place.clock.pass_by()
    await place.read()
    assert place.credential.refuse(first)
    assert place.told.refreshes == []
    assert place.credential.status().outcome == "read"


async def test_its_status_says_whether_it_was_read(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.credential.status().outcome == "none"
    with pytest.raises(CredentialUnavailable):
        await place.read()
    assert place.credential.status().outcome == "unreadable"
    assert "does not exist" in place.credential.status().reason
    place.write(b"token")
    await place.read()
    status = place.credential.status()
    assert (status.outcome, status.generation, status.expires_at) == ("read", 1, None)
