"""The pack format: many blobs in one immutable file that ends in its own index (docs/store-format.md).

Pure: bytes in, bytes out.
"""

from __future__ import annotations

import os
import struct
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec
import zstandard
from blake3 import blake3

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.store import BlobEntry
from nuvo_jupyter.native import hash_many

Buffer = bytes | bytearray | memoryview

CONTENT, TREE, MANIFEST = 0, 1, 2
PLAIN, ZSTD = 0, 1

VERSION = 1
MAGIC = b"nuvopack"
END = b"kcapovun"
HEADER = struct.Struct("<8sI4x16s")
FOOTER = struct.Struct("<Q32s8s")

TARGET_SIZE = 16 << 20
"""A pack is sealed once it holds this many bytes."""
MAX_BLOBS = 100_000
"""… or this many blobs, so that its index stays small."""
MAX_BLOB = 1 << 30
"""Largest plain blob in bytes. Content is cut far below it; a folder's tree or a manifest can grow."""
MAX_INDEX = 64 << 20
SMALLEST = 64
"""Blobs of fewer bytes are not compressed."""
# Level 1, but looking for matches of seven bytes in a larger table: a tenth faster, and no larger.
_PARAMETERS = zstandard.ZstdCompressionParameters(
    compression_level=1,
    strategy=zstandard.STRATEGY_FAST,
    window_log=20,
    hash_log=14,
    chain_log=6,
    search_log=1,
    min_match=7,
)
SMALL = 8192
"""Blobs smaller than this on average, in bytes, are decompressed together: each alone would wait for the interpreter."""
THREADS = max(1, min(4, os.cpu_count() or 1))


class Packed(NamedTuple):
    """Blobs as they are to be stored: what lies one behind the other, and for each: id, stored and plain bytes, codec, kind."""

    pieces: Sequence[Buffer]
    ids: Sequence[bytes]
    lengths: Sequence[int]
    sizes: Sequence[int]
    codecs: Sequence[int]
    kinds: Sequence[int]


class Entries:
    """What is in a pack, by offset; in columns, because there are many."""

    def __init__(self) -> None:
        self._ids: list[bytes] = []
        self._lengths, self._sizes = array("Q"), array("Q")
        self._codecs, self._kinds = bytearray(), bytearray()

    def extend(self, packed: Packed) -> None:
        """Add blobs that lie behind those before."""
        self._ids.extend(packed.ids)
        self._lengths.extend(packed.lengths)
        self._sizes.extend(packed.sizes)
        self._codecs.extend(packed.codecs)
        self._kinds.extend(packed.kinds)

    def encoded(self) -> bytes:
        """The index of the pack."""
        return msgspec.msgpack.encode(
            list(zip(self._ids, self._lengths, self._sizes, self._codecs, self._kinds, strict=True))
        )

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[BlobEntry]:
        starts = accumulate(self._lengths, initial=HEADER.size)
        return map(BlobEntry, self._ids, starts, self._lengths, self._sizes, self._codecs, self._kinds)


class Pack(NamedTuple):
    """A finished pack: its name (32 bytes, the BLAKE3 hash of ``data``), bytes and entries."""

    name: bytes
    data: Buffer
    entries: Entries


def header() -> bytes:
    """How a new pack begins."""
    # The nonce makes every pack's name new: content written again after a repair can never be
    # taken for a damaged pack that still lies there.
    return HEADER.pack(MAGIC, VERSION, os.urandom(16))


def ending(entries: Entries) -> bytes:
    """How a pack with these blobs ends: index and footer."""
    index = entries.encoded()
    return index + FOOTER.pack(len(index), blake3(index).digest(), END)


class PackBuilder:
    """Puts stored blobs together in memory and seals them into a :class:`Pack`."""

    def __init__(self) -> None:
        self._data = bytearray(header())
        self._entries = Entries()

    def append(self, id_: bytes, stored: Buffer, size: int, codec: int, kind: int) -> None:
        """Add one blob as it is to be stored; ``size`` is that of its plain bytes."""
        self._data += stored
        self._entries.extend(Packed([stored], [id_], [len(stored)], [size], [codec], [kind]))

    @property
    def is_full(self) -> bool:
        """Whether it is time to seal."""
        return len(self._data) >= TARGET_SIZE or len(self._entries) >= MAX_BLOBS

    def __len__(self) -> int:
        return len(self._entries)

    def seal(self) -> Pack:
        """Write index and footer; the builder must not be used afterwards."""
        self._data += ending(self._entries)
        return Pack(blake3(self._data).digest(), self._data, self._entries)


class Compressor:
    """zstd for the threads of one writer."""

    def __init__(self) -> None:
        self._local = threading.local()

    def compress(self, datas: Sequence[Buffer]) -> list[tuple[Buffer, int]]:
        """The bytes to store for each blob, and their codec."""
        try:
            zstd = self._local.zstd
        except AttributeError:
            zstd = self._local.zstd = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
        # zstd's batch call takes no empty input, and nothing is gained on a few bytes.
        large = [data for data in datas if len(data) >= SMALLEST]
        if len(large) == 1:
            frames = iter((zstd.compress(large[0]),))
        else:
            # Threads of ours, each with batches of its own, share the work better than the library's do.
            frames = iter(zstd.multi_compress_to_buffer(large, threads=1) if large else ())
        stored: list[tuple[Buffer, int]] = []
        for data in datas:
            size = len(data)
            if size >= SMALLEST:
                small = next(frames)
                # Less than one sixteenth saved does not pay for decompressing at every read.
                if len(small) + (size >> 4) < size:
                    stored.append((small, ZSTD))
                    continue
            stored.append((data, PLAIN))
        return stored


