"""Count the bike rides of each day and write them to ``rides_per_day.csv``.

Usage: python rides_per_day.py ../data/rides rides_per_day.csv
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path


def rides_per_day(folder: Path) -> dict[str, int]:
    """The number of rides for each date that has any, in order of date."""
    days: Counter[str] = Counter()
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            days.update(row["started_at"][:10] for row in csv.DictReader(file))
    return dict(sorted(days.items()))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    counted = rides_per_day(Path(sys.argv[1]))
    with Path(sys.argv[2]).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "rides"])
        writer.writerows(counted.items())
    print(f"{sum(counted.values())} rides on {len(counted)} days")
