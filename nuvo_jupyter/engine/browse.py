"""Look into any state the caller may view: folders, files, and the versions of a file."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_snapshot, parse_state
from nuvo_jupyter.engine.operations import Raw
from nuvo_jupyter.model.errors import InvalidInput, NotFound
from nuvo_jupyter.model.nodes import Node, NodeKind, TreeEntry, same
from nuvo_jupyter.model.paths import basename, join, parse_path
from nuvo_jupyter.model.reference import Reference
from nuvo_jupyter.model.requests import History, OfState
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.snapshots import Entry, FileVersion
from nuvo_jupyter.store import tree
from nuvo_jupyter.workspace.live import live_entries, live_file, live_node
from nuvo_jupyter.workspace.safe import Root

README = "README.md"
"""The only file that an observer of an instance may read (DESIGN, section 2)."""


def browse(call: Call, request: OfState) -> tuple[Entry, ...]:
    """One folder of a state: folders first, then files and links, each by name.

    Raises:
        NotFound: there is no such folder.
        InvalidInput: the path names a file.
    """
    reference, row, snapshot = _state(call, request.state)
    if not _is_viewer(call, row):
        found = [entry for entry in _entries(call, row, snapshot, "") if entry.name == README]
        return tuple(_shown(entry, "") for entry in found if not reference.path)
    entries = _entries(call, row, snapshot, reference.path)
    shown = [_shown(entry, reference.path) for entry in entries]
    return tuple(sorted(shown, key=lambda entry: (entry.kind is not NodeKind.FOLDER, entry.name)))


def read(call: Call, request: OfState) -> Raw:
    """The content of one file of a state.

    Raises:
        NotFound: there is no such file.
        InvalidInput: the path names a folder or a symbolic link.
    """
    reference, row, snapshot = _state(call, request.state)
    path = reference.path
    if not path:
        raise InvalidInput(f"{request.state!r} names no file.", hint="Add ':path' to it.")
    if path != README:
        with call.read() as connection:
            call.access(connection).require_instance(row, Need.VIEWER, "read files other than README.md")
    size, body = _content(call, row, snapshot, path)
    media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Raw(body, media_type, basename(path), size)


def history(call: Call, request: History) -> tuple[FileVersion, ...]:
    """The snapshots in which a file's content changed, newest first; deleted snapshots are left out.

    Raises:
        InvalidPath: the path is absolute or leaves the instance.
    """
    assert call.instance is not None
    path = parse_path(request.path)
    c = t.snapshot.c
    query = (
        sa.select(t.snapshot)
        .where(c.instance_id == call.instance.id, c.deleted_at.is_(None))
        .order_by(c.number)
    )
    with call.read() as connection:
        rows = list(connection.execute(query))
    reference = f"{call.instance.space}/{call.instance.name}"
    versions: list[FileVersion] = []
    before: Node | None = None
    root = b""
    for row in rows:
        if row.root == root:
            continue
        root = row.root
        node = tree.find(call.engine.store, root, path)
        if node is not None and node.kind is NodeKind.FILE and not same(node, before):
            versions.append(
                FileVersion(present.snapshot(row, reference), node.size, present.moment(node.mtime_ns / 1e9))
            )
        before = node
    return tuple(reversed(versions))[: request.limit]


def _state(call: Call, text: str) -> tuple[Reference, Row[Any], Row[Any] | None]:
    assert call.instance is not None
    reference = parse_state(text)
    if reference.is_current:
        return reference, call.instance, None
    with call.read() as connection:
        return reference, call.instance, find_snapshot(connection, call.instance, reference.snapshot)


def _is_viewer(call: Call, row: Row[Any]) -> bool:
    with call.read() as connection:
        return Need.VIEWER in call.access(connection).instance(row)


def _entries(call: Call, row: Row[Any], snapshot: Row[Any] | None, path: str) -> list[TreeEntry]:
    try:
        if snapshot is not None:
            return tree.entries(call.engine.store, snapshot.root, path)
        with Root(row.workspace) as root:
            return live_entries(root, path)
    except NotFound:
        node = node_at(call, row, snapshot, path)
        if node is None:
            raise
        raise InvalidInput(
            f"{path!r} is a {node.kind.value}, not a folder.", hint="Read files with `nuvo cat`."
        ) from None


def node_at(call: Call, row: Row[Any], snapshot: Row[Any] | None, path: str) -> Node | None:
    """What lies at a path of a state, ``None`` for the current one; ``None`` if nothing does."""
    if snapshot is not None:
        return tree.find(call.engine.store, snapshot.root, path)
    with Root(row.workspace) as root:
        return live_node(root, path)


def _content(call: Call, row: Row[Any], snapshot: Row[Any] | None, path: str) -> tuple[int, Iterator[bytes]]:
    store = call.engine.store
    if snapshot is None:
        with Root(row.workspace) as root:
            node = live_node(root, path)
            if node is not None and node.kind is not NodeKind.FILE:
                raise _no_file(path, node)
            return live_file(root, path)
    node = tree.find(store, snapshot.root, path)
    if node is None:
        raise NotFound(f"{row.space}/{row.name}@{snapshot.number} holds no {path!r}.")
    if node.kind is not NodeKind.FILE:
        raise _no_file(path, node)
    return node.size, store.stream_file(node)


def _no_file(path: str, node: Node) -> InvalidInput:
    return InvalidInput(
        f"{path!r} is a {node.kind.value}, not a file.", hint="Browse folders with `nuvo ls`."
    )


def _shown(entry: TreeEntry, folder: str) -> Entry:
    node = entry.node
    return Entry(
        name=entry.name,
        path=join(folder, entry.name),
        kind=node.kind,
        size=node.size,
        modified_at=present.moment(node.mtime_ns / 1e9),
        executable=node.kind is NodeKind.FILE and bool(node.mode & 0o100),
        link=node.link,
    )
