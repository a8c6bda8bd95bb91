"""The trees of a captured state: taken over where nothing changed, built where something did."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from nuvo_jupyter.model.nodes import BlobId, NodeKind
from nuvo_jupyter.model.paths import join, parent
from nuvo_jupyter.store.pack import TREE
from nuvo_jupyter.workspace.record import FolderRecord
from nuvo_jupyter.workspace.scan import FILE_MODE
from nuvo_jupyter.workspace.sink import Sink

_FILE, _FOLDER, _LINK = NodeKind.FILE.value, NodeKind.FOLDER.value, NodeKind.LINK.value
_encode = msgspec.msgpack.Encoder().encode


def plant(
    folders: dict[str, FolderRecord], unchanged: Collection[str], sink: Sink
) -> tuple[BlobId, dict[BlobId, bytes]]:
    """Note every folder's tree in its record; returns the root's, and the trees that were built, by id.

    Args:
        folders: the state's folders by path text, parents first; those that are built get new records.
        unchanged: of which everything but the folders in them is as the tree in their record says.
        sink: takes the trees that are built.
    """
    stale: set[str] = set()
    levels: dict[int, list[str]] = {}
    for path in reversed(folders):
        if path in stale or path not in unchanged or not folders[path].tree:
            if path:
                stale.add(parent(path))
            levels.setdefault(path.count("/") + 1 if path else 0, []).append(path)
    built: dict[BlobId, bytes] = {}
    for level in sorted(levels, reverse=True):
        paths = levels[level]
        encoded = [_tree(path, folders) for path in paths]
        ids = sink.add_many(encoded, TREE)
        built.update(zip(ids, encoded, strict=True))
        for path, id_ in zip(paths, ids, strict=True):
            folders[path] = msgspec.structs.replace(folders[path], tree=id_)
    return folders[""].tree, built


def _tree(path: str, folders: dict[str, FolderRecord]) -> bytes:
    """What :func:`nuvo_jupyter.store.tree.encode_tree` writes for a folder, without making its entries objects."""
    folder = folders[path]
    entries: list[tuple[str, tuple[object, ...]]] = []
    for name, (size, mtime_ns, _, _, mode), content in folder.entries():
        if isinstance(content, str):
            entries.append((name, (_LINK, 0o777, 0, 0, (), content)))
        else:
            entries.append((name, (_FILE, mode & FILE_MODE, size, mtime_ns, content, "")))
    for name, mode in folder.below():
        entries.append((name, (_FOLDER, mode, 0, 0, (folders[join(path, name)].tree,), "")))
    # No name is there twice, so that nothing else is ever compared.
    entries.sort()
    return _encode(entries)
