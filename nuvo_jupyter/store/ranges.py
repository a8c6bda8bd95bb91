"""Stretches of packs that are worth reading at once, with the blobs in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from nuvo_jupyter.store.pack import MAX_BLOB, THREADS, Buffer, unpack_many

MAX_GAP = 128 << 10
"""Bytes between two wanted blobs that are read along rather than skipped."""
MAX_SPAN = 8 << 20
"""Stored, and plain, bytes that are read at once."""

Place = tuple[int, int, int, int, int]
"""As in the catalog: pack's row id, offset, stored bytes, plain bytes, codec."""


class Range(msgspec.Struct, gc=False):
    """A stretch of one pack.

    Args:
        pack: row id of the pack.
        start: where it begins, in bytes.
        length: bytes.
        blobs: of each its id, where it begins in the stretch, stored bytes, plain bytes and codec.
    """

    pack: int
    start: int
    length: int
    blobs: list[tuple[bytes, int, int, int, int]]

    def unpack(self, data: Buffer, threads: int = THREADS) -> list[bytes | None]:
        """The plain, verified bytes of each blob; ``None`` for those that are not what they should be.

        Args:
            data: the stretch as it was read; may be shorter.
            threads: among which decompressing small ones is shared out.
        """
        view = memoryview(data)
        stored = [(view[at : at + length], id_, size, codec) for id_, at, length, size, codec in self.blobs]
        return unpack_many(stored, threads)

    @property
    def is_possible(self) -> bool:
        """Whether a pack can hold it; what a damaged catalog says may be anything."""
        return self.start >= 0 and 0 <= self.length <= MAX_BLOB


def ranges(places: Mapping[bytes, Place]) -> Iterator[Range]:
    """Group blobs into ranges, pack by pack, in the order in which they lie there."""
    found: Range | None = None
    plain = 0
    for id_, (pack, offset, length, size, codec) in sorted(places.items(), key=lambda item: item[1]):
        if found is not None and (
            pack != found.pack
            or offset - found.start - found.length > MAX_GAP
            or offset + length - found.start > MAX_SPAN
            or plain + size > MAX_SPAN
        ):
            yield found
            found = None
        if found is None:
            found, plain = Range(pack, offset, 0, []), 0
        found.blobs.append((id_, offset - found.start, length, size, codec))
        found.length = offset - found.start + length
        plain += size
    if found is not None:
        yield found
