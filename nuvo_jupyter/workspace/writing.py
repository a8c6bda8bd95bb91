"""Writing one file's content, mode and time under a name nobody has yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.workspace.safe import CREATE_FLAGS, READ_FLAGS
from nuvo_jupyter.workspace.scan import FILE_MODE


class Maker:
    """Makes files that nobody sees yet; remembers which modes have to be set because of the user's mask."""

    def __init__(self) -> None:
        self._unlike: set[int] = set()

    def make(
        self,
        folder: int,
        name: str,
        mode: int,
        mtime_ns: int,
        size: int,
        content: Buffer | Callable[[int], int],
    ) -> os.stat_result:
        """Make one file in an open folder; returns how it looks. Where it fails, no file is left.

        Args:
            name: as the operating system spells it; nobody has it yet.
            mode: its permission bits.
            mtime_ns: its modification time in nanoseconds; 0 for whichever it gets.
            size: bytes it is to have.
            content: what it is to hold, or what writes that to a descriptor and returns its size in bytes.

        Raises:
            StoreDamaged: it is not as long as it should be.
            OSError: as ``open`` and ``write`` do.
        """
        fd = os.open(name, CREATE_FLAGS, mode, dir_fd=folder)
        try:
            if callable(content):
                written = content(fd)
            else:
                written = os.write(fd, content) if content else 0
                if written != len(content):
                    written += write(memoryview(content)[written:], fd)
            if written != size:
                raise wrong_size(written, size)
            if mode in self._unlike:
                os.fchmod(fd, mode)
            if mtime_ns:
                os.utime(fd, ns=(mtime_ns, mtime_ns))
            status = os.fstat(fd)
            if status.st_mode & FILE_MODE != mode:
                # The user's mask, or the folder's own rules.
                self._unlike.add(mode)
                os.fchmod(fd, mode)
                status = os.fstat(fd)
        except BaseException:
            # A disk that is full needs the space back for the next, smaller object.
            os.unlink(name, dir_fd=folder)
            raise
        finally:
            os.close(fd)
        return status


def pour(pieces: Iterable[Buffer], fd: int, stop: Callable[[], None]) -> int:
    """Write contents one after another to an open file; returns their size in bytes.

    Args:
        stop: asked after each; raises to stop.
    """
    size = 0
    for piece in pieces:
        size += write(piece, fd)
        stop()
    return size


def write(data: Buffer, fd: int) -> int:
    """Write a content to an open file; returns its size in bytes."""
    size = len(data)
    written = os.write(fd, data) if size else 0
    while written < size:
        written += os.write(fd, memoryview(data)[written:])
    return size


def copy(spool: Spool, node: Node, fd: int, stop: Callable[[], None]) -> int:
    """Write to an open file what the spool keeps of a node; returns its size in bytes."""
    size = 0
    for id_ in node.content:
        size += spool.copy(id_, fd)
        stop()
    return size


def sync_file(folder: int, name: str) -> None:
    """Make one file durable, where its file system cannot be synced as a whole."""
    try:
        fd = os.open(name, READ_FLAGS, dir_fd=folder)
    except PermissionError:
        # Not readable even for its owner (mode 0o000); it is synced with the folder, or at the next sync.
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def wrong_size(found: int, wanted: int) -> StoreDamaged:
    """What is said of content that is not as long as its node says."""
    return StoreDamaged(f"The stored content has {found} bytes where {wanted} belong.")
