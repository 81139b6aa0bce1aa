"""Which rate group an operation belongs to, by the vendor's own table.

The table is package data shared with the gateway (`gateway/data/operations.csv`); the
reading of it is not. A row counts for the *effective* method, so a tunnelled DELETE is
charged as a DELETE. HEAD is charged as GET. A template with fewer variables wins, so that
`/restapi/v1.0` is itself before it is any `/restapi/{apiVersion}`.

Operations that the simulator does not serve have their group all the same.
"""

import csv
from collections import defaultdict
from pathlib import Path

TABLE = Path(__file__).parents[1] / "data" / "operations.csv"


class Groups:
    """The table, ready to be asked."""

    def __init__(self, table: Path = TABLE) -> None:
        """Read the table. Raises OSError or KeyError when it is not there or not one."""
        self._rows: dict[tuple[str, int], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                template = tuple(row["path"].split("/")[1:])
                self._rows[row["method"], len(template)].append((template, row["group"]))
        for rows in self._rows.values():
            rows.sort(key=lambda row: sum(part.startswith("{") for part in row[0]))

    def find(self, method: str, segments: tuple[str, ...]) -> str | None:
        """Name the group of an operation, or None when the table has no such operation."""
        asked = "GET" if method == "HEAD" else method
        for template, group in self._rows.get((asked, len(segments)), ()):
            if _fits(template, segments):
                return group
        return None


def _fits(template: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    pairs = zip(template, segments, strict=True)
    return all(bool(got) if part.startswith("{") else part == got for part, got in pairs)
