"""Turn the three-way merges of a plan into contents to put, versions to keep, or copies to put beside."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

import msgspec

from nuvo_jupyter.merge.beside import Besides, free_beside
from nuvo_jupyter.merge.notebook import merge_notebook
from nuvo_jupyter.merge.notebook_form import NOTEBOOK_MAX
from nuvo_jupyter.merge.text import TEXT_MAX, merge_text
from nuvo_jupyter.model.changes import Action, Change, ObjectKind, Outcome
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.objects import TABLE

Read = Callable[[Node], bytes]
"""Gives the content of a file's node, of the base, the source or the target."""


class RowsMerged(msgspec.Struct, frozen=True):
    """Two versions of a table merged by key.

    Args:
        data: the merged file; ``None`` where the target's stays as it is.
        detail: a sentence with the counts.
        conflict: why they cannot be merged, as a sentence; nothing else counts then.
    """

    data: bytes | None = None
    detail: str = ""
    conflict: str = ""


MergeRows = Callable[[Node, Node], RowsMerged]
"""Merges a table's target and source by key; raises OSError or NuvoError if one cannot be read."""

_NOTEBOOK = ".ipynb"
_EXECUTABLE = 0o111


def resolve_all(
    changes: Iterable[Change],
    read: Read,
    source: Mapping[str, Node],
    target: Mapping[str, Node],
    base: Mapping[str, Node],
    label: str,
    rows: MergeRows | None = None,
) -> list[Change]:
    """Resolve every three-way merge of a plan; the other changes stay, and the order does.

    Args:
        changes: what :func:`nuvo_jupyter.merge.plan.plan` returned.
        read: gives the content of a node of the three states.
        source: as given to ``plan``.
        target: as given to ``plan``.
        base: as given to ``plan``.
        label: as given to ``plan``.
        rows: merges tables by key; ``None`` where that was not asked for.
    """
    planned = list(changes)
    if all(change.action is not Action.MERGE for change in planned):
        return planned
    besides = Besides(source, target, base, label)
    besides.reserve(change.at for change in planned)
    return [resolve(change, read, besides, label, rows) for change in planned]


def resolve(
    change: Change, read: Read, taken: Container[str], label: str, rows: MergeRows | None = None
) -> Change:
    """Resolve one three-way merge.

    Args:
        change: one with action ``MERGE``; any other is returned as it is.
        read: gives the content of a node.
        taken: paths where nothing can be put beside. Given a :class:`Besides`, a copy that already lies
            beside is found and none is made again.
        label: ``from SPACE DATE``.
        rows: merges tables by key; ``None`` where that was not asked for.

    Returns:
        A change to put the merged content (``merged``), to keep the target's (``kept``), to put the source's
        beside it (``conflict``), or ``failed`` with the reason if a content could not be read.
    """
    there, wanted, before = change.expected, change.source, change.base
    if change.action is not Action.MERGE or there is None or wanted is None:
        return change
    mode = _mode(before, there, wanted)
    if _same_bytes(there, wanted):
        return _put(change, there, None, mode, "")
    if before is not None and before.kind is not NodeKind.FILE:
        before = None
    is_table = change.kind is ObjectKind.TABLE and change.path.endswith(TABLE)
    if rows is not None and is_table and (before is None or not _same_bytes(before, there)):
        return _by_key(change, rows, there, wanted, mode, taken, label)
    if before is None:
        return _conflict(
            change, wanted, taken, label, "There was a different one here before the first was distributed."
        )
    if _same_bytes(before, there):
        return _put(change, wanted, None, mode, "")
    if _same_bytes(before, wanted):
        return _put(change, there, None, mode, "")
    notebook = change.path.lower().endswith(_NOTEBOOK)
    if max(node.size for node in (before, there, wanted)) > (NOTEBOOK_MAX if notebook else TEXT_MAX):
        return _conflict(
            change, wanted, taken, label, "It was changed on both sides and is too large to merge."
        )
    try:
        contents = read(before), read(there), read(wanted)
    except (OSError, NuvoError) as error:
        return _keep(change, Outcome.FAILED, f"It could not be read to be merged: {error}")
    detail = ""
    if notebook:
        merged = merge_notebook(*contents, label=label)
        if merged is None:
            return _conflict(
                change, wanted, taken, label, "It was changed on both sides and is no valid notebook."
            )
        data, detail = contents[1] if merged.data is None else merged.data, merged.detail
    else:
        text = merge_text(*contents)
        if text is None:
            return _conflict(change, wanted, taken, label, "The same place was changed on both sides.")
        data = text
    if data == contents[1]:
        return _put(change, there, None, mode, detail or "What changed was here already.")
    if data == contents[2]:
        return _put(change, wanted, None, mode, detail)
    return _put(change, Node(NodeKind.FILE, mode, len(data)), data, mode, detail)


def _by_key(
    change: Change,
    rows: MergeRows,
    there: Node,
    wanted: Node,
    mode: int,
    taken: Container[str],
    label: str,
) -> Change:
    try:
        merged = rows(there, wanted)
    except (OSError, NuvoError) as error:
        return _keep(change, Outcome.FAILED, f"It could not be read to be merged: {error}")
    if merged.conflict:
        return _conflict(change, wanted, taken, label, merged.conflict)
    if merged.data is None:
        return _put(change, there, None, mode, merged.detail)
    return _put(change, Node(NodeKind.FILE, mode, len(merged.data)), merged.data, mode, merged.detail)


def _put(change: Change, node: Node, data: bytes | None, mode: int, detail: str) -> Change:
    """Put ``node`` with ``mode``, unless that is what is there."""
    there = change.expected
    if there is not None and data is None and _same_bytes(node, there) and mode == there.mode:
        return _keep(change, Outcome.KEPT, detail)
    node = msgspec.structs.replace(node, mode=mode)
    return Change(
        change.path, Outcome.MERGED, Action.PUT, change.at, node, data, there, detail=detail, kind=change.kind
    )


def _keep(change: Change, outcome: Outcome, detail: str) -> Change:
    return Change(
        change.path,
        outcome,
        Action.KEEP,
        change.at,
        expected=change.expected,
        detail=detail,
        kind=change.kind,
    )


def _conflict(change: Change, wanted: Node, taken: Container[str], label: str, why: str) -> Change:
    if isinstance(taken, Besides):
        at, exists = taken.place_of(change.path, wanted)
        if exists:
            kept = _keep(change, Outcome.KEPT, "The distributed version lies beside it already.")
            return msgspec.structs.replace(kept, at=at, expected=taken.target[at])
    else:
        at = free_beside(change.path, label, taken)
    detail = f"{why} Yours was kept."
    return Change(change.path, Outcome.CONFLICT, Action.PUT, at, wanted, detail=detail, kind=change.kind)


def _same_bytes(a: Node, b: Node) -> bool:
    return a.kind is b.kind and a.content == b.content and a.size == b.size


def _mode(before: Node | None, there: Node, wanted: Node) -> int:
    """The target's mode, but the source's executable bits where only the source changed them."""
    if before is None or (before.mode ^ there.mode) & 0o100:
        return there.mode
    if not (before.mode ^ wanted.mode) & 0o100:
        return there.mode
    return (there.mode & ~_EXECUTABLE) | (wanted.mode & _EXECUTABLE)
