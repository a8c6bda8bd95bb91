"""Follow every snapshot to its last blob and name the files that bad blobs belong to.

Each tree is read once, however many snapshots share it; then only what leads to a bad blob is walked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from nuvo_jupyter.catalog import roots
from nuvo_jupyter.catalog.roots import SnapshotRoot
from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind
from nuvo_jupyter.model.paths import join
from nuvo_jupyter.model.reference import Reference
from nuvo_jupyter.model.store import Affected, Damage
from nuvo_jupyter.store.manifest import decode_manifest
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.tree import decode_tree
from nuvo_jupyter.store.tree_cache import Entries

AT_ONCE = 1000
"""Trees that are read at once."""
NAMED_PER_STATE = 1000
"""Files of one state that are named one by one."""


class Followed(NamedTuple):
    """What was found: snapshots followed, blobs that are nowhere, and what cannot be read."""

    snapshots: int
    damage: list[Damage]
    affected: list[Affected]


def follow(store: Store, bad: set[bytes], stop: Callable[[], None]) -> Followed:
    """Find what cannot be read completely.

    Args:
        bad: ids of blobs known to be damaged or lost; blobs found to be missing are added.
        stop: called now and then; raises to stop.
    """
    with store.catalog.read() as connection:
        snapshots = roots.snapshot_roots(connection)
        instances = roots.instance_roots(connection)
    manifests = _manifests(store, {row.manifest for row in snapshots}, bad)
    walk = _Walk(store, bad, stop)
    starts: set[bytes] = {row.base_root for row in instances}
    starts.update(row.base_root for row in snapshots if row.base_root is not None)
    for manifest in manifests.values():
        starts.add(manifest.root)
        starts.update(item.tree for item in manifest.applications)
    walk.contents(
        id_ for manifest in manifests.values() for table in manifest.tables for id_ in table.node.content
    )
    walk.all(starts)

    affected: list[Affected] = []
    for row in snapshots:
        stop()
        state = Reference(row.instance, row.space, snapshot=str(row.number))
        affected.extend(_of_snapshot(walk, state, row, manifests.get(row.manifest)))
    for base in instances:
        state = Reference(base.instance, base.space)
        affected.extend(_limited(state, walk.lost(base.base_root), "as it was last distributed here"))
    damage = [
        Damage("blob_missing", "No pack in the catalog holds it.", blob=id_.hex())
        for id_ in sorted(walk.missing)
    ]
    return Followed(len(snapshots), damage, affected)


def _of_snapshot(
    walk: _Walk, state: Reference, row: SnapshotRoot, manifest: Manifest | None
) -> Iterator[Affected]:
    if manifest is None:
        walk.note_missing(row.manifest)
        yield Affected(str(state), "the whole snapshot: its manifest is lost")
        return
    yield from _limited(state, walk.lost(manifest.root))
    for table in manifest.tables:
        if not walk.bad.isdisjoint(table.node.content):
            yield Affected(str(state), f"table {table.name}")
    for application in manifest.applications:
        if next(walk.lost(application.tree), None) is not None:
            yield Affected(str(state), f"application {application.name}")
    if row.base_root is not None:
        yield from _limited(state, walk.lost(row.base_root), "as it had last been distributed then")


def _limited(state: Reference, lost: Iterator[tuple[str, str]], why: str = "") -> Iterator[Affected]:
    more = 0
    for count, (path, what) in enumerate(lost):
        if count >= NAMED_PER_STATE:
            more += 1
            continue
        reference = Reference(state.instance, state.space, snapshot=state.snapshot, path=path)
        yield Affected(str(reference), "; ".join(text for text in (what, why) if text))
    if more:
        yield Affected(str(state), f"and {more} more")


def _manifests(store: Store, ids: set[bytes], bad: set[bytes]) -> dict[bytes, Manifest]:
    found = {}
    for id_, data in store.read_many(ids, damaged=lambda id_, _: bad.add(id_)):
        try:
            found[id_] = decode_manifest(data)
        except StoreDamaged:
            bad.add(id_)
    return found


class _Walk:
    """Reads trees, once each, and keeps which of them lead to bad blobs."""

    def __init__(self, store: Store, bad: set[bytes], stop: Callable[[], None]) -> None:
        self._store = store
        self._stop = stop
        self.bad = bad
        self.missing: set[bytes] = set()
        self._seen: set[bytes] = set()
        self._checked: set[bytes] = set()
        self._parents: dict[bytes, list[bytes]] = {}
        self._dirty: set[bytes] = set()

    def all(self, starts: set[bytes]) -> None:
        """Read everything below the given trees."""
        pending = list(starts)
        self._seen.update(pending)
        while pending:
            self._stop()
            batch, pending = pending[:AT_ONCE], pending[AT_ONCE:]
            trees = self._read(batch)
            self.contents(id_ for entries in trees.values() for e in entries for id_ in _file_ids(e.node))
            for id_, entries in trees.items():
                for entry in entries:
                    if entry.node.kind is NodeKind.FOLDER:
                        child = entry.node.content[0]
                        self._parents.setdefault(child, []).append(id_)
                        if child not in self._seen:
                            self._seen.add(child)
                            pending.append(child)
                    elif not self.bad.isdisjoint(entry.node.content):
                        self._dirty.add(id_)
        self._spread()

    def contents(self, ids: Iterator[bytes]) -> None:
        """Check that blobs are in the catalog; those already known to be bad are not looked at."""
        fresh = {id_ for id_ in ids if id_ not in self._checked and id_ not in self.bad}
        gone = fresh - self._store.contains(fresh)
        self.missing |= gone
        self.bad |= gone
        self._checked |= fresh

    def note_missing(self, id_: bytes) -> None:
        """Count a tree or manifest that could not be read as missing, if no pack holds it."""
        if not self._store.contains([id_]):
            self.missing.add(id_)

    def lost(self, root: bytes) -> Iterator[tuple[str, str]]:
        """Path and kind of everything below a tree that cannot be read."""
        level = [("", root)]
        while level:
            self._stop()
            level = [(path, id_) for path, id_ in level if id_ in self._dirty]
            trees = self._read([id_ for _, id_ in level])
            following = []
            for path, id_ in level:
                entries = trees.get(id_)
                if entries is None:
                    yield path, "the whole folder"
                    continue
                for entry in entries:
                    below = join(path, entry.name)
                    if entry.node.kind is NodeKind.FOLDER:
                        following.append((below, entry.node.content[0]))
                    elif not self.bad.isdisjoint(entry.node.content):
                        yield below, ""
            level = following

    def _read(self, ids: list[bytes]) -> dict[bytes, Entries]:
        found: dict[bytes, Entries] = {}

        def unreadable(id_: bytes, _error: StoreDamaged) -> None:
            self.bad.add(id_)
            self._dirty.add(id_)
            self.note_missing(id_)

        for id_, data in self._store.read_many(ids, damaged=unreadable):
            try:
                found[id_] = decode_tree(data, id_)
            except StoreDamaged as error:
                unreadable(id_, error)
        return found

    def _spread(self) -> None:
        pending = list(self._dirty)
        while pending:
            for parent in self._parents.get(pending.pop(), ()):
                if parent not in self._dirty:
                    self._dirty.add(parent)
                    pending.append(parent)


def _file_ids(node: Node) -> tuple[bytes, ...]:
    return node.content if node.kind is NodeKind.FILE else ()
