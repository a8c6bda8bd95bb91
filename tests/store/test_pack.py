"""Packs as bytes: what is read of them is what was written, or nothing."""

from __future__ import annotations

import pytest
from blake3 import blake3

from nuvo_jupyter.store.pack import ZSTD, Buffer, Compressor, unpack_many


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("left", [0, 1, 12])
def test_what_is_left_of_a_pack_that_was_cut_short_is_no_content(count: int, left: int) -> None:
    plain = [b"%d " % number * 100 for number in range(count)]
    ids = [blake3(data).digest() for data in plain]
    frames = [stored for stored, _ in Compressor().compress(plain)]
    blobs: list[tuple[Buffer, bytes, int, int]] = [
        (memoryview(frame)[:left], id_, len(data), ZSTD)
        for frame, id_, data in zip(frames, ids, plain, strict=True)
    ]
    assert unpack_many(blobs) == [None] * count
    # One that is whole is still had.
    blobs[-1] = (frames[-1], ids[-1], len(plain[-1]), ZSTD)
    assert unpack_many(blobs) == [None] * (count - 1) + [plain[-1]]
