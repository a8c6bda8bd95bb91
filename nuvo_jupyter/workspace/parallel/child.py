"""A process that makes files: reads their contents from packs, verifies and writes them.

It is told what by the process that started it, which makes the folders, and ends with it. What it cannot do it says;
nothing it makes is visible to anybody yet.
"""

from __future__ import annotations

import os
import signal
import socket

import msgspec

from nuvo_jupyter.model.paths import to_name
from nuvo_jupyter.store.pack import unpack
from nuvo_jupyter.store.ranges import Range
from nuvo_jupyter.workspace.parallel.messages import FileToMake, Made, Make, Seen, framed, receive
from nuvo_jupyter.workspace.problems import explain
from nuvo_jupyter.workspace.safe import Descent, Root
from nuvo_jupyter.workspace.scan import FILE_MODE, is_as_put
from nuvo_jupyter.workspace.writing import Maker

Stored = tuple[memoryview, int, int]
"""A blob as it is stored, the size of its plain bytes, and its codec."""


class Orphaned(Exception):
    """Whoever gave the work is no more; somebody else may be doing it again."""


def main(descriptor: int, parent: int) -> None:
    """Do what is asked for until nobody asks any more.

    Args:
        descriptor: of a connected socket; the first byte that comes along it brings the workspace's descriptor.
        parent: process that asks; without it nothing is done any more.
    """
    # Whoever presses Ctrl-C means the process that leads the work, and that ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=descriptor)
    try:
        _, (root, *_), _, _ = socket.recv_fds(channel, 1, 1)
        with Descent(Root.adopted(root)) as descent:
            making = Making(descent, parent)
            while (message := receive(channel)) is not None:
                channel.sendall(framed(making.make(msgspec.msgpack.decode(message, type=Make))))
    except (OSError, ValueError, Orphaned):
        # Nobody is left to be told.
        pass
    # What is held is given back by the system, sooner.
    os._exit(0)


class Making:
    """Makes files in the folders of one workspace.

    Args:
        descent: into it.
        parent: process without which nothing is to be made.
    """

    def __init__(self, descent: Descent, parent: int) -> None:
        self._descent = descent
        self._parent = parent
        self._maker = Maker()

    def make(self, order: Make) -> Made:
        """Make files.

        Raises:
            Orphaned: the parent has died; the rest was not made.
        """
        stored: dict[bytes, Stored] = {}
        for path, ranges in order.packs.items():
            _read(path, ranges, stored)
        made = Made([], 0, 0)
        for folder, files in order.folders:
            try:
                descriptor = self._descent.at(folder)
            except OSError as error:
                made.files += [explain(error)] * len(files)
                continue
            for file in files:
                if os.getppid() != self._parent:
                    raise Orphaned
                made.files.append(self._one(descriptor, file, stored, made))
        return made

    def _one(
        self, folder: int, file: FileToMake, stored: dict[bytes, Stored], made: Made
    ) -> bool | str | Seen | None:
        name, mode, mtime_ns, size, id_ = file
        data: bytes | None = b""
        if id_:
            place = stored.get(id_)
            # One by one, right before it is written: what is written is still in the processor's cache.
            data = None if place is None else unpack(place[0], id_, place[1], place[2])
        if data is None:
            return False
        try:
            status = self._maker.make(folder, to_name(name), mode & FILE_MODE, mtime_ns, size, data)
        except Exception as error:
            return explain(error)
        made.count += 1
        made.size += size
        if is_as_put(status, size, mtime_ns):
            return status.st_ctime_ns, status.st_ino, status.st_mode
        return None


def _read(path: str, ranges: list[Range], stored: dict[bytes, Stored]) -> None:
    """Read blobs as they are stored; those that cannot be had are left out, and the leading process looks closer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for some in ranges:
            data = memoryview(os.pread(descriptor, some.length, some.start))
            for id_, at, length, size, codec in some.blobs:
                stored[id_] = data[at : at + length], size, codec
    except OSError:
        return
    finally:
        os.close(descriptor)
