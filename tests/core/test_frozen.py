"""gateway/core/frozen.py: what is made is what the class makes, and as frozen."""

from dataclasses import FrozenInstanceError, dataclass, field, fields

import pytest

from gateway.core.frozen import quick


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 7
    names: list[str] = field(default_factory=list, repr=False)


new_point = quick(Point)


def test_what_is_made_is_of_the_class_and_equal_to_what_it_makes() -> None:
    made = new_point(1, names=["a"])
    assert type(made) is Point
    assert made == Point(1, 7, ["a"])
    assert repr(made) == "Point(x=1, y=7)"
    assert new_point(1).names is not new_point(1).names


def test_what_is_made_cannot_be_changed() -> None:
    made = new_point(1)
    for one in fields(made):
        with pytest.raises(FrozenInstanceError):
            setattr(made, one.name, 2)
    assert not hasattr(made, "__dict__")


def test_what_is_missing_or_unknown_is_an_error_as_it_is_for_the_class() -> None:
    with pytest.raises(TypeError, match="missing"):
        new_point()  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="unexpected"):
        new_point(1, z=2)  # type: ignore[call-arg]  # what is tested


@dataclass(frozen=True, slots=True)
class Square:
    side: int
    area: int = field(init=False, default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    side: int


@dataclass(frozen=True, slots=True)
class Checked:
    side: int

    def __post_init__(self) -> None:
        assert self.side > 0


@dataclass(frozen=True)
class Open:
    side: int


@pytest.mark.parametrize("made", [Square, Named, Checked, Open])
def test_a_class_that_does_more_than_to_keep_its_arguments_is_refused(made: type) -> None:
    with pytest.raises(TypeError):
        quick(made)