def path_of(name: bytes) -> str:
    """Where a pack lies in the store: ``packs/ab/abcdef…``."""
    text = name.hex()
    return f"packs/{text[:2]}/{text}"


def name_of(path: str) -> bytes | None:
    """The pack name in a path of the store; ``None`` if it is no pack's path."""
    text = path.rpartition("/")[2]
    try:
        name = bytes.fromhex(text)
    except ValueError:
        return None
    return name if len(name) == 32 and path_of(name) == path else None


def read_entries(fetch: Callable[[int, int], bytes], size: int, name: bytes) -> list[BlobEntry]:
    """Read the index of a pack.

    Args:
        fetch: reads ``(offset, length)`` of the pack.
        size: of the whole pack in bytes.

    Raises:
        StoreDamaged: it is no pack of this version, or is truncated or altered.
    """
    if size < HEADER.size + FOOTER.size:
        raise _damaged(name, f"it is only {size} bytes long")
    header = fetch(0, HEADER.size)
    if len(header) != HEADER.size:
        raise _damaged(name, "it is truncated")
    magic, version, _nonce = HEADER.unpack(header)
    if magic != MAGIC:
        raise _damaged(name, "it does not begin like a pack")
    if version != VERSION:
        raise _damaged(name, f"it has format version {version}, which this version of Nuvo does not know")
    footer = fetch(size - FOOTER.size, FOOTER.size)
    if len(footer) != FOOTER.size:
        raise _damaged(name, "it is truncated")
    length, digest, end = FOOTER.unpack(footer)
    start = size - FOOTER.size - length
    if end != END or start < HEADER.size or length > MAX_INDEX:
        raise _damaged(name, "it is truncated or its end was altered")
    index = fetch(start, length)
    if blake3(index).digest() != digest:
        raise _damaged(name, "its index does not have the hash it should have")
    try:
        raw = msgspec.msgpack.decode(index, type=list[tuple[bytes, int, int, int, int]])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _damaged(name, "its index cannot be read") from error
    offset = HEADER.size
    entries = []
    for id_, stored, plain, codec, kind in raw:
        if len(id_) != 32 or not 0 <= stored <= start - offset or not 0 <= plain <= MAX_BLOB:
            raise _damaged(name, "its index contradicts itself")
        entries.append(BlobEntry(id_, offset, stored, plain, codec, kind))
        offset += stored
    if offset != start:
        raise _damaged(name, "its index does not cover all of it")
    return entries


_local = threading.local()


def _decompressor() -> zstandard.ZstdDecompressor:
    try:
        return _local.decompressor  # type: ignore[no-any-return]
    except AttributeError:
        _local.decompressor = zstandard.ZstdDecompressor()
        return _local.decompressor  # type: ignore[no-any-return]


def unpack(stored: Buffer, id_: bytes, size: int, codec: int) -> bytes | None:
    """The plain bytes of one blob, verified; ``None`` if they are not what the id and size say."""
    if codec == PLAIN:
        data = bytes(stored)
    elif codec == ZSTD:
        try:
            # The frame's own claim is checked first: it decides how much memory is taken.
            if zstandard.frame_content_size(stored) != size:
                return None
            data = _decompressor().decompress(stored)
        except zstandard.ZstdError:
            return None
    else:
        return None
    return data if len(data) == size and blake3(data).digest() == id_ else None


def unpack_many(
    blobs: Sequence[tuple[Buffer, bytes, int, int]], threads: int = THREADS
) -> list[bytes | None]:
    """:func:`unpack` for many ``(stored, id, size, codec)`` at once, several threads decompressing small ones."""
    frames = [index for index, (_, _, _, codec) in enumerate(blobs) if codec == ZSTD]
    if sum(blobs[index][2] for index in frames) >= len(frames) * SMALL:
        return [unpack(*item) for item in blobs]
    try:
        plain = _decompressor().multi_decompress_to_buffer(
            [blobs[index][0] for index in frames],
            decompressed_sizes=struct.pack(f"={len(frames)}Q", *(blobs[index][2] for index in frames)),
            threads=threads,
        )
    except (zstandard.ZstdError, ValueError):
        # Some are no frames; where nothing at all is left of any, it is another error. Each alone says which.
        return [unpack(*item) for item in blobs]
    result: list[bytes | None] = [None] * len(blobs)
    datas = [segment.tobytes() for segment in plain]  # type: ignore[attr-defined]
    for index, data, digest in zip(frames, datas, hash_many(datas), strict=True):
        if digest == blobs[index][1]:
            result[index] = data
    for index, item in enumerate(blobs):
        if item[3] != ZSTD:
            result[index] = unpack(*item)
    return result


def _damaged(name: bytes, what: str) -> StoreDamaged:
    return StoreDamaged(f"Pack {name.hex()} is damaged: {what}.")
