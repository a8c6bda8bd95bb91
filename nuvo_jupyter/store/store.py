"""The store: content by the hash of its bytes. What is read is verified, always."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Manifest, Node
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.manifest import decode_manifest
from nuvo_jupyter.store.pack import CONTENT, MANIFEST, MAX_BLOB, THREADS, TREE, path_of, unpack
from nuvo_jupyter.store.ranges import Range, ranges
from nuvo_jupyter.store.state_cache import StateCache
from nuvo_jupyter.store.tree_cache import TreeCache
from nuvo_jupyter.store.writer import Writer

__all__ = ["CONTENT", "MANIFEST", "TREE", "Store", "Writer"]

SOUND_MAX = 200_000
"""Ids that are remembered as read and sound: some 20 MB."""
LOOK_UP = 20_000
"""Ids that are looked up at once."""


class Store:
    """Content-addressed storage in one place, with its index in one catalog.

    Safe to use from several threads; each :class:`Writer` belongs to one.
    """

    def __init__(self, backend: Backend, catalog: Catalog) -> None:
        self.backend = backend
        self.catalog = catalog
        self.index = BlobIndex(catalog)
        self.trees = TreeCache()
        self.states = StateCache()
        self._sound: set[bytes] = set()

    @classmethod
    def open(cls, url: str, catalog: Catalog, options: Mapping[str, str] | None = None) -> Store:
        """Open a store, making it if it is missing.

        Args:
            url: ``file:///folder``, a plain folder path, or ``s3://bucket/prefix``.
            catalog: holds the blob index.
            options: settings of the object store (endpoint, region, keys) besides those in ``AWS_*``.

        Raises:
            StoreDamaged: what lies there is no store of this version; or it is empty, and the catalog is not.
            StoreUnsuitable: a bucket that overwrites where it should refuse.
            ServiceUnavailable: it does not answer or may not be used.
        """
        backend = open_backend(url, options)
        with catalog.read() as connection:
            known = blobs.any_pack(connection)
        if known and next(backend.list(), None) is None:
            backend.close()
            raise StoreDamaged(
                f"The store {url} is empty, but the catalog knows of content in it.",
                hint="Mount its disk, or put its last copy in its place. To begin anew instead, choose another home "
                "(c.Nuvo.home, NUVO_HOME).",
            )
        return cls(backend, catalog)

    def writer(self, since: str | None = None) -> Writer:
        """A new :class:`Writer`, to be used as a context manager.

        Args:
            since: the index's generation when what will refer to its blobs was begun; that of its first look-up if ``None``.
        """
        return Writer(self.backend, self.index, since)

    def read(self, id: bytes) -> bytes:
        """One blob, verified.

        Raises:
            StoreDamaged: it is missing or altered; names blob and pack.
        """
        for _, data in self.read_many([id]):
            return data
        raise AssertionError("read_many gives or raises")

    def read_many(
        self,
        ids: Iterable[bytes],
        *,
        damaged: Callable[[bytes, StoreDamaged], None] | None = None,
        threads: int = THREADS,
        keep: bool = True,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Many blobs, verified, each id once, in the order in which they lie in the packs.

        Holds about 32 MB, or the largest blob if that is more.

        Args:
            damaged: told of each blob that is missing or altered, after which reading goes on.
            threads: among which decompressing is shared out.
            keep: whether where they lie is remembered, as they may be asked for again.

        Raises:
            StoreDamaged: a blob is missing or altered, and ``damaged`` is not given.
        """
        seen: set[bytes] = set()
        wanted: list[bytes] = []
        for id_ in ids:
            if id_ not in seen:
                seen.add(id_)
                wanted.append(id_)
                if len(wanted) >= LOOK_UP:
                    yield from self._read_wanted(wanted, damaged, threads, keep)
                    wanted = []
        if wanted:
            yield from self._read_wanted(wanted, damaged, threads, keep)

    def read_file(self, node: Node) -> bytes:
        """A file's whole content.

        Raises:
            StoreDamaged: some of it is missing or altered.
        """
        if len(node.content) == 1:
            return self.read(node.content[0])
        found = dict(self.read_many(node.content))
        return b"".join(found[id_] for id_ in node.content)

    def stream_file(self, node: Node) -> Iterator[bytes]:
        """A file's content blob by blob, in order; holds a few blobs of at most 4 MiB each.

        Raises:
            StoreDamaged: some of it is missing or altered.
        """
        step = 4
        for start in range(0, len(node.content), step):
            ids = node.content[start : start + step]
            found = dict(self.read_many(ids))
            for id_ in ids:
                yield found[id_]

    def contains(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of ``ids`` that are stored and committed."""
        return self.index.contains(ids, self.index.current())

    def unsound(self, ids: Iterable[bytes]) -> set[bytes]:
        """Those of ``ids`` whose stored copy is missing or altered.

        What this process has found sound is not read again, so that it costs once what many deliveries replace.
        """
        wanted = set(ids) - self._sound
        found: set[bytes] = set()
        for id_, _ in self.read_many(wanted, damaged=lambda id_, _error: found.add(id_)):
            self._sound.add(id_)
        if len(self._sound) > SOUND_MAX:
            self._sound.clear()
        return found

    def manifest(self, id: bytes) -> Manifest:
        """A snapshot's manifest.

        Raises:
            StoreDamaged: it is missing, altered, or of a newer version.
        """
        return decode_manifest(self.read(id))

    def close(self) -> None:
        """Let go of what is held open and remembered."""
        self.backend.close()
        self.index.forget()
        self.trees.clear()
        self.states.clear()

    def _read_wanted(
        self,
        ids: list[bytes],
        damaged: Callable[[bytes, StoreDamaged], None] | None,
        threads: int,
        keep: bool,
    ) -> Iterator[tuple[bytes, bytes]]:
        places = self.index.locate(ids, keep=keep)
        names = self.index.pack_names({place.pack_id for place in places.values()})
        for id_ in ids:
            if id_ not in places:
                _report(id_, self._missing(id_), damaged)
        for some in ranges(places):
            for (id_, *_), plain in zip(some.blobs, self._read_range(some, names, threads), strict=True):
                data = plain
                if data is None:
                    try:
                        data = self._read_again(id_)
                    except StoreDamaged as error:
                        _report(id_, error, damaged)
                        continue
                yield id_, data

    def _read_range(self, some: Range, names: Mapping[int, bytes], threads: int) -> list[bytes | None]:
        nothing: list[bytes | None] = [None] * len(some.blobs)
        name = names.get(some.pack)
        if name is None or not some.is_possible:
            return nothing
        try:
            return some.unpack(self.backend.get(path_of(name), some.start, some.length), threads)
        except (FileNotFoundError, StoreDamaged):
            return nothing

    def _read_again(self, id_: bytes) -> bytes:
        # What was remembered of its place may be outdated, if another process repaired the index.
        place = self.index.locate_again(id_)
        if place is None:
            raise self._missing(id_)
        name = self.index.pack_names([place.pack_id])[place.pack_id]
        data = None
        if place.offset >= 0 and 0 <= place.length <= MAX_BLOB:
            try:
                stored = self.backend.get(path_of(name), place.offset, place.length)
            except FileNotFoundError:
                raise StoreDamaged(f"Blob {id_.hex()} is lost: its pack {name.hex()} is missing.") from None
            data = unpack(stored, id_, place.size, place.codec)
        if data is None:
            raise StoreDamaged(
                f"Blob {id_.hex()} in pack {name.hex()} does not have the hash it should have."
            )
        return data

    @staticmethod
    def _missing(id_: bytes) -> StoreDamaged:
        return StoreDamaged(f"Blob {id_.hex()} is missing: no pack in the catalog holds it.")


def _report(id_: bytes, error: StoreDamaged, damaged: Callable[[bytes, StoreDamaged], None] | None) -> None:
    if damaged is None:
        raise error
    damaged(id_, error)
