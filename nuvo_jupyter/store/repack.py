"""Putting packs together anew: those of which most is dead, and small ones once there are many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, condemned
from nuvo_jupyter.catalog.blobs import PackRow
from nuvo_jupyter.model.store import BlobEntry
from nuvo_jupyter.store.pack import FOOTER, HEADER, MAX_BLOBS, TARGET_SIZE, PackBuilder, path_of, unpack_many
from nuvo_jupyter.store.store import Store

MOSTLY = 0.5
"""A pack of which at most this part is alive is put together anew."""
SMALL = 1 << 20
"""Packs below this many bytes are put together …"""
MANY = 64
"""… once there are this many of them: each snapshot leaves one."""

LISTED = 48
"""Bytes that a pack's index needs for a blob, at most."""


class Use(NamedTuple):
    """A pack, and how much of it is alive: blobs, and their bytes as stored."""

    pack: PackRow
    blobs: int
    size: int


def chosen(uses: Iterable[Use]) -> list[PackRow]:
    """The packs to be put together anew, in the order in which they were written. Pure."""
    alive = sorted((use for use in uses if use.blobs), key=lambda use: use.pack.id)
    small = {use.pack.id for use in alive if use.pack.size < SMALL}
    if len(small) < MANY:
        small.clear()
    return [use.pack for use in alive if use.pack.id in small or _at_most(use) <= MOSTLY * use.pack.size]


def _at_most(use: Use) -> int:
    """Bytes of a pack of what is alive, or a few more."""
    return HEADER.size + FOOTER.size + use.size + LISTED * use.blobs


def grouped(entries: Iterable[BlobEntry]) -> Iterator[list[BlobEntry]]:
    """Blobs as they come to lie in packs: each list is one. Pure."""
    group: list[BlobEntry] = []
    size = HEADER.size
    for entry in entries:
        group.append(entry)
        size += entry.length
        if size >= TARGET_SIZE or len(group) >= MAX_BLOBS:
            yield group
            group, size = [], HEADER.size
    if group:
        yield group


def size_of(group: list[BlobEntry]) -> int:
    """Bytes of a pack of these blobs. Pure."""
    index = msgspec.msgpack.encode([(e.id, e.length, e.size, e.codec, e.kind) for e in group])
    return HEADER.size + sum(entry.length for entry in group) + len(index) + FOOTER.size


class Repacked(NamedTuple):
    """What was put together: packs read, bytes written, packs left alone because they are damaged."""

    packs: int
    written: int
    damaged: list[bytes]


def repack(
    store: Store,
    packs: list[PackRow],
    *,
    fence: Callable[[Connection], None],
    stop: Callable[[], None],
    tell: Callable[[int, int], None],
) -> Repacked:
    """Put the blobs of packs into new ones; the old ones hold nothing afterwards, and stay.

    Each new pack is one transaction, before which it is durable: it can be broken off at any point.

    Args:
        fence: called in each transaction; raises if somebody else has taken over.
        stop: called now and then; raises to stop.
        tell: told how many packs were read, of how many.
    """
    work = _Repack(store, fence)
    damaged = []
    for done, pack in enumerate(packs):
        stop()
        tell(done, len(packs))
        if not work.take(pack):
            damaged.append(pack.name)
    work.write()
    return Repacked(len(packs) - len(damaged), work.written, damaged)


class _Repack:
    def __init__(self, store: Store, fence: Callable[[Connection], None]) -> None:
        self._store = store
        self._fence = fence
        self._builder = PackBuilder()
        self._from: list[int] = []
        self.written = 0

    def take(self, pack: PackRow) -> bool:
        """Take over a pack's blobs; whether all of them are sound."""
        with self._store.catalog.read() as connection:
            entries = blobs.rows_of_pack(connection, pack.id)
        for group in _pieces(entries):
            start = group[0].offset
            try:
                data = memoryview(
                    self._store.backend.get(
                        path_of(pack.name), start, group[-1].offset + group[-1].length - start
                    )
                )
            except FileNotFoundError:
                return False
            parts = [data[entry.offset - start : entry.offset - start + entry.length] for entry in group]
            plain = unpack_many(
                [(part, entry.id, entry.size, entry.codec) for part, entry in zip(parts, group, strict=True)]
            )
            if any(one is None for one in plain):
                return False
            for part, entry in zip(parts, group, strict=True):
                self._builder.append(entry.id, bytes(part), entry.size, entry.codec, entry.kind)
                self._from.append(pack.id)
                if self._builder.is_full:
                    self.write()
        return True

    def write(self) -> None:
        """Make what was taken over durable, then let the index name its new place."""
        if not len(self._builder):
            return
        builder, self._builder = self._builder, PackBuilder()
        origins, self._from = self._from, []
        pack = builder.seal()
        self._store.backend.put(path_of(pack.name), pack.data)
        self.written += len(pack.data)
        with self._store.catalog.write() as connection:
            self._fence(connection)
            pack_id = condemned.add_pack(connection, pack.name, len(pack.data))
            condemned.move(connection, pack_id, zip(origins, pack.entries, strict=True))


def _pieces(
    entries: list[BlobEntry], limit: int = 8 << 20, gap: int = 128 << 10
) -> Iterator[list[BlobEntry]]:
    """Blobs, by offset, that are worth reading at once."""
    group: list[BlobEntry] = []
    for entry in entries:
        if group and (
            entry.offset + entry.length - group[0].offset > limit
            or entry.offset - group[-1].offset - group[-1].length > gap
        ):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group
