"""A pack as it is written, batch by batch: none of it is held but its index."""

from __future__ import annotations

from typing import NamedTuple

from blake3 import blake3

from nuvo_jupyter.store.backend import Backend
from nuvo_jupyter.store.pack import MAX_BLOBS, TARGET_SIZE, Entries, Packed, ending, header, path_of


class Written(NamedTuple):
    """A pack that is durable: its name (32 bytes), size in bytes, and what is in it."""

    name: bytes
    size: int
    entries: Entries


class PackStream:
    """One pack on its way into a store. For one thread at a time.

    Args:
        backend: of the store.

    Raises:
        StorageFull, ServiceUnavailable: it cannot be begun.
    """

    def __init__(self, backend: Backend) -> None:
        self._upload = backend.upload()
        self._hash = blake3()
        self._size = 0
        self._entries = Entries()
        self._head = [header()]

    def append(self, packed: Packed) -> None:
        """Write blobs; their bytes may be changed once this returns.

        Raises:
            StorageFull, ServiceUnavailable: they could not be written.
        """
        pieces = [*self._head, *packed.pieces]
        self._head.clear()
        for piece in pieces:
            self._hash.update(piece)
            self._size += len(piece)
        self._upload.write(pieces)
        self._entries.extend(packed)

    @property
    def is_full(self) -> bool:
        """Whether it is time to finish."""
        return self._size >= TARGET_SIZE or len(self._entries) >= MAX_BLOBS

    def finish(self) -> Written:
        """Make it durable, under the name that is its hash; the stream must not be used afterwards.

        Raises:
            StorageFull, ServiceUnavailable: it could not be written.
        """
        end = ending(self._entries)
        try:
            self._upload.write([end])
        except BaseException:
            self._upload.abandon()
            raise
        self._hash.update(end)
        name = self._hash.digest()
        self._upload.finish(path_of(name))
        return Written(name, self._size + len(end), self._entries)

    def abandon(self) -> None:
        """Leave nothing of it; the stream must not be used afterwards."""
        self._upload.abandon()
