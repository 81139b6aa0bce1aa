"""Frozen dataclasses, made in a fraction of the time.

A frozen dataclass sets each of its fields by a call of `object.__setattr__`, which takes some
fifteen times as long as an assignment, and a decision is made of fifty of them.

Rule: what is made is what the class itself makes, and as frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, make_dataclass
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def quick(made: Callable[P, T]) -> Callable[P, T]:
    """Return what makes the same as a frozen dataclass with slots and no `__post_init__`.

    It fills an instance of a twin that is not frozen, and then has it be one of that class.
    """
    if hasattr(made, "__post_init__") or not hasattr(made, "__slots__"):
        raise TypeError("only of a dataclass with slots and without `__post_init__`")
    copied: list[tuple[str, Any, Any]] = []
    for one in fields(cast("Any", made)):
        if not one.init or one.kw_only:
            raise TypeError(f"{one.name} must be an argument, by its place or its name")
        factory: Any = one.default_factory
        default: Any = one.default
        copied.append((one.name, Any, field(default=default, default_factory=factory)))

    def __post_init__(self: object) -> None:
        self.__class__ = made  # type: ignore[assignment]  # it has the same slots

    name, ends = cast("Any", made).__name__, {"__post_init__": __post_init__}
    twin = make_dataclass(name, copied, slots=True, namespace=ends)
    return cast("Callable[P, T]", twin)
