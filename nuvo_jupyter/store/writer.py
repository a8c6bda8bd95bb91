"""Writing blobs: hash, leave out what is stored already, compress in batches, pack."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from blake3 import blake3
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, holding
from nuvo_jupyter.model.errors import TooLarge
from nuvo_jupyter.model.store import BlobEntry
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.backend import Backend
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.pack import CONTENT, MAX_BLOB, PLAIN, Buffer, Compressor, Pack, PackBuilder, path_of

BATCH_BYTES = 8 << 20
"""Plain bytes that are compressed at once, while the next ones are read and hashed."""
BATCH_BLOBS = 8192
"""… or this many blobs."""
INLINE_BYTES = 1 << 20
"""Up to this much is compressed and written by the caller's thread: it is done before another one had started."""
READ_SIZE = 4 << 20


_New = tuple[bytes, Buffer, int]
"""A blob to be stored: id, plain bytes, kind."""


class Writer:
    """Adds blobs to a store. For one thread; a context manager.

    The order of writes is fixed: :meth:`flush` makes the packs durable, then :meth:`commit` enters them in
    the caller's transaction, together with what refers to them. Leaving without a commit leaves garbage
    that nothing refers to.

    A thread of its own compresses and writes one batch while the caller's collects and hashes the next: what is
    added must not change until :meth:`flush`. It holds one pack being filled or written and two batches: about
    50 MB (the C library may keep as much again for later), and about 400 bytes for each new blob until the commit.
    """

    def __init__(self, backend: Backend, index: BlobIndex, since: str | None = None) -> None:
        self._backend = backend
        self._index = index
        self._since = since
        self._compressor = Compressor()
        self._builder = PackBuilder()
        self._known: set[bytes] = set()
        self._written: list[tuple[bytes, int, list[BlobEntry]]] = []
        self._batch: list[_New] = []
        self._batch_bytes = 0
        self._executor: ThreadPoolExecutor | None = None
        self._working: Future[None] | None = None
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True)

    def add(self, data: Buffer, kind: int = CONTENT) -> bytes:
        """Add one blob as it is, uncut, and return its id.

        Raises:
            TooLarge: over 1 GiB.
        """
        return self.add_many([data], kind)[0]

    def add_many(self, datas: Sequence[Buffer], kind: int = CONTENT) -> list[bytes]:
        """Add many blobs, each as it is, and return their ids in order: one look-up for all of them.

        Content of over 1 MiB belongs into :meth:`add_content`, :meth:`add_stream` or :meth:`add_file`,
        so that equal content always has equal ids.
        """
        ids = [blake3(data).digest() for data in datas]
        fresh = {id_: data for id_, data in zip(ids, datas, strict=True) if id_ not in self._known}
        if fresh:
            if self._since is None:
                self._since = self._index.current()
            for id_ in self._index.contains(fresh.keys(), self._since):
                del fresh[id_]
            self._known.update(ids)
            for id_, data in fresh.items():
                self._take(id_, data, kind)
        return ids

    def add_content(self, data: Buffer) -> tuple[bytes, ...]:
        """Add a file's whole content from memory, cut where it is large; returns its blob ids in order."""
        return tuple(self.add_many(chunks.cut(data)))

    def add_stream(self, stream: Iterable[Buffer]) -> tuple[bytes, ...]:
        """Add a file's whole content piece by piece; returns its blob ids in order."""
        ids: list[bytes] = []
        for pieces in chunks.windows(stream):
            ids.extend(self.add_many(pieces))
        return tuple(ids)

    def add_file(self, descriptor: int, size: int) -> tuple[bytes, ...]:
        """Add an open file from its current position; returns its blob ids in order.

        Args:
            descriptor: of the file; not closed.
            size: bytes to read at most, so that a growing file ends. Fewer are read where it ends
                before; the caller compares a stat from after.
        """
        return self.add_stream(_read(descriptor, size))

    def flush(self) -> None:
        """Make everything added so far durable.

        Raises:
            StorageFull, ServiceUnavailable: it could not be written; the writer is of no more use.
        """
        batch, self._batch = self._batch, []
        small = self._working is None and self._batch_bytes <= INLINE_BYTES
        self._batch_bytes = 0
        self._wait()
        if small:
            self._guarded(batch, last=True)
        else:
            self._start(batch, last=True)
            self._wait()

    def commit(self, connection: Connection, also: Callable[[], Collection[bytes]] = tuple) -> None:
        """Enter all flushed packs in the caller's transaction. Blobs another process entered meanwhile stay its own.

        Args:
            also: gives what is referred to besides what was added.

        Raises:
            ContentGone: some of it was collected meanwhile; begin again with another writer.
        """
        if self._failed or self._working is not None or self._batch or len(self._builder):
            raise RuntimeError(
                "Writer.commit() without a flush() that worked: rows would refer to nothing durable"
            )
        standing = holding.enter(connection)
        if standing.doomed:
            holding.claim_packs(connection, (name for name, _, _ in self._written))
        blobs.add_packs(connection, self._index.catalog, self._written)
        if standing.condemned or standing.generation != self._since:
            holding.hold(connection, self._known.union(also()))
        self._written.clear()

    def _take(self, id_: bytes, data: Buffer, kind: int) -> None:
        if len(data) > MAX_BLOB:
            raise TooLarge(f"A blob of {len(data)} bytes is over the limit of {MAX_BLOB} bytes.")
        self._batch.append((id_, data, kind))
        self._batch_bytes += len(data)
        if self._batch_bytes >= BATCH_BYTES or len(self._batch) >= BATCH_BLOBS:
            batch, self._batch, self._batch_bytes = self._batch, [], 0
            self._wait()
            self._start(batch, last=False)

    def _start(self, batch: list[_New], *, last: bool) -> None:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="nuvo-pack")
        self._working = self._executor.submit(self._pack, batch, last=last)

    def _wait(self) -> None:
        if self._working is not None:
            working, self._working = self._working, None
            try:
                working.result()
            except BaseException:
                self._failed = True
                raise

    def _guarded(self, batch: list[_New], *, last: bool) -> None:
        try:
            self._pack(batch, last=last)
        except BaseException:
            self._failed = True
            raise

    def _pack(self, batch: list[_New], *, last: bool) -> None:
        """Compress a batch into the pack being filled, and write that when it is full, or the last one."""
        # zstd's batch call takes no empty input, and nothing is gained on a few bytes.
        large = [index for index, (_, data, _) in enumerate(batch) if len(data) >= 64]
        stored: list[tuple[Buffer, int]] = [(data, PLAIN) for _, data, _ in batch]
        if large:
            packed = self._compressor.compress([batch[index][1] for index in large])
            for index, item in zip(large, packed, strict=True):
                stored[index] = item
        for (id_, data, kind), (small, codec) in zip(batch, stored, strict=True):
            self._builder.append(id_, small, len(data), codec, kind)
            if self._builder.is_full:
                self._put()
        if last and len(self._builder):
            self._put()

    def _put(self) -> None:
        builder, self._builder = self._builder, PackBuilder()
        pack: Pack = builder.seal()
        self._backend.put(path_of(pack.name), pack.data)
        self._written.append((pack.name, len(pack.data), pack.entries))


def _read(descriptor: int, size: int) -> Iterator[bytes]:
    while size > 0:
        data = os.read(descriptor, min(size, READ_SIZE))
        if not data:
            return
        size -= len(data)
        yield data
