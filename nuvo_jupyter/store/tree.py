"""Trees: one object per folder, so that equal folders are one object and a comparison walks only what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from nuvo_jupyter.model.errors import InvalidPath, NotFound, StoreDamaged
from nuvo_jupyter.model.nodes import Node, NodeKind, TreeEntry
from nuvo_jupyter.model.paths import join, to_name
from nuvo_jupyter.store.pack import TREE
from nuvo_jupyter.store.tree_cache import Entries

if TYPE_CHECKING:
    from nuvo_jupyter.store.store import Store
    from nuvo_jupyter.store.writer import Writer

FOLDER_MODE = 0o755
_FORBIDDEN = ("", ".", "..")
_DECODER = msgspec.msgpack.Decoder(tuple[TreeEntry, ...])


def encode_tree(entries: Sequence[TreeEntry]) -> bytes:
    """The canonical bytes of a folder: msgpack, entries sorted by name.

    Raises:
        InvalidPath: a name that is none (empty, ``.``, ``..``, with ``/`` or NUL), or one given twice.
    """
    ordered = sorted(entries, key=lambda entry: entry.name)
    wrong = _wrong_name([entry.name for entry in ordered])
    if wrong is not None:
        raise InvalidPath(f"{wrong!r} cannot be a name in a folder, or is given twice.")
    return msgspec.msgpack.encode(ordered)


def decode_tree(data: bytes, id_: bytes = b"") -> Entries:
    """Read a folder's tree object.

    Raises:
        StoreDamaged: the bytes are none, or hold what no folder can hold.
    """
    try:
        entries = _DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StoreDamaged(f"Folder {id_.hex()} in the store cannot be read.") from error
    if _wrong_name([entry.name for entry in entries]) is not None or not all(map(_sound, entries)):
        raise StoreDamaged(f"Folder {id_.hex()} in the store holds what no folder can hold.")
    return entries


def build(nodes: Mapping[str, Node], writer: Writer) -> bytes:
    """Write the trees of a state and return its root's id.

    Args:
        nodes: files, links and folders by path text. Folders need not be listed unless they are empty or
            their mode or time matters; missing ones get mode 0o755. ``""``, the state itself, is left out.

    Raises:
        InvalidPath: a path that is none, or something below a file or link.
    """
    return build_all(nodes, writer)[""]


def build_all(
    nodes: Mapping[str, Node], writer: Writer, known: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """Write the trees of a state and return the ids of all that were written or known, by folder.

    Args:
        nodes: as for :func:`build`.
        known: ids of folders that are in the store with everything below them; they are not built again.

    Raises:
        InvalidPath: a path that is none, or something below a file or link.
    """
    trees = dict(known or {})
    if "" in trees:
        return trees
    if trees:
        # What lies below a known folder lies in a known folder itself.
        nodes = {path: node for path, node in nodes.items() if path.rpartition("/")[0] not in trees}
    folders = _by_folder(nodes)
    levels: dict[int, list[str]] = {}
    for path in folders:
        if path not in trees:
            levels.setdefault(path.count("/") + 1 if path else 0, []).append(path)
    for level in sorted(levels, reverse=True):
        paths = levels[level]
        encoded = []
        for path in paths:
            children = folders[path]
            for name, node in children.items():
                if node.kind is NodeKind.FOLDER:
                    children[name] = _folder(node, (trees[join(path, name)],))
            encoded.append(encode_tree([TreeEntry(name, node) for name, node in children.items()]))
        trees.update(zip(paths, writer.add_many(encoded, TREE), strict=True))
    return trees


def flatten(store: Store, root: bytes, prefix: str = "") -> dict[str, Node]:
    """Everything below a tree by path text; folders without their tree ids.

    Args:
        prefix: path text of ``root`` itself; put in front of every path.

    Raises:
        StoreDamaged: a tree is missing or altered.
    """
    flat: dict[str, Node] = {}
    level = [(prefix, root)]
    while level:
        trees = _load(store, [id_ for _, id_ in level])
        following = []
        for path, id_ in level:
            for entry in trees[id_]:
                below = join(path, entry.name)
                flat[below] = _flat(entry.node)
                if entry.node.kind is NodeKind.FOLDER:
                    following.append((below, entry.node.content[0]))
        level = following
    return flat


def find(store: Store, root: bytes, path: str) -> Node | None:
    """What lies at a path; a folder comes with its tree id as its content. ``""`` is the root itself.

    Raises:
        StoreDamaged: a tree on the way is missing or altered.
    """
    node = Node(NodeKind.FOLDER, mode=FOLDER_MODE, content=(root,))
    for name in path.split("/") if path else ():
        if node.kind is not NodeKind.FOLDER:
            return None
        entries = _load(store, node.content)[node.content[0]]
        found = next((entry.node for entry in entries if entry.name == name), None)
        if found is None:
            return None
        node = found
    return node


def entries(store: Store, root: bytes, path: str = "") -> list[TreeEntry]:
    """What one folder holds, sorted by name; folders come with their tree ids as their content.

    Raises:
        NotFound: there is nothing at ``path``, or no folder.
        StoreDamaged: a tree on the way is missing or altered.
    """
    node = find(store, root, path)
    if node is None:
        raise NotFound(f"There is no {path!r} in this state.")
    if node.kind is not NodeKind.FOLDER:
        raise NotFound(f"{path!r} is no folder in this state.")
    return list(_load(store, node.content)[node.content[0]])


def changed(
    store: Store, old: bytes | None, new: bytes | None, unstored: Mapping[bytes, bytes] | None = None
) -> Iterator[tuple[str, Node | None, Node | None]]:
    """What differs between two trees, with modes and times, as :func:`flatten` gives nodes; level by level.

    Folders with the same tree id are not looked into.

    Args:
        old: tree id; ``None`` for an empty state.
        new: tree id; ``None`` for an empty state.
        unstored: encoded trees by id that need not be in the store.

    Yields:
        Path text, the old node and the new one; ``None`` where there is nothing.

    Raises:
        StoreDamaged: a tree is missing or altered.
    """
    level: list[tuple[str, bytes | None, bytes | None]] = [("", old, new)] if old != new else []
    while level:
        trees = _load(store, [id_ for _, *ids in level for id_ in ids if id_ is not None], unstored or {})
        following: list[tuple[str, bytes | None, bytes | None]] = []
        for path, before_id, after_id in level:
            before = {} if before_id is None else {entry.name: entry.node for entry in trees[before_id]}
            after = {} if after_id is None else {entry.name: entry.node for entry in trees[after_id]}
            for name in sorted(before.keys() | after.keys()):
                was, now = before.get(name), after.get(name)
                if was == now:
                    continue
                below = join(path, name)
                flat_was = None if was is None else _flat(was)
                flat_now = None if now is None else _flat(now)
                if flat_was != flat_now:
                    yield below, flat_was, flat_now
                was_tree, now_tree = _tree_id(was), _tree_id(now)
                if was_tree != now_tree:
                    following.append((below, was_tree, now_tree))
        level = following


def _load(
    store: Store, ids: Iterable[bytes], unstored: Mapping[bytes, bytes] | None = None
) -> dict[bytes, Entries]:
    found: dict[bytes, Entries] = {}
    missing = []
    for id_ in ids:
        known = store.trees.get(id_)
        if known is not None:
            found[id_] = known
        elif unstored and id_ in unstored:
            found[id_] = decode_tree(unstored[id_], id_)
        else:
            missing.append(id_)
    if missing:
        for id_, data in store.read_many(missing):
            found[id_] = decode_tree(data, id_)
            store.trees.put(id_, found[id_])
    return found


def _by_folder(nodes: Mapping[str, Node]) -> dict[str, dict[str, Node]]:
    """Every folder's children by name, with the folders that are only implied."""
    folders: dict[str, dict[str, Node]] = {"": {}}
    for path, node in nodes.items():
        if not path:
            continue
        if path[0] == "/":
            raise InvalidPath(f"{path!r} is absolute.")
        if node.kind is NodeKind.FOLDER:
            folders.setdefault(path, {})
        parent, _, name = path.rpartition("/")
        children = folders.get(parent)
        if children is None:
            children = folders[parent] = {}
        children[name] = node
    for path in list(folders):
        while path:
            parent, _, name = path.rpartition("/")
            children = folders.setdefault(parent, {})
            node = children.setdefault(name, Node(NodeKind.FOLDER, mode=FOLDER_MODE))
            if node.kind is not NodeKind.FOLDER:
                raise InvalidPath(f"{path!r} is a {node.kind.value}, so nothing can lie below it.")
            path = parent
    return folders


def _folder(node: Node, content: tuple[bytes, ...]) -> Node:
    return Node(NodeKind.FOLDER, mode=node.mode, mtime_ns=node.mtime_ns, content=content)


def _flat(node: Node) -> Node:
    return _folder(node, ()) if node.kind is NodeKind.FOLDER else node


def _tree_id(node: Node | None) -> bytes | None:
    return node.content[0] if node is not None and node.kind is NodeKind.FOLDER else None


def _wrong_name(ordered: list[str]) -> str | None:
    """The first of the names that cannot be one, or is not in order."""
    previous = ""
    for name in ordered:
        if name <= previous or name in _FORBIDDEN or "/" in name or "\0" in name:
            return name
        # An escape could hide what is forbidden.
        if "\\x" in name and (to_name(name) in _FORBIDDEN or "/" in to_name(name) or "\0" in to_name(name)):
            return name
        previous = name
    return None


def _sound(entry: TreeEntry) -> bool:
    node = entry.node
    for id_ in node.content:
        if len(id_) != 32:
            return False
    if node.kind is NodeKind.FILE:
        return True
    return len(node.content) == (1 if node.kind is NodeKind.FOLDER else 0)
