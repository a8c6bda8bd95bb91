"""Three-way merge of text, line by line (diff3), keeping the target's line endings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from nuvo_jupyter.merge.lines import line_edits

TEXT_MAX = 5_000_000
"""Largest text in bytes that is merged line by line."""

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
    ours, theirs = line_edits(base, target), line_edits(base, source)
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
