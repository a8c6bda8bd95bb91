"""The snapshots that a store describes by itself, without a catalog."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Manifest
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import decode_manifest
from nuvo_jupyter.store.pack import MANIFEST
from nuvo_jupyter.store.store import Store


class Described(NamedTuple):
    """A snapshot by its manifest.

    Args:
        id: the manifest's.
        manifest: what it says.
        changed: when the newest file in it was changed, in seconds since 1970 UTC; 0 where that cannot be read.
        names: what lies at its top, sorted.
        complete: whether all it holds is in the store; not so for one that was let go and partly collected, or damaged.
    """

    id: bytes
    manifest: Manifest
    changed: float
    names: tuple[str, ...]
    complete: bool


def described(store: Store, known: Collection[bytes], stop: Callable[[], None]) -> list[Described]:
    """Every snapshot whose manifest is in the store, except for known ones, by the time of their newest file.

    Args:
        known: ids of manifests.
        stop: called between snapshots; raises to stop.
    """
    with store.catalog.read() as connection:
        ids = blobs.of_kind(connection, MANIFEST) - set(known)
    found = []
    for id_, data in store.read_many(sorted(ids), damaged=lambda _id, _error: None):
        stop()
        try:
            manifest = decode_manifest(data)
        except StoreDamaged:
            # Nothing relies on a blob's kind: it may be a file of a user's.
            continue
        changed = 0
        names: tuple[str, ...] = ()
        complete = False
        try:
            names = tuple(entry.name for entry in tree.entries(store, manifest.root))
            nodes = tree.flatten(store, manifest.root).values()
            changed = max((node.mtime_ns for node in nodes), default=0)
            held = {content for node in nodes for content in node.content}
            complete = store.contains(held) == held
        except StoreDamaged:
            pass
        found.append(Described(id_, manifest, changed / 1e9, names, complete))
    return sorted(found, key=lambda item: (item.changed, item.id))
