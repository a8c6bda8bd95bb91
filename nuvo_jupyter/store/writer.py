"""Writing blobs: hash, leave out what is stored already, compress in batches, pack."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, holding
from nuvo_jupyter.model.errors import TooLarge
from nuvo_jupyter.native import hash_many
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.backend import Backend
from nuvo_jupyter.store.index import BlobIndex
from nuvo_jupyter.store.pack import (
    CONTENT,
    MAX_BLOB,
    THREADS,
    Buffer,
    Compressor,
    Packed,
)
from nuvo_jupyter.store.pack_stream import PackStream, Written

BATCH_BYTES = 1 << 20
"""Plain bytes that a thread compresses at once, while the next ones are read and hashed."""
BATCH_BLOBS = 512
"""… or this many blobs."""
BATCHES = 8 * THREADS
"""Batches that are compressed or wait for it, or to be written: enough to be busy with while a full pack is flushed."""
ROOMS = 4
"""Windows of large files that are read, compressed or written."""
SMALL_ROOMS = BATCHES
"""Rooms for small files, likewise."""
INLINE_BYTES = 1 << 20
"""Up to this much is compressed and written by the caller's thread: it is done before another one had started."""
JOINED = 64 << 10
"""Blobs smaller than this on average, in bytes, are joined before they are written."""
LOOKED_UP_ANYWAY = 100
"""So few ids are looked up without asking for all that are stored."""
FEW = 4
"""All ids are asked for where there are no more than so many times those to be looked up until now."""
GIVEN_BACK_FROM = 64 << 20
"""Bytes that were written before the system gets freed memory back: whoever writes less may soon want it again."""
SPARE_ROOMS = 4
"""Rooms for small files that are kept for the next writer."""
READ_SIZE = 4 << 20


class _Batch:
    """Blobs to be compressed together, in columns."""

    __slots__ = ("datas", "ids", "kinds", "rooms", "size")

    def __init__(self) -> None:
        self.ids: list[bytes] = []
        self.datas: list[Buffer] = []
        self.kinds: list[int] = []
        self.rooms: list[bytearray] = []
        """Free to be used again once this is written."""
        self.size = 0

    def add(self, fresh: Mapping[bytes, Buffer], kind: int, size: int) -> None:
        """Add blobs of ``size`` bytes together."""
        self.ids.extend(fresh)
        self.datas.extend(fresh.values())
        self.kinds.extend([kind] * len(fresh))
        self.size += size

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_full(self) -> bool:
        """Whether it is time to compress it."""
        return self.size >= BATCH_BYTES or len(self.ids) >= BATCH_BLOBS


class _Rooms:
    """Memory to read to, used again and again: fresh memory for each would cost more than all else.

    Args:
        size: of each in bytes.
        count: how many there are at most.
        spare: left by others of the same size, and taken by others again.
    """

    def __init__(self, size: int, count: int, spare: deque[bytearray]) -> None:
        self.size = size
        self._count = count
        self._spare = spare
        self._free: list[bytearray] = []
        self._left = count

    def take(self) -> bytearray | None:
        """One that is free, if there is."""
        if self._free:
            return self._free.pop()
        return self.one_more() if self._left > 0 else None

    def one_more(self) -> bytearray:
        """Another one, in any case."""
        self._left -= 1
        with contextlib.suppress(IndexError):
            return self._spare.pop()
        return bytearray(self.size)

    def give(self, room: bytearray) -> None:
        """One is free again."""
        self._free.append(room)

    def clear(self) -> None:
        """Let go of all."""
        self._spare.extend(self._free)
        self._free.clear()
        self._left = self._count


_spare_rooms: deque[bytearray] = deque(maxlen=SPARE_ROOMS)


