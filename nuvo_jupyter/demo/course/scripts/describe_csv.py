"""Print the columns of a CSV file: how many values, how many missing, smallest and largest.

Usage: python describe_csv.py ../data/flats.csv
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ENCODING = "latin-1"
MISSING = {"", "n/a", "?"}


def describe(path: Path) -> list[tuple[str, int, int, str, str]]:
    """The (name, values, missing, smallest, largest) of each column."""
    with path.open(newline="", encoding=ENCODING) as file:
        rows = list(csv.DictReader(file))
    found = []
    for name in rows[0] if rows else ():
        values = [row[name] for row in rows if row[name] not in MISSING]
        found.append((name, len(values), len(rows) - len(values), min(values), max(values)))
    return found


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    for name, values, missing, low, high in describe(Path(arguments[0])):
        print(f"{name:24} {values:7} values {missing:5} missing   {low[:20]} … {high[:20]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
