"""gateway/core/secret.py."""

import copy
import dataclasses
import pickle

import pytest

from gateway.core.secret import Secret

SECRET = Secret(b"hunter2")


@dataclasses.dataclass(frozen=True)
class Holder:
    name: str
    value: Secret


def test_a_secret_comes_out_through_reveal_only() -> None:
    assert SECRET.reveal() == b"hunter2"
    shown = [
        *(
            str(SECRET),
            repr(SECRET),
            f"{SECRET}",
            f"{SECRET!r}",
            f"{SECRET:>20}",
            f"{SECRET!s:x<9}",
        ),
        *(str([SECRET]), str({"a": SECRET}), repr(Holder("a", SECRET))),
    ]
    assert not [text for text in shown if "hunter2" in text]
    assert all("********" in text for text in shown)
    assert not hasattr(SECRET, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_serialised(protocol: int) -> None:
    with pytest.raises(TypeError, match="a Secret is not serialised"):
        pickle.dumps(SECRET, protocol)


def test_a_secret_is_not_copied() -> None:
    for copied in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a Secret is not serialised"):
            copied(SECRET)


def test_secrets_are_compared_with_secrets_only() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != Secret(b"aa")
    assert Secret(b"a") != b"a"


def test_a_secret_is_no_key() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(SECRET)


def test_the_length_of_a_secret_is_known() -> None:
    assert len(SECRET) == 7
    assert not Secret(b"")
