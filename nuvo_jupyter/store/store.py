"""The store: content by the hash of its bytes. What is read is verified, always."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog.blobs import Location
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Manifest, Node
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.manifest import decode_manifest
from nuvo_jupyter.store.pack import CONTENT, MANIFEST, MAX_BLOB, TREE, Buffer, path_of, unpack, unpack_many
from nuvo_jupyter.store.state_cache import StateCache
from nuvo_jupyter.store.tree_cache import TreeCache
from nuvo_jupyter.store.writer import Writer

__all__ = ["CONTENT", "MANIFEST", "TREE", "Store", "Writer"]

SOUND_MAX = 200_000
"""Ids that are remembered as read and sound: some 20 MB."""
LOOK_UP = 20_000
"""Ids that are looked up at once."""
MAX_GAP = 128 << 10
"""Bytes between two wanted blobs that are read along rather than skipped."""
MAX_SPAN = 8 << 20
"""Stored, and plain, bytes that are read at once."""

Span = list[tuple[bytes, Location]]


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
        self, ids: Iterable[bytes], *, damaged: Callable[[bytes, StoreDamaged], None] | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Many blobs, verified, each id once, in the order in which they lie in the packs.

        Holds about 32 MB, or the largest blob if that is more.

        Args:
            damaged: told of each blob that is missing or altered, after which reading goes on.

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
                    yield from self._read_wanted(wanted, damaged)
                    wanted = []
        if wanted:
            yield from self._read_wanted(wanted, damaged)

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
        self, ids: list[bytes], damaged: Callable[[bytes, StoreDamaged], None] | None
    ) -> Iterator[tuple[bytes, bytes]]:
        places = self.index.locate(ids)
        names = self.index.pack_names({place.pack_id for place in places.values()})
        for id_ in ids:
            if id_ not in places:
                _report(id_, self._missing(id_), damaged)
        for span in _spans(places):
            name = names.get(span[0][1].pack_id)
            plain = self._read_span(span, name) if name is not None else [None] * len(span)
            for (id_, _), data in zip(span, plain, strict=True):
                if data is None:
                    try:
                        data = self._read_again(id_)
                    except StoreDamaged as error:
                        _report(id_, error, damaged)
                        continue
                yield id_, data

    def _read_span(self, span: Span, name: bytes) -> list[bytes | None]:
        start = span[0][1].offset
        end = span[-1][1].offset + span[-1][1].length
        if start < 0 or not 0 <= end - start <= MAX_BLOB:
            return [None] * len(span)
        try:
            data = memoryview(self.backend.get(path_of(name), start, end - start))
        except (FileNotFoundError, StoreDamaged):
            return [None] * len(span)
        blobs: list[tuple[Buffer, bytes, int, int]] = []
        for id_, place in span:
            at = place.offset - start
            blobs.append((data[at : at + place.length], id_, place.size, place.codec))
        return unpack_many(blobs)

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


def _spans(places: dict[bytes, Location]) -> Iterator[Span]:
    """Group blobs into ranges worth reading at once."""
    span: Span = []
    plain = start = end = 0
    for item in sorted(places.items(), key=lambda item: item[1]):
        place = item[1]
        if span and (
            place.pack_id != span[0][1].pack_id
            or place.offset - end > MAX_GAP
            or place.offset + place.length - start > MAX_SPAN
            or plain + place.size > MAX_SPAN
        ):
            yield span
            span, plain = [], 0
        if not span:
            start = place.offset
        span.append(item)
        end = place.offset + place.length
        plain += place.size
    if span:
        yield span


def _report(id_: bytes, error: StoreDamaged, damaged: Callable[[bytes, StoreDamaged], None] | None) -> None:
    if damaged is None:
        raise error
    damaged(id_, error)
