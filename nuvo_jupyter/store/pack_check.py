"""Look through one pack: whether it is what its name says, and which of its blobs are sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from blake3 import blake3

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.store import BlobEntry
from nuvo_jupyter.store.backend import Backend
from nuvo_jupyter.store.pack import MAX_BLOB, Buffer, path_of, read_entries, unpack, unpack_many

HELD = 64 << 20
"""Packs of up to this many bytes are read once; larger ones, with a huge blob in them, in pieces."""
PIECE = 8 << 20


class OpenPack:
    """One pack's bytes.

    Raises:
        FileNotFoundError: it does not exist.
    """

    def __init__(self, backend: Backend, name: bytes, size: int) -> None:
        self.name = name
        self.size = size
        self._backend = backend
        self._held: bytes | None = None
        if size <= HELD:
            held = self._fetch(0, size)
            # Where the disk cannot read all of it, the rest is still tried blob by blob.
            self._held = held if len(held) == size else None

    def _fetch(self, start: int, length: int) -> bytes:
        if self._held is not None:
            return self._held[start : start + length]
        try:
            return self._backend.get(path_of(self.name), start, length)
        except StoreDamaged:
            return b""

    def has_its_hash(self) -> bool:
        """Whether its bytes are the ones that were written."""
        hasher = blake3()
        for start in range(0, self.size, PIECE):
            hasher.update(self._fetch(start, min(PIECE, self.size - start)))
        return hasher.digest() == self.name

    def entries(self) -> list[BlobEntry]:
        """What its own index lists.

        Raises:
            StoreDamaged: the index cannot be read.
        """
        return read_entries(self._fetch, self.size, self.name)

    def readable_entries(self) -> list[BlobEntry]:
        """What its own index lists, or nothing if that cannot be read."""
        try:
            return self.entries()
        except StoreDamaged:
            return []

    def read(self, entry: BlobEntry) -> bytes | None:
        """The plain bytes of one blob where an entry says it lies, verified; ``None`` if they are not sound."""
        if (
            not 0 <= entry.offset <= entry.offset + entry.length <= self.size
            or not 0 <= entry.size <= MAX_BLOB
        ):
            return None
        return unpack(self._fetch(entry.offset, entry.length), entry.id, entry.size, entry.codec)

    def check(self, entries: Sequence[BlobEntry]) -> Iterator[tuple[BlobEntry, bool]]:
        """Read and hash blobs where ``entries`` say they lie; yields each with whether it is sound."""
        batch: list[BlobEntry] = []
        plain = 0
        for entry in entries:
            if (
                not 0 <= entry.offset <= entry.offset + entry.length <= self.size
                or not 0 <= entry.size <= MAX_BLOB
            ):
                yield entry, False
                continue
            if batch and plain + entry.size > PIECE:
                yield from self._check_batch(batch)
                batch, plain = [], 0
            batch.append(entry)
            plain += entry.size
        if batch:
            yield from self._check_batch(batch)

    def _check_batch(self, batch: list[BlobEntry]) -> Iterator[tuple[BlobEntry, bool]]:
        blobs: list[tuple[Buffer, bytes, int, int]] = [
            (self._fetch(entry.offset, entry.length), entry.id, entry.size, entry.codec) for entry in batch
        ]
        for entry, data in zip(batch, unpack_many(blobs), strict=True):
            yield entry, data is not None
