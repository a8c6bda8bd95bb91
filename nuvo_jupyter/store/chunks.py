"""How content is cut into blobs. The same bytes always give the same blobs, whichever way they come in.

Content-defined chunking as in "The Design of Fast Content-Defined Chunking" (Xia et al., IEEE TPDS 2020):
a change in the middle of a large file changes only the chunks around it. The constants are part of the
store's format: other ones would find nothing stored before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blake3 import blake3

from nuvo_jupyter.store.pack import Buffer

WHOLE_UP_TO = 1 << 20
"""Content of up to this many bytes is one blob."""
MIN_CHUNK, AVERAGE_CHUNK, MAX_CHUNK = 256 << 10, 1 << 20, 4 << 20
WINDOW = 8 << 20
"""Bytes of a stream that are held at once."""


def cut(data: Buffer) -> list[memoryview]:
    """Cut complete content into the pieces that become blobs; nothing for empty content."""
    view = memoryview(data)
    if len(view) <= WHOLE_UP_TO:
        return [view] if len(view) else []
    return _chunks(view)


def content_ids(data: Buffer) -> tuple[bytes, ...]:
    """The blob ids that content has or would have in the store."""
    return tuple(blake3(piece).digest() for piece in cut(data))


def windows(stream: Iterable[Buffer], room: bytearray | None = None) -> Iterator[list[memoryview]]:
    """Cut a stream of any piece sizes as :func:`cut` would cut all of it, holding one window.

    Args:
        room: for the window; used again for one stream after the other, it saves taking fresh memory.

    Yields:
        Lists of consecutive blobs; each list, and what is in it, is only valid until the next is asked for.
    """
    held = bytearray() if room is None else room
    used = 0
    large = False
    for piece in stream:
        rest = memoryview(piece)
        while rest:
            part = rest[: WINDOW - used]
            rest = rest[len(part) :]
            end = used + len(part)
            if end > len(held):
                # Only before the first list was given: then it has its full size.
                del held[used:]
                held += part
            else:
                held[used:end] = part
            used = end
            if used == WINDOW:
                large = True
                view = memoryview(held)[:used]
                pieces = _chunks(view)
                # The last one ends where the window ends, not where the content says so.
                done = sum(map(len, pieces[:-1]))
                yield pieces[:-1]
                pieces.clear()
                used -= done
                view[:used] = view[done:]
    if used:
        view = memoryview(held)[:used]
        yield _chunks(view) if large else cut(view)


def _chunks(view: memoryview) -> list[memoryview]:
    from pyfastcdc import FastCDC

    cutter = FastCDC(AVERAGE_CHUNK, min_size=MIN_CHUNK, max_size=MAX_CHUNK, normalized_chunking=1, seed=0)
    pieces = []
    for chunk in cutter.cut_buf(view):
        pieces.append(view[chunk.offset : chunk.offset + chunk.length])
    return pieces
