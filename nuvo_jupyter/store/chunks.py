"""How content is cut into blobs. The same bytes always give the same blobs, whichever way they come in.

Content-defined chunking as in "The Design of Fast Content-Defined Chunking" (Xia et al., IEEE TPDS 2020):
a change in the middle of a large file changes only the chunks around it. The constants are part of the
store's format: other ones would find nothing stored before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, cycle, pairwise

from blake3 import blake3

from nuvo_jupyter.store.pack import Buffer

WHOLE_UP_TO = 1 << 20
"""Content of up to this many bytes is one blob."""
MIN_CHUNK, AVERAGE_CHUNK, MAX_CHUNK = 256 << 10, 1 << 20, 4 << 20
WINDOW = 8 << 20
"""Bytes of a stream that are cut at once."""

Fill = Callable[[memoryview], int]
"""Puts the next bytes of a stream where it is told, as many as it likes, and says how many; none at its end."""


def cut(data: Buffer) -> list[memoryview]:
    """Cut complete content into the pieces that become blobs; nothing for empty content."""
    view = memoryview(data)
    if len(view) <= WHOLE_UP_TO:
        return [view] if len(view) else []
    return _chunks(view)


def behind_each_other(room: bytearray, sizes: Iterable[int]) -> list[memoryview]:
    """The parts of a room, from its beginning on, that have these sizes in bytes."""
    view = memoryview(room)
    ends = list(accumulate(sizes, initial=0))
    return [view[begin:end] for begin, end in pairwise(ends)]


def content_ids(data: Buffer) -> tuple[bytes, ...]:
    """The blob ids that content has or would have in the store."""
    return tuple(blake3(piece).digest() for piece in cut(data))


def filled(fill: Fill, room: Callable[[], bytearray]) -> Iterator[list[memoryview]]:
    """Cut a stream as :func:`cut` would cut all of it, where it was read to.

    Args:
        room: gives :data:`WINDOW` bytes to read the next window to: not those of the pieces given last.

    Yields:
        Lists of consecutive blobs, all in the same room.
    """
    view = memoryview(room())
    used = 0
    large = False
    while True:
        while used < WINDOW and (length := fill(view[used:])):
            used += length
        if used < WINDOW:
            break
        large = True
        pieces = _chunks(view)
        # It ends where the window ends, not where the content says so.
        rest = pieces.pop()
        view = memoryview(room())
        used = len(rest)
        view[:used] = rest
        yield pieces
    if used:
        yield _chunks(view[:used]) if large else cut(view[:used])


def two_rooms() -> Callable[[], bytearray]:
    """Rooms for :func:`filled`, in turn, where pieces are done with before the next are asked for."""
    return cycle((bytearray(WINDOW), bytearray(WINDOW))).__next__


def windows(stream: Iterable[Buffer]) -> Iterator[list[memoryview]]:
    """Cut a stream of any piece sizes; each list, and what is in it, is only valid until the next is asked for."""
    return filled(filling(stream), two_rooms())


def filling(stream: Iterable[Buffer]) -> Fill:
    """A stream of pieces of any sizes, to be read as :func:`filled` does."""
    pieces = iter(stream)
    rest = memoryview(b"")

    def fill(room: memoryview) -> int:
        nonlocal rest
        while not rest:
            piece = next(pieces, None)
            if piece is None:
                return 0
            rest = memoryview(piece)
        length = min(len(rest), len(room))
        room[:length] = rest[:length]
        rest = rest[length:]
        return length

    return fill


def _chunks(view: memoryview) -> list[memoryview]:
    from pyfastcdc import FastCDC

    cutter = FastCDC(AVERAGE_CHUNK, min_size=MIN_CHUNK, max_size=MAX_CHUNK, normalized_chunking=1, seed=0)
    pieces = []
    for chunk in cutter.cut_buf(view):
        pieces.append(view[chunk.offset : chunk.offset + chunk.length])
    return pieces
