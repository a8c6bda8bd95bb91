"""The innermost loops: listing folders, reading small files, hashing, making files. They go once through every file there is.

Written in C, because each costs a few microseconds of system time for a file and Python as much again, while it
holds the lock that all other threads of the server wait for. Where the module was not built (no compiler at the time), or
names are not UTF-8, the same in Python does the work (:mod:`.plain`); nothing else is different.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from nuvo_jupyter.native import plain

__all__ = ["IS_COMPILED", "Buffer", "Listed", "hash_many", "list_folder", "make_files", "read_files"]

Buffer = bytes | bytearray | memoryview
Listed = tuple[bytes, list[tuple[str, int]], list[tuple[str, int]]]
"""Rows as :mod:`nuvo_jupyter.workspace.record` has them; folders with their modes; names that could not be looked at, and the
numbers of the errors."""
_INTERFACE = 3
"""Of the module that is wanted; another number for each change of what its functions take, give or do."""

try:
    from nuvo_jupyter.native import _native
except ImportError:
    IS_COMPILED = False
else:
    # One that is left of an earlier checkout would be asked what it does not know.
    IS_COMPILED = getattr(_native, "INTERFACE", 0) == _INTERFACE and sys.getfilesystemencoding() == "utf-8"

list_folder: Callable[[int], Listed | None]
"""``(fd)``: what lies in an opened folder; ``None`` if that is to be found out in Python, as there are names that are no text.

Raises:
    OSError: it cannot be listed.
"""
read_files: Callable[
    [int, Sequence[str | int], list[int], int, bytearray, int, int, tuple[tuple[int, bytes], ...]],
    tuple[int, int, list[int]],
]
"""``(folder, rows, positions, first, room, used, flags, marks)``: read small files, one behind the other, into ``room``, from
``used`` on: those at ``positions[first:]`` of the decoded rows of an opened folder, until one does not fit or some hundreds are read.

Refused, for a closer look, is what cannot be read with these ``flags`` of ``open``, is not as its row says once it was read, or holds
one of the ``marks`` at its place. Returns which of the positions comes next, how much of the room is used, and what was refused."""
hash_many: Callable[[Sequence[Buffer]], list[bytes]]
"""``(datas)``: the BLAKE3 hashes of some buffers, 32 bytes each."""
make_files: Callable[[int, Sequence[Any], int, int, bytearray], tuple[list[int], int]]
"""``(root, rows, spool, past, stop)``: new files and folders in folders that nobody else looks into yet. Of each six things one after
the other: path of the folder it is to lie in, below ``root``, a descriptor, without escapes (it must be there; links are never followed);
its name; mode; modification time of a file in nanoseconds, 0 for whichever it gets; size in bytes; and the content: a buffer, pairs of
offset and length in ``spool``, a descriptor or -1, one pair after the other in a tuple, or ``None`` for a folder. From ``past`` bytes
on (0: never) what comes from ``spool`` is written past the page cache, where the file system is known to be good at it. Once the first
byte of ``stop`` is not 0, all that is left fails with ``ECANCELED``.

Returns of each four numbers, one after the other: the system's error, 0 if it was made; change time in nanoseconds, 0 unless
size and modification time are as they were to be; inode and mode; zeros for folders and what failed, of which nothing is left. And how
many bytes were written past the page cache.

Raises:
    ValueError: a content is not as long as its file is to be; nothing was made.
"""

if IS_COMPILED:
    _LARGE = 8192

    def _hash_many(datas: Sequence[Buffer]) -> list[bytes]:
        # What is large fills the library's vectors, which are longer.
        if sum(map(len, datas)) >= _LARGE * len(datas):
            return plain.hash_many(datas)
        return _native.hash_many(datas)

    list_folder, read_files, hash_many = _native.list_folder, _native.read_files, _hash_many
    make_files = _native.make_files
else:
    list_folder, read_files, hash_many = plain.list_folder, plain.read_files, plain.hash_many
    make_files = plain.make_files
