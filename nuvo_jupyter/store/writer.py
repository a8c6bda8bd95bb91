"""Writing blobs: hash, leave out what is stored already, compress in batches, pack."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from blake3 import blake3
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, holding
from nuvo_jupyter.model.errors import TooLarge
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.backend import Backend
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.pack import (
    CONTENT,
    MAX_BLOB,
    THREADS,
    Buffer,
    Compressor,
    Entries,
    PackBuilder,
    Packed,
    path_of,
)

BATCH_BYTES = 1 << 20
"""Plain bytes that a thread compresses at once, while the next ones are read and hashed."""
BATCH_BLOBS = 512
"""… or this many blobs."""
BATCHES = THREADS + 2
"""Batches that are compressed or wait for it, or for their turn to go into a pack."""
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

    Threads of its own compress batches while the caller's collects and hashes the next, and one more writes a full
    pack while the next is filled: what is added must not change until :meth:`flush`. It holds a few batches, one
    pack being filled and one being written: about 60 MB, and about 400 bytes for each new blob until the commit.
    """

    def __init__(self, backend: Backend, index: BlobIndex, since: str | None = None) -> None:
        self._backend = backend
        self._index = index
        self._since = since
        self._compressor = Compressor()
        self._builder = PackBuilder()
        self._known: set[bytes] = set()
        self._written: list[tuple[bytes, int, Entries]] = []
        self._batch: list[_New] = []
        self._batch_bytes = 0
        self._compressing: deque[Future[Packed]] = deque()
        self._writing: Future[None] | None = None
        self._compressors: ThreadPoolExecutor | None = None
        self._disk: ThreadPoolExecutor | None = None
        self._rooms: list[bytearray] = []
        self._window = bytearray()
        self._copies: list[bytearray] = []
        self._in_use: deque[list[bytearray]] = deque()
        self._batch_copies: list[bytearray] = []
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for executor in (self._compressors, self._disk):
            if executor is not None:
                executor.shutdown(wait=True, cancel_futures=True)
        if self._compressors is not None:
            _give_back()

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
        return self._add(datas, kind, lent=False)

    def _add(self, datas: Sequence[Buffer], kind: int, *, lent: bool) -> list[bytes]:
        """Add blobs; what is only ``lent`` may change as soon as this returns."""
        ids = [blake3(data).digest() for data in datas]
        fresh = {id_: data for id_, data in zip(ids, datas, strict=True) if id_ not in self._known}
        if fresh:
            if self._since is None:
                self._since = self._index.current()
            for id_ in self._index.contains(fresh.keys(), self._since):
                del fresh[id_]
            self._known.update(ids)
            for id_, data in fresh.items():
                self._take(id_, self._copied(data) if lent else data, kind)
        return ids

    def add_content(self, data: Buffer) -> tuple[bytes, ...]:
        """Add a file's whole content from memory, cut where it is large; returns its blob ids in order."""
        return tuple(self.add_many(chunks.cut(data)))

    def add_stream(self, stream: Iterable[Buffer]) -> tuple[bytes, ...]:
        """Add a file's whole content piece by piece; returns its blob ids in order."""
        ids: list[bytes] = []
        for pieces in chunks.windows(stream, self._window):
            ids.extend(self._add(pieces, CONTENT, lent=True))
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
        try:
            if self._batch:
                idle = not self._compressing and self._writing is None
                if idle and self._batch_bytes <= INLINE_BYTES:
                    self._builder.append_many(self._pack(self._next_batch()))
                    self._copies += self._in_use.popleft()
                else:
                    self._start()
            while self._compressing:
                self._collect()
            self._written_out()
            if len(self._builder):
                self._put(self._next_builder())
            self._rooms.clear()
            self._copies.clear()
            self._window = bytearray()
        except BaseException:
            self._failed = True
            raise

    def commit(self, connection: Connection, also: Callable[[], Collection[bytes]] = tuple) -> None:
        """Enter all flushed packs in the caller's transaction. Blobs another process entered meanwhile stay its own.

        Args:
            also: gives what is referred to besides what was added.

        Raises:
            ContentGone: some of it was collected meanwhile; begin again with another writer.
        """
        if self._failed or self._compressing or self._writing or self._batch or len(self._builder):
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
            try:
                self._start()
                while len(self._compressing) > BATCHES or (self._compressing and self._compressing[0].done()):
                    self._collect()
            except BaseException:
                self._failed = True
                raise

    def _copied(self, data: Buffer) -> memoryview:
        """A copy in memory that is used again once the blob is in a pack: fresh memory would cost more than all else."""
        room = self._copies.pop() if self._copies else bytearray()
        size = len(data)
        if len(room) < size:
            # Not grown: the thread that compressed what was in it may not have let go yet.
            room = bytearray(data)
        else:
            room[:size] = data
        self._batch_copies.append(room)
        return memoryview(room)[:size]

    def _next_batch(self) -> list[_New]:
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        self._in_use.append(self._batch_copies)
        self._batch_copies = []
        return batch

    def _next_builder(self) -> PackBuilder:
        builder, self._builder = self._builder, PackBuilder(self._rooms.pop() if self._rooms else None)
        return builder

    def _start(self) -> None:
        if self._compressors is None:
            self._compressors = ThreadPoolExecutor(THREADS, thread_name_prefix="nuvo-zstd")
        self._compressing.append(self._compressors.submit(self._pack, self._next_batch()))

    def _collect(self) -> None:
        """Put the oldest batch into the pack being filled, and have that written when it is full."""
        self._builder.append_many(self._compressing.popleft().result())
        self._copies += self._in_use.popleft()
        if self._builder.is_full:
            self._written_out()
            if self._disk is None:
                self._disk = ThreadPoolExecutor(1, thread_name_prefix="nuvo-pack")
            self._writing = self._disk.submit(self._put, self._next_builder())

    def _written_out(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            writing.result()

    def _pack(self, batch: list[_New]) -> Packed:
        datas = [data for _, data, _ in batch]
        stored = self._compressor.compress(datas)
        parts = [part for part, _ in stored]
        return Packed(
            parts[0] if len(parts) == 1 else b"".join(parts),
            [id_ for id_, _, _ in batch],
            list(map(len, parts)),
            list(map(len, datas)),
            [codec for _, codec in stored],
            [kind for _, _, kind in batch],
        )

    def _put(self, builder: PackBuilder) -> None:
        pack = builder.seal()
        size = len(pack.data)
        self._backend.put(path_of(pack.name), pack.data)
        self._written.append((pack.name, size, pack.entries))
        self._rooms.append(builder.released(pack))


def _give_back() -> None:
    """Let the operating system have what the C library keeps of memory that was freed; a server lives long."""
    with contextlib.suppress(OSError, AttributeError):
        # Only glibc has it; others give back by themselves.
        ctypes.CDLL(None).malloc_trim(0)


def _read(descriptor: int, size: int) -> Iterator[bytes]:
    while size > 0:
        data = os.read(descriptor, min(size, READ_SIZE))
        if not data:
            return
        size -= len(data)
        yield data
