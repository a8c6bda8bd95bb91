"""Two texts as one unified diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nuvo_jupyter.merge.lines import Edit, line_edits

CONTEXT = 3
"""Equal lines shown around what differs."""


def unified(old: Sequence[str], new: Sequence[str], left: str, right: str) -> str:
    """The differences of two lists of lines without endings, in unified diff format.

    difflib's would take minutes for long texts with many equal lines. Texts that differ too much to be aligned
    are shown as one stretch that was replaced.

    Args:
        left, right: what the header calls the two.

    Returns:
        ``""`` where nothing differs.
    """
    edits = line_edits(old, new)
    if edits is None:
        edits = [Edit(0, len(old), 0, len(new))]
    if not edits:
        return ""
    lines = [f"--- {left}", f"+++ {right}"]
    for hunk in _hunks(edits):
        first, last = hunk[0], hunk[-1]
        before, after = min(first.start, CONTEXT), min(len(old) - last.stop, CONTEXT)
        start, stop = first.start - before, last.stop + after
        new_start, new_stop = first.new_start - before, last.new_stop + after
        lines.append(f"@@ -{_range(start, stop)} +{_range(new_start, new_stop)} @@")
        at = start
        for edit in hunk:
            lines += [f" {line}" for line in old[at : edit.start]]
            lines += [f"-{line}" for line in old[edit.start : edit.stop]]
            lines += [f"+{line}" for line in new[edit.new_start : edit.new_stop]]
            at = edit.stop
        lines += [f" {line}" for line in old[at:stop]]
    return "\n".join(lines)


def _hunks(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Edits whose context touches belong together."""
    hunk: list[Edit] = []
    for edit in edits:
        if hunk and edit.start - hunk[-1].stop > 2 * CONTEXT:
            yield hunk
            hunk = []
        hunk.append(edit)
    yield hunk


def _range(start: int, stop: int) -> str:
    """Lines counted from 1; an empty range names the line before it (POSIX, diff -u)."""
    length = stop - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"
