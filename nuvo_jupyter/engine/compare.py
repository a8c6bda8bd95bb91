"""What differs between two states, and how a file differs."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.delivery.take import look
from nuvo_jupyter.engine.browse import node_at
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_instance, find_snapshot, parse_state
from nuvo_jupyter.merge.unified import unified
from nuvo_jupyter.model.errors import InvalidInput, NotFound, TooLarge
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.paths import is_inside
from nuvo_jupyter.model.reference import Reference
from nuvo_jupyter.model.requests import Compare, DiffFile
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.snapshots import Comparison, Difference, FileDiff, PathDifference
from nuvo_jupyter.store import tree
from nuvo_jupyter.workspace.live import live_file
from nuvo_jupyter.workspace.safe import Root

DIFF_LIMIT = 5_000_000
"""Bytes of a file above which differences are not shown line by line."""


def compare(call: Call, request: Compare) -> Comparison:
    """What differs from the left state to the right one; a path in a reference compares just that.

    Raises:
        InvalidInput: the two references name different paths.
    """
    left, right = parse_state(request.left), parse_state(request.right)
    if left.path != right.path:
        raise InvalidInput(
            "The two states are compared at different paths.", hint="Name the same path in both."
        )
    with call.read() as connection:
        first, second = _find(call, connection, left), _find(call, connection, right)
    old, new = _trees(call, first), _trees(call, second)
    pairs = tree.changed(call.engine.store, old[0], new[0], {**old[1], **new[1]})
    found = [
        PathDifference(
            path=path,
            difference=kind,
            kind=(b or a).kind,  # type: ignore[union-attr]
            old_size=a.size if a else 0,
            new_size=b.size if b else 0,
        )
        for path, a, b in pairs
        if is_inside(path, left.path) and (kind := difference(a, b)) is not None
    ]
    found.sort(key=lambda item: item.path)
    return Comparison(str(left), str(right), tuple(found[: request.limit]), len(found))


def difference(old: Node | None, new: Node | None) -> Difference | None:
    """How a path differs; ``None`` if it does not (modification times do not count)."""
    if old is None or new is None:
        return None if old is new else (Difference.ADDED if old is None else Difference.REMOVED)
    if old.kind is not new.kind:
        return Difference.TYPE_CHANGED
    if old.kind is NodeKind.FOLDER or same(old, new, exact=True):
        return Difference.MODE_CHANGED if old.mode != new.mode else None
    return (
        Difference.MODE_CHANGED if old.content == new.content and old.link == new.link else Difference.CHANGED
    )


def diff(call: Call, request: DiffFile) -> FileDiff:
    """How one file differs between two states, in unified diff format; notebooks cell by cell.

    A file that one state lacks counts as empty there.

    Raises:
        NotFound: neither state has it.
        InvalidInput: a reference without a path.
    """
    left, right = parse_state(request.left), parse_state(request.right)
    if not left.path or not right.path:
        raise InvalidInput("Name a file in both states.", hint="For example intro/anna@2:week1.ipynb")
    with call.read() as connection:
        first, second = _find(call, connection, left), _find(call, connection, right)
    old, new = _bytes(call, first, left.path), _bytes(call, second, right.path)
    if old is None and new is None:
        raise NotFound(f"Neither state holds {left.path!r}.")
    if old == new:
        return FileDiff(str(left), str(right), "same")
    texts = [_text(data or b"", left.path) for data in (old, new)]
    if texts[0] is None or texts[1] is None:
        return FileDiff(str(left), str(right), "binary")
    kind = "notebook" if left.path.endswith(".ipynb") else "text"
    return FileDiff(str(left), str(right), kind, unified(texts[0], texts[1], str(left), str(right)))


_Found = tuple[Row[Any], Row[Any] | None]


def _find(call: Call, connection: Connection, reference: Reference) -> _Found:
    access = call.access(connection)
    row = find_instance(connection, access, reference)
    access.require_instance(row, Need.VIEWER, "compare states")
    return row, None if reference.is_current else find_snapshot(connection, row, reference.snapshot)


def _trees(call: Call, found: _Found) -> tuple[bytes, dict[bytes, bytes]]:
    """A state's root, and those of its trees that may not be in the store."""
    row, snapshot = found
    if snapshot is not None:
        return snapshot.root, {}
    with Root(row.workspace) as root:
        seen = look(call.engine.context, row.id, root)
    return seen.manifest.root, seen.trees


def _bytes(call: Call, found: _Found, path: str) -> bytes | None:
    row, snapshot = found
    node = node_at(call, row, snapshot, path)
    if node is None:
        return None
    if node.kind is not NodeKind.FILE:
        raise InvalidInput(
            f"{path!r} is a {node.kind.value}, not a file.", hint="Compare folders with `nuvo compare`."
        )
    if snapshot is not None:
        if node.size > DIFF_LIMIT:
            raise _too_large(path)
        return call.engine.store.read_file(node)
    with Root(row.workspace) as root:
        try:
            size, body = live_file(root, path)
        except NotFound:
            return None
        if size > DIFF_LIMIT:
            raise _too_large(path)
        return b"".join(body)


def _too_large(path: str) -> TooLarge:
    return TooLarge(
        f"{path!r} is over {DIFF_LIMIT // 1_000_000} MB, too large to show its differences.",
        hint="Read both versions with `nuvo cat` and compare them with a tool for large files.",
    )


def _text(data: bytes, path: str) -> list[str] | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if path.endswith(".ipynb") and data:
        from nuvo_jupyter.merge.notebook_text import notebook_lines

        lines = notebook_lines(text)
        if lines is not None:
            return lines
    return text.splitlines()
