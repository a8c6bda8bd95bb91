"""Writing one file's content, mode and time under a name nobody has yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.workspace.safe import READ_FLAGS


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
