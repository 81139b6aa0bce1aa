"""Make gateway/data/operations.csv from the vendor's list of operations.

The gateway needs four facts of each operation: the method, the path template, the
rate group and whether it is served by the media host. This keeps those columns, in an
order that does not depend on the source, so that a new edition of the vendor's list
shows up as a readable difference.

It knows the columns of the source. It knows nothing of what the gateway does with them.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("method", "path", "group", "media")
MEDIA = {"": "", "True": "1"}


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One operation, ordered by path, then method."""

    path: str
    method: str
    group: str
    media: str


def parse_row(source: Mapping[str, str]) -> Row:
    """Read one line of the vendor's list. Raises ValueError when a fact is missing."""
    method, path, group = source["method"], source["path"], source["throttling_group"]
    if not (method.isupper() and path.startswith("/") and group):
        raise ValueError(f"not an operation: {method!r} {path!r} {group!r}")
    media = source["media_api"]
    if media not in MEDIA:
        raise ValueError(f"{method} {path}: media_api is {media!r}, not empty or True")
    return Row(path=path, method=method, group=group, media=MEDIA[media])


def select(sources: Iterable[Mapping[str, str]]) -> list[Row]:
    """Return the rows in their final order. Raises ValueError when one appears twice."""
    rows = sorted(parse_row(source) for source in sources)
    seen = Counter((row.method, row.path) for row in rows)
    twice = sorted(key for key, count in seen.items() if count > 1)
    if twice:
        raise ValueError(f"listed more than once: {twice}")
    return rows


def convert(facts: Path, output: Path) -> int:
    """Write `output` from the CSV file `facts`; return the number of operations."""
    with facts.open(encoding="utf-8", newline="") as source:
        rows = select(csv.DictReader(source))
    with output.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((row.method, row.path, row.group, row.media) for row in rows)
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line: FACTS (the vendor's list) and OUTPUT."""
    parser = argparse.ArgumentParser(description="Make the catalogue of vendor operations.")
    parser.add_argument("facts", type=Path, help="ringcentral_operations.csv")
    parser.add_argument("output", type=Path, help="gateway/data/operations.csv")
    options = parser.parse_args(arguments)
    count = convert(options.facts, options.output)
    print(f"{options.output}: {count} operations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
