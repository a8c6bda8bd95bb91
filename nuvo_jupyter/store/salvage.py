"""Taking back what is lost from wherever else it still is: other stores, or whatever else can give bytes.

What a copy says it holds is believed only as far as its bytes have the hash that is wanted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence

from blake3 import blake3

from nuvo_jupyter.model.errors import ServiceUnavailable, StoreDamaged
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.follow import Followed, follow
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.pack import CONTENT, MAX_BLOB, Buffer, name_of, path_of, read_entries, unpack
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.writer import Writer

Give = Callable[["Picker"], None]
"""Adds to the picker whatever it has; wanted or not."""


class Picker(Writer):
    """A writer that takes only blobs that are wanted, whether or not the index names a place for them.

    Args:
        wanted: ids.
    """

    def __init__(self, store: Store, wanted: Collection[bytes]) -> None:
        super().__init__(store.backend, _Empty(store.catalog))
        self.wanted = set(wanted)
        self.picked: set[bytes] = set()

    def add_many(self, datas: Sequence[Buffer], kind: int = CONTENT) -> list[bytes]:
        """Add those of the blobs that are wanted; returns the ids of all, in order."""
        ids = [blake3(data).digest() for data in datas]
        chosen = {
            id_: data
            for id_, data in zip(ids, datas, strict=True)
            if id_ in self.wanted and id_ not in self.picked
        }
        if chosen:
            # What they lie in may be read into again before they are packed.
            super().add_many([bytes(data) for data in chosen.values()], kind)
            self.picked |= chosen.keys()
        return ids


class _Empty(BlobIndex):
    def contains(self, ids: Collection[bytes], since: str | None = None) -> set[bytes]:  # noqa: ARG002
        return set()

    def all_of_few(self, limit: int) -> set[bytes]:  # noqa: ARG002
        return set()


def take_back(store: Store, sources: Sequence[Give], stop: Callable[[], None]) -> tuple[Followed, int]:
    """Look for everything that snapshots lack, in each source, until none has more of it.

    Args:
        stop: called now and then; raises to stop.

    Returns:
        What is lost for good, and how many blobs were taken back.
    """
    count = 0
    while True:
        lost: set[bytes] = set()
        store.trees.clear()
        found = follow(store, lost, stop)
        before = count
        for give in sources:
            stop()
            if lost:
                picked = pick(store, lost, give)
                lost -= picked
                count += len(picked)
        # A folder that was taken back may name more that is lost.
        if count == before:
            return found, count


def pick(store: Store, wanted: Collection[bytes], give: Give) -> set[bytes]:
    """Let a source give what is wanted, and enter it; returns the ids of what was taken."""
    with Picker(store, wanted) as picker:
        give(picker)
        if picker.picked:
            picker.flush()
            with store.catalog.write(durable=True) as connection:
                picker.commit(connection)
            store.index.forget()
        return picker.picked


def copy_of_a_store(url: str, stop: Callable[[], None]) -> Give:
    """Another store as a source, such as a backup of this one; it is only read.

    Args:
        url: as for :func:`nuvo_jupyter.store.backend.open_backend`.

    Raises:
        NotFound: there is no store.
        StoreDamaged: something else lies there, or a store of a newer version.
        ServiceUnavailable: it does not answer or may not be read.
    """
    backend = open_backend(url, make=False)

    def give(picker: Picker) -> None:
        for item in backend.list():
            stop()
            name = name_of(item.path)
            if name is not None:
                # A copy may be damaged, too; the rest of it may do.
                with contextlib.suppress(FileNotFoundError, StoreDamaged, ServiceUnavailable):
                    _give_from(backend, name, item.size, picker)

    return give


def _give_from(backend: Backend, name: bytes, size: int, picker: Picker) -> None:
    path = path_of(name)
    for entry in read_entries(lambda start, length: backend.get(path, start, length), size, name):
        if entry.id in picker.wanted and entry.id not in picker.picked and entry.length <= MAX_BLOB:
            stored = backend.get(path, entry.offset, entry.length)
            data = unpack(stored, entry.id, entry.size, entry.codec)
            if data is not None:
                picker.add(data, entry.kind)
