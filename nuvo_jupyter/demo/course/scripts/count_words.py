"""Print the most frequent words of a text file or of one column of a CSV file.

Usage: python count_words.py ../data/reviews.csv text
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

HOW_MANY = 20


def texts(path: Path, column: str | None) -> list[str]:
    """The texts to count: the whole file, or each value of the column."""
    if column is None:
        return [path.read_text(encoding="utf-8")]
    with path.open(newline="", encoding="utf-8") as file:
        return [row[column] for row in csv.DictReader(file)]


def count(lines: list[str]) -> Counter[str]:
    """How often each word occurs, in lower case."""
    return Counter(word for line in lines for word in re.findall(r"\w+", line.lower()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for word, number in count(
        texts(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
    ).most_common(HOW_MANY):
        print(f"{number:7} {word}")
