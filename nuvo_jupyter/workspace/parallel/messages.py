"""What is said between the process that leads the work and those that share it."""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgspec

from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.store.ranges import Range

_LENGTH = struct.Struct("=I")

FileToMake = tuple[str, int, int, int, bytes]
"""Name as path text, mode, modification time in nanoseconds, size in bytes, id of the blob it holds; no id for an empty one."""

Seen = tuple[int, int, int]
"""How a file looks: change time in nanoseconds, inode, mode."""


@inspected
class Make(msgspec.Struct, array_like=True, gc=False):
    """Files to be made in folders that are there.

    Args:
        packs: by path of a pack's file what is to be read of it.
        folders: path text of each folder, below the workspace's, with the files to be made in it.
    """

    packs: dict[str, list[Range]]
    folders: list[tuple[str, list[FileToMake]]]


@inspected
class Made(msgspec.Struct, array_like=True, gc=False):
    """What came of it.

    Args:
        files: of each, in their order: how it looks, where no change to it can go unseen, or else ``None``; what went wrong;
            ``False`` if its content could not be had.
        count: how many were made.
        size: bytes of those.
    """

    files: list[bool | str | Seen | None]
    count: int
    size: int


def framed(message: Any) -> bytes:
    """A message as it is sent."""
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def receive(channel: socket.socket) -> bytes | None:
    """The next message as it was sent; ``None`` when there are no more.

    Raises:
        OSError: the other end has broken off.
    """
    head = _exactly(channel, _LENGTH.size)
    return None if head is None else _exactly(channel, _LENGTH.unpack(head)[0])


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            return None
        data += part
    return bytes(data)
