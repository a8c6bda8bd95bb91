"""Three-way merge of text, line by line (diff3), keeping the target's line endings."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import msgspec
from rapidfuzz.distance import Indel

TEXT_MAX = 5_000_000
"""Largest text in bytes that is merged line by line."""
_MATRIX_LARGE = 25_000_000
_MATRIX_MAX = 2_000_000_000
"""Differing lines of one side times those of the other above which no alignment is sought: 250 MB of memory."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_BOM = "\ufeff"


def merge_text(base: bytes, target: bytes, source: bytes) -> bytes | None:
    """Merge what changed from ``base`` to ``source`` into ``target``.

    Args:
        base: content last distributed.
        target: content in the target; its line endings are kept.
        source: content distributed now.

    Returns:
        The merged content, or ``None`` when both sides changed the same or neighbouring lines differently, or
        when one of the three is no UTF-8 text, holds NUL bytes or is larger than 5 MB.
    """
    texts = [_Text.of(content) for content in (base, target, source)]
    if any(text is None for text in texts):
        return None
    before, there, wanted = (text for text in texts if text is not None)
    merged = merge_lines(before.lines, there.lines, wanted.lines)
    if merged is None:
        return None
    ending = there.ending or before.ending or wanted.ending or "\n"
    lines: list[str] = []
    for line, index in merged:
        lines.append(line + (there.endings[index] or ending if index is not None else ending))
    ends = _either(before.ends, there.ends, wanted.ends)
    if lines and not ends:
        lines[-1] = lines[-1].rstrip("\r\n")
    bom = _BOM if _either(before.bom, there.bom, wanted.bom) else ""
    return (bom + "".join(lines)).encode()


def merge_lines(
    base: Sequence[str], target: Sequence[str], source: Sequence[str]
) -> list[tuple[str, int | None]] | None:
    """Merge three lists of lines without endings.

    Returns:
        The lines, each with its index in ``target`` or ``None`` if it comes from ``source`` alone;
        ``None`` for a conflict.
    """
    ours, theirs = _edits(base, target), _edits(base, source)
    if ours is None or theirs is None:
        return None
    merged: list[tuple[str, int | None]] = []
    at, here = 0, 0  # how far base and target are written

    def copy(until: int) -> None:
        nonlocal at, here
        merged.extend((target[here + i], here + i) for i in range(until - at))
        at, here = until, here + until - at

    i = j = 0
    while i < len(ours) or j < len(theirs):
        mine = ours[i] if i < len(ours) else None
        other = theirs[j] if j < len(theirs) else None
        if mine is not None and (other is None or mine.stop < other.start):
            copy(mine.start)
            merged.extend((target[k], k) for k in range(mine.new_start, mine.new_stop))
            at, here, i = mine.stop, mine.new_stop, i + 1
        elif other is not None and (mine is None or other.stop < mine.start):
            copy(other.start)
            merged.extend((line, None) for line in source[other.new_start : other.new_stop])
            at, here, j = other.stop, here + other.stop - other.start, j + 1
        elif mine is not None and other is not None:
            # Both changed here: fine only if both did the same.
            if (mine.start, mine.stop) != (other.start, other.stop):
                return None
            if target[mine.new_start : mine.new_stop] != source[other.new_start : other.new_stop]:
                return None
            copy(mine.start)
            merged.extend((target[k], k) for k in range(mine.new_start, mine.new_stop))
            at, here, i, j = mine.stop, mine.new_stop, i + 1, j + 1
    copy(len(base))
    return merged


class _Edit(msgspec.Struct, frozen=True):
    start: int
    stop: int
    new_start: int
    new_stop: int


def _edits(old: Sequence[str], new: Sequence[str]) -> list[_Edit] | None:
    """The stretches of ``old`` that ``new`` replaces, in order, none touching another."""
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
    edits: list[_Edit] = []
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


def _add(edits: list[_Edit], start: int, stop: int, new_start: int, new_stop: int) -> None:
    """Append an edit, joined to the last one where they touch."""
    if edits and edits[-1].stop == start and edits[-1].new_stop == new_start:
        last = edits.pop()
        start, new_start = last.start, last.new_start
    edits.append(_Edit(start, stop, new_start, new_stop))


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


class _Text(msgspec.Struct, frozen=True):
    lines: list[str]
    endings: list[str]
    ends: bool
    bom: bool

    @classmethod
    def of(cls, content: bytes) -> _Text | None:
        if len(content) > TEXT_MAX or b"\0" in content:
            return None
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        bom = text.startswith(_BOM)
        whole = _LINE.findall(text[1:] if bom else text)
        lines = [line.rstrip("\r\n") for line in whole]
        endings = [line[len(bare) :] for line, bare in zip(whole, lines, strict=True)]
        return cls(lines, endings, bool(endings and endings[-1]), bom)

    @property
    def ending(self) -> str:
        """The most frequent line ending; ``""`` where there is none."""
        counted = Counter(ending for ending in self.endings if ending).most_common(1)
        return counted[0][0] if counted else ""


def _either(before: bool, there: bool, wanted: bool) -> bool:
    """What changed wins."""
    return wanted if there == before else there
