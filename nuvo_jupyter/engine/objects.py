"""The tables and applications among the files of a snapshot."""

from __future__ import annotations

from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import NotFound
from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.model.objects import APPLICATIONS, TABLES, kind_of, name_of
from nuvo_jupyter.model.paths import join
from nuvo_jupyter.store import tree


def tables_of(call: Call, root: BlobId) -> tuple[str, ...]:
    """Names of the tables and views below a root tree, sorted."""
    found: list[str] = []
    for path, node in _entries(call, root, TABLES):
        inside = _entries(call, root, path) if node.kind is NodeKind.FOLDER else [(path, node)]
        found += [
            name_of(below)
            for below, inner in inside
            if inner.kind is NodeKind.FILE and kind_of(below) is ObjectKind.TABLE
        ]
    return tuple(sorted(found))


def applications_of(call: Call, root: BlobId) -> tuple[str, ...]:
    """Names of the applications below a root tree, sorted."""
    found = _entries(call, root, APPLICATIONS)
    return tuple(sorted(name_of(path) for path, node in found if node.kind is NodeKind.FOLDER))


def _entries(call: Call, root: BlobId, path: str) -> list[tuple[str, Node]]:
    try:
        return [(join(path, entry.name), entry.node) for entry in tree.entries(call.engine.store, root, path)]
    except NotFound:
        return []
