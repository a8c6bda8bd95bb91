"""Which lines differ between two texts, in a time that no text can make long."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import msgspec
from rapidfuzz.distance import Indel

_MATRIX_LARGE = 25_000_000
_MATRIX_MAX = 2_000_000_000
"""Differing lines of one side times those of the other above which no alignment is sought: 250 MB of memory."""


class Edit(msgspec.Struct, frozen=True):
    """Lines ``start`` to ``stop`` of one text, replaced by lines ``new_start`` to ``new_stop`` of the other."""

    start: int
    stop: int
    new_start: int
    new_stop: int


def line_edits(old: Sequence[str], new: Sequence[str]) -> list[Edit] | None:
    """The stretches of ``old`` that ``new`` replaces, in order, none touching another.

    Returns:
        ``None`` where so many lines differ that aligning them would take too long.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    numbers: dict[str, int] = {}
    left = [numbers.setdefault(line, len(numbers)) for line in old[head : len(old) - tail]]
    right = [numbers.setdefault(line, len(numbers)) for line in new[head : len(new) - tail]]
    # Aligning takes memory for each pair of lines; long texts are first cut at lines both have once.
    cuts = _anchors(left, right) if len(left) * len(right) > _MATRIX_LARGE else []
    edits: list[Edit] = []
    done, new_done = 0, 0
    for cut, new_cut in [*cuts, (len(left), len(right))]:
        part, new_part = left[done:cut], right[new_done:new_cut]
        if len(part) * len(new_part) > _MATRIX_MAX:
            return None
        for op in Indel.opcodes(part, new_part):
            if op.tag != "equal":
                start, new_start = head + done, head + new_done
                _add(
                    edits,
                    start + op.src_start,
                    start + op.src_end,
                    new_start + op.dest_start,
                    new_start + op.dest_end,
                )
        done, new_done = cut, new_cut
    return edits


def _add(edits: list[Edit], start: int, stop: int, new_start: int, new_stop: int) -> None:
    """Append an edit, joined to the last one where they touch."""
    if edits and edits[-1].stop == start and edits[-1].new_stop == new_start:
        last = edits.pop()
        start, new_start = last.start, last.new_start
    edits.append(Edit(start, stop, new_start, new_stop))


def _anchors(left: Sequence[int], right: Sequence[int]) -> list[tuple[int, int]]:
    """Positions of lines that are in both once, as many as stand in the same order (patience diff)."""
    once_left, once_right = _once(left), _once(right)
    pairs = sorted((i, once_right[line]) for line, i in once_left.items() if line in once_right)
    ends: list[int] = []  # right position that ends the best chain of each length
    last: list[int] = []  # index in pairs of that end
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    index = last[-1] if last else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _once(lines: Sequence[int]) -> dict[int, int]:
    counted = Counter(lines)
    return {line: index for index, line in enumerate(lines) if counted[line] == 1}
