"""In Python what the compiled module does."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Sequence
from typing import Any

from blake3 import blake3

WIDTH = 6
AT_ONCE = 250
MAKING = 6
"""Of each file that is made so many things are told."""
_PIECE = 256 << 10
_DEPTH = 256
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_MODE, _FOLDER_MODE = 0o1777, 0o7777


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


def make_files(
    root: int,
    rows: Sequence[Any],
    spool: int,
    past: int,  # noqa: ARG001
    stop: bytearray,
) -> tuple[list[int], int]:
    """As :data:`nuvo_jupyter.native.make_files`; all goes through the page cache."""
    orders = [rows[at : at + MAKING] for at in range(0, len(rows), MAKING)]
    for _, _, _, _, size, content in orders:
        if content is not None and size != (
            sum(content[1::2]) if isinstance(content, tuple) else len(content)
        ):
            raise ValueError("a content is not as long as its file")
    found: list[int] = []
    where, folder = None, -1
    try:
        for path, name, mode, mtime_ns, size, content in orders:
            try:
                if stop[0]:
                    raise _error(errno.ECANCELED)
                if path != where:
                    if folder >= 0:
                        os.close(folder)
                    where, folder = None, -1
                    folder = _open_folder(root, path)
                    where = path
                if "/" in name:
                    raise _error(errno.EINVAL)
                if content is None:
                    _make_folder(folder, name, mode)
                    found += (0, 0, 0, 0)
                else:
                    found += _make_file(folder, name, mode, mtime_ns, size, content, spool)
            except OSError as error:
                found += (error.errno or errno.EIO, 0, 0, 0)
    finally:
        if folder >= 0:
            os.close(folder)
    return found, 0


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _open_folder(root: int, path: str) -> int:
    names = path.split("/")
    if len(names) > _DEPTH:
        raise _error(errno.ELOOP)
    folder = os.dup(root)
    for name in names:
        try:
            if name in ("", ".", ".."):
                raise _error(errno.EINVAL)
            inner = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _make_folder(folder: int, name: str, mode: int) -> None:
    os.mkdir(name, mode, dir_fd=folder)
    try:
        made = os.open(name, _FOLDER_FLAGS, dir_fd=folder)
        try:
            if os.fstat(made).st_mode & _FOLDER_MODE != mode:
                os.fchmod(made, mode)
        finally:
            os.close(made)
    except BaseException:
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=folder)
        raise


def _make_file(
    folder: int, name: str, mode: int, mtime_ns: int, size: int, content: Any, spool: int
) -> tuple[int, int, int, int]:
    fd = os.open(name, _CREATE_FLAGS, mode, dir_fd=folder)
    try:
        try:
            if isinstance(content, tuple):
                _copy(spool, content, fd)
            else:
                _write(fd, memoryview(content))
            if mtime_ns:
                os.utime(fd, ns=(mtime_ns, mtime_ns))
            found = os.fstat(fd)
            if found.st_mode & _FILE_MODE != mode:
                # The user's mask, or the folder's own rules.
                os.fchmod(fd, mode)
                found = os.fstat(fd)
        finally:
            os.close(fd)
    except BaseException:
        # A disk that is full needs the space back for the next, smaller file.
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    is_as_put = stat.S_ISREG(found.st_mode) and found.st_size == size and found.st_mtime_ns == mtime_ns
    return 0, found.st_ctime_ns if is_as_put else 0, found.st_ino, found.st_mode


def _copy(spool: int, pieces: tuple[int, ...], fd: int) -> None:
    for start, length in zip(pieces[::2], pieces[1::2], strict=True):
        at, end = start, start + length
        while at < end:
            data = os.pread(spool, min(_PIECE, end - at), at)
            if not data:
                raise _error(errno.EIO)
            _write(fd, memoryview(data))
            at += len(data)


def _write(fd: int, data: memoryview) -> None:
    while data:
        data = data[os.write(fd, data) :]
