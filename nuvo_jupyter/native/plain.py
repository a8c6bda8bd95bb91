"""In Python what the compiled module does."""

from __future__ import annotations

import os
from collections.abc import Sequence

from blake3 import blake3

WIDTH = 6
AT_ONCE = 250


def list_folder(fd: int) -> None:
    """Leaves it to whoever asks."""


def read_files(
    folder: int,
    rows: Sequence[str | int],
    positions: list[int],
    first: int,
    room: bytearray,
    used: int,
    flags: int,
    marks: tuple[tuple[int, bytes], ...],
) -> tuple[int, int, list[int]]:
    """As :data:`nuvo_jupyter.native.read_files`."""
    refused = []
    with memoryview(room) as view:
        for at in positions[first : first + AT_ONCE]:
            name, size, *seen = rows[at * WIDTH : (at + 1) * WIDTH]
            assert isinstance(name, str)
            assert isinstance(size, int)
            if not 0 <= size <= len(room) - used:
                break
            with view[used : used + size] as part:
                if _read_file(folder, name, part, seen, flags, marks):
                    used += size
                else:
                    refused.append(at)
            first += 1
    return first, used, refused


def _read_file(
    folder: int,
    name: str,
    part: memoryview,
    seen: list[str | int],
    flags: int,
    marks: tuple[tuple[int, bytes], ...],
) -> bool:
    if name[0] == "\0":
        return False
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except OSError:
        return False
    try:
        got = os.readv(fd, [part, bytearray(1)])
        found = os.fstat(fd)
    except OSError:
        return False
    finally:
        os.close(fd)
    return (
        got == len(part) == found.st_size
        and [found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode] == seen
        and not any(part[at : at + len(text)] == text for at, text in marks)
    )


def hash_many(datas: Sequence[bytes | bytearray | memoryview]) -> list[bytes]:
    """As :data:`nuvo_jupyter.native.hash_many`."""
    return [blake3(data).digest() for data in datas]