class Writer:
    """Adds blobs to a store. For one thread; a context manager.

    The order of writes is fixed: :meth:`flush` makes the packs durable, then :meth:`commit` enters them in
    the caller's transaction, together with what refers to them. Leaving without a commit leaves garbage
    that nothing refers to.

    Threads of its own compress batches while the caller's collects and hashes the next, and one more writes them into
    packs: what is added must not change until :meth:`flush`. It holds a few batches and windows of large files: about
    60 MB, and about 400 bytes for each new blob until the commit.
    """

    def __init__(self, backend: Backend, index: BlobIndex, since: str | None = None) -> None:
        self._backend = backend
        self._index = index
        self._since = since
        self._compressor = Compressor()
        self._known: set[bytes] = set()
        self._asked_for_all = False
        self._stored: set[bytes] | None = None
        self._written: list[Written] = []
        self._stream: PackStream | None = None
        self._batch = _Batch()
        self._storing: deque[tuple[Future[None], list[bytearray]]] = deque()
        self._compressors: ThreadPoolExecutor | None = None
        self._disk: ThreadPoolExecutor | None = None
        self._rooms = _Rooms(chunks.WINDOW, ROOMS, deque(maxlen=0))
        self._small_rooms = _Rooms(chunks.WHOLE_UP_TO, SMALL_ROOMS, _spare_rooms)
        self._failed = False
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # In this order: who writes waits for who compresses.
        for executor in (self._compressors, self._disk):
            if executor is not None:
                executor.shutdown(wait=True, cancel_futures=True)
        if self._stream is not None:
            self._stream.abandon()
            self._stream = None
        if self._size >= GIVEN_BACK_FROM:
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
        ids = hash_many(datas)
        self._take(self._fresh(ids, datas), kind)
        return ids

    def room(self) -> bytearray:
        """Where to read small content to, for :meth:`add_room`: 1 MiB."""
        return self._room(self._small_rooms)

    def add_room(self, room: bytearray, sizes: Sequence[int]) -> list[bytes]:
        """Add what lies in a room, one blob behind the other, and take the room back; returns their ids in order.

        Args:
            sizes: of the blobs, bytes.
        """
        datas = chunks.behind_each_other(room, sizes)
        ids = hash_many(datas)
        self._take(self._fresh(ids, datas), CONTENT, room)
        return ids

    def add_content(self, data: Buffer) -> tuple[bytes, ...]:
        """Add a file's whole content from memory, cut where it is large; returns its blob ids in order."""
        return tuple(self.add_many(chunks.cut(data)))

    def add_stream(self, stream: Iterable[Buffer]) -> tuple[bytes, ...]:
        """Add a file's whole content piece by piece; returns its blob ids in order."""
        return self.add_filled(chunks.filling(stream))

    def add_file(self, descriptor: int, size: int) -> tuple[bytes, ...]:
        """Add an open file from its current position; returns its blob ids in order.

        Args:
            descriptor: of the file; not closed.
            size: bytes to read at most, so that a growing file ends. Fewer are read where it ends
                before; the caller compares a stat from after.
        """
        return self.add_stream(_read(descriptor, size))

    def add_filled(self, fill: chunks.Fill) -> tuple[bytes, ...]:
        """Add a file's whole content as ``fill`` gives it, compressed and written from where it was put."""
        rooms: deque[bytearray] = deque()

        def room() -> bytearray:
            rooms.append(self._room(self._rooms))
            return rooms[-1]

        ids: list[bytes] = []
        try:
            for pieces in chunks.filled(fill, room):
                found = hash_many(pieces)
                ids += found
                self._take(self._fresh(found, pieces), CONTENT, rooms.popleft())
        finally:
            for left in rooms:
                self._free(left)
        return tuple(ids)

    def flush(self) -> None:
        """Make everything added so far durable.

        Raises:
            StorageFull, ServiceUnavailable: it could not be written; the writer is of no more use.
        """
        try:
            if self._batch:
                if not self._storing and self._batch.size <= INLINE_BYTES:
                    batch, self._batch = self._batch, _Batch()
                    self._store(self._pack(batch))
                    for room in batch.rooms:
                        self._free(room)
                else:
                    self._begin()
            while self._storing:
                self._collect()
            self._finish()
            self._rooms.clear()
            self._small_rooms.clear()
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
        if self._failed or self._storing or self._batch or self._stream is not None:
            raise RuntimeError(
                "Writer.commit() without a flush() that worked: rows would refer to nothing durable"
            )
        standing = holding.enter(connection)
        if standing.doomed:
            holding.claim_packs(connection, (pack.name for pack in self._written))
        blobs.add_packs(connection, self._index.catalog, self._written)
        if standing.condemned or standing.generation != self._since:
            holding.hold(connection, self._known.union(also()))
        self._written.clear()

    def _fresh(self, ids: Sequence[bytes], datas: Sequence[Buffer]) -> dict[bytes, Buffer]:
        """What of some blobs is neither stored nor on its way; from now on it is."""
        known = self._known
        fresh = {id_: data for id_, data in zip(ids, datas, strict=True) if id_ not in known}
        if fresh:
            if self._since is None:
                self._since = self._index.current()
            if not self._asked_for_all and len(known) + len(fresh) > LOOKED_UP_ANYWAY:
                self._asked_for_all = True
                self._stored = self._index.all_of_few(FEW * (len(known) + len(fresh)))
            stored = self._stored
            if stored is None:
                stored = self._index.contains(fresh.keys(), self._since)
            known.update(ids)
            if stored:
                fresh = {id_: data for id_, data in fresh.items() if id_ not in stored}
        return fresh

    def _take(self, fresh: dict[bytes, Buffer], kind: int, room: bytearray | None = None) -> None:
        """Put blobs into batches; a room they lie in is free once the last of them is written, as batches are in order."""
        portions = list(_portions(fresh))
        if room is not None and not portions:
            self._free(room)
        for number, (some, size) in enumerate(portions, 1):
            self._batch.add(some, kind, size)
            if room is not None and number == len(portions):
                self._batch.rooms.append(room)
            if self._batch.is_full:
                self._begin()

    def _room(self, rooms: _Rooms) -> bytearray:
        """A room to read to, perhaps after waiting for one."""
        while (room := rooms.take()) is None:
            if self._storing:
                self._collect()
            elif self._batch.rooms:
                self._begin()
            else:
                return rooms.one_more()
        return room

    def _free(self, room: bytearray) -> None:
        (self._rooms if len(room) == self._rooms.size else self._small_rooms).give(room)

    def _begin(self) -> None:
        """Have the batch compressed and written, and begin another one."""
        batch, self._batch = self._batch, _Batch()
        self._size += batch.size
        try:
            if self._compressors is None:
                self._compressors = ThreadPoolExecutor(THREADS, thread_name_prefix="nuvo-zstd")
                self._disk = ThreadPoolExecutor(1, thread_name_prefix="nuvo-pack")
            assert self._disk is not None
            packed = self._compressors.submit(self._pack, batch)
            self._storing.append((self._disk.submit(self._store_next, packed), batch.rooms))
            while len(self._storing) > BATCHES or (self._storing and self._storing[0][0].done()):
                self._collect()
        except BaseException:
            self._failed = True
            raise

    def _collect(self) -> None:
        """Wait for the oldest batch to be written."""
        stored, rooms = self._storing.popleft()
        try:
            stored.result()
        except BaseException:
            self._failed = True
            raise
        for room in rooms:
            self._free(room)

    def _pack(self, batch: _Batch) -> Packed:
        stored = self._compressor.compress(batch.datas)
        parts = [part for part, _ in stored]
        lengths = list(map(len, parts))
        return Packed(
            [b"".join(parts)] if sum(lengths) < JOINED * len(parts) else parts,
            batch.ids,
            lengths,
            list(map(len, batch.datas)),
            [codec for _, codec in stored],
            batch.kinds,
        )

    def _store_next(self, packed: Future[Packed]) -> None:
        self._store(packed.result())

    def _store(self, packed: Packed) -> None:
        """Write a batch into the pack that is being filled. By one thread at a time."""
        if self._stream is None:
            self._stream = PackStream(self._backend)
        try:
            self._stream.append(packed)
        except BaseException:
            # It may have been written in part: nothing may come behind that.
            stream, self._stream = self._stream, None
            stream.abandon()
            raise
        if self._stream.is_full:
            self._finish()

    def _finish(self) -> None:
        """Make the pack that is being filled durable, if there is one."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            self._written.append(stream.finish())


def _portions(fresh: dict[bytes, Buffer]) -> Iterator[tuple[Mapping[bytes, Buffer], int]]:
    """Blobs by as many as fill a batch, each portion with its bytes.

    Raises:
        TooLarge: one of them.
    """
    size = sum(map(len, fresh.values()))
    if fresh and size <= BATCH_BYTES and len(fresh) <= BATCH_BLOBS:
        yield fresh, size
        return
    some: dict[bytes, Buffer] = {}
    size = 0
    for id_, data in fresh.items():
        if len(data) > MAX_BLOB:
            raise TooLarge(f"A blob of {len(data)} bytes is over the limit of {MAX_BLOB} bytes.")
        some[id_] = data
        size += len(data)
        if size >= BATCH_BYTES or len(some) >= BATCH_BLOBS:
            yield some, size
            some, size = {}, 0
    if some:
        yield some, size


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
