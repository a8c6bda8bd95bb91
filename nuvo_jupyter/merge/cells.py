"""Which cell of one notebook is which cell of another: by id and content first, then by likeness.

nbdime's diff is not used for this: it pairs any two short cells, compares outputs, and takes a second to
import. Ids are trusted only as far as they are unique, and less than identical content, because some tools
number cells by position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from rapidfuzz.distance import Indel

Cell = dict[str, Any]

ALIKE = 0.6
"""Share of characters two sources have in common from which on one is an edit of the other."""
_PAIRS_MAX = 250_000


def content(cell: Cell) -> Hashable:
    """What makes a cell what it is: its type, source and attachments; not its outputs or metadata."""
    attachments = cell.get("attachments")
    return cell["cell_type"], cell["source"], repr(attachments) if attachments else ""


def identifier(*parts: object) -> str:
    """A cell id made from ``parts``: the same for the same, so that merging again changes nothing."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=6).hexdigest()


def pair(base: Sequence[Cell], other: Sequence[Cell]) -> dict[int, int]:
    """Index in ``base`` → index in ``other`` of the cells that are the same cell, edited or not."""
    pairs: dict[int, int] = {}
    _pair_unique(base, other, pairs, lambda cell: (cell["id"], content(cell)) if cell.get("id") else None)
    _pair_unique(base, other, pairs, lambda cell: content(cell) if cell["source"].strip() else None)
    _pair_unique(base, other, pairs, lambda cell: cell.get("id"))
    left = [i for i in range(len(base)) if i not in pairs]
    taken = set(pairs.values())
    right = [j for j in range(len(other)) if j not in taken]
    for i, j in _alike([base[i] for i in left], [other[j] for j in right]):
        pairs[left[i]] = right[j]
    return pairs


def _pair_unique(
    base: Sequence[Cell],
    other: Sequence[Cell],
    pairs: dict[int, int],
    key: Callable[[Cell], Hashable | None],
) -> None:
    taken = set(pairs.values())
    here = _unique({i: key(cell) for i, cell in enumerate(base) if i not in pairs})
    there = _unique({j: key(cell) for j, cell in enumerate(other) if j not in taken})
    pairs.update({i: there[value] for value, i in here.items() if value in there})


def _unique(keys: dict[int, Hashable | None]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    twice = set()
    for index, value in keys.items():
        if value in found:
            twice.add(value)
        found[value] = index
    return {value: index for value, index in found.items() if value is not None and value not in twice}


def _alike(left: Sequence[Cell], right: Sequence[Cell]) -> list[tuple[int, int]]:
    """The pairs, in order on both sides, that are alike and together alike the most."""
    if not left or not right or len(left) * len(right) > _PAIRS_MAX:
        return []
    scores = [[_likeness(a, b) for b in right] for a in left]
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            skip = max(best[i + 1][j], best[i][j + 1])
            best[i][j] = max(skip, scores[i][j] + best[i + 1][j + 1]) if scores[i][j] else skip
    pairs = []
    i = j = 0
    while i < len(left) and j < len(right):
        if scores[i][j] and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(a: Cell, b: Cell) -> float:
    if a["cell_type"] != b["cell_type"]:
        return 0.0
    if a["source"] == b["source"]:
        return 1.0
    return float(Indel.normalized_similarity(a["source"], b["source"], score_cutoff=ALIKE))
