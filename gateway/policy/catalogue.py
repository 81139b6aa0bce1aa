"""The vendor's operations: method, path template, rate group, media flag.

Made from the vendor's published description and shipped as package data. The vendor's
description always lags behind the vendor, so an unknown path is not an error: it has no
operation, and passes.

Rule 1: a lookup costs O(length of the path), whatever the number of templates.
Rule 2: paths are compared on their reading (`target.read_path`), which is lower case.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; `group` is the vendor's rate group, e.g. "Heavy"."""

    method: str
    template: str
    group: str
    media: bool


class _Node:
    """A trie node: literal children, one wildcard child, and the operations that end here."""

    __slots__ = ("literal", "operations", "wildcard")

    def __init__(self) -> None:
        self.literal: dict[bytes, _Node] = {}
        self.wildcard: _Node | None = None
        self.operations: dict[str, Operation] = {}


class Catalogue:
    """Finds the operation of an effective method and a path's reading."""

    __slots__ = ("_operations", "_root")

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._operations = tuple(operations)
        for operation in self._operations:
            self._add(operation)

    def find(self, method: str, reading: bytes) -> Operation | None:
        """Return the operation, or None; HEAD is the GET of the same resource."""
        return _find(self._root, reading.split(b"/"), 1, "GET" if method == "HEAD" else method)

    def templates(self) -> Iterator[bytes]:
        """Yield the path template of every operation."""
        for operation in self._operations:
            yield operation.template.encode()

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.template.lower().encode().split(b"/")[1:]:
            if segment.startswith(b"{"):
                node.wildcard = node.wildcard or _Node()
                node = node.wildcard
            else:
                node = node.literal.setdefault(segment, _Node())
        node.operations[operation.method] = operation


def _find(node: _Node, segments: list[bytes], at: int, method: str) -> Operation | None:
    """Return the operation that the segments from `at` on lead to; literal children first."""
    while at < len(segments):
        literal, wildcard = node.literal.get(segments[at]), node.wildcard
        at += 1
        if literal is not None and wildcard is not None:
            # The ways of a trie do not meet again, so no node is looked at twice.
            return _find(literal, segments, at, method) or _find(wildcard, segments, at, method)
        following = literal or wildcard
        if following is None:
            return None
        node = following
    return node.operations.get(method)


def parse_operations(rows: Iterable[Mapping[str, str]]) -> list[Operation]:
    """Turn rows with the columns method, path, group and media into operations."""
    return [
        Operation(row["method"], row["path"], row["group"], row["media"] == "1") for row in rows
    ]


def load_catalogue() -> Catalogue:
    """Read the package data `gateway/data/operations.csv`."""
    text = (files("gateway.data") / "operations.csv").read_text("utf-8")
    return Catalogue(parse_operations(csv.DictReader(text.splitlines())))
