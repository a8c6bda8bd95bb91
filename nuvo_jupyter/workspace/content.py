"""Reading one file of a workspace as it stands at one moment, though others write meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

import msgspec

from nuvo_jupyter.model.nodes import BlobId
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.chunks import WHOLE_UP_TO
from nuvo_jupyter.workspace import database, duckdb_file
from nuvo_jupyter.workspace.rules import SAVING
from nuvo_jupyter.workspace.safe import look, open_file, read_whole
from nuvo_jupyter.workspace.scan import Fingerprint, fingerprint
from nuvo_jupyter.workspace.sink import Hashing, Sink

TRIES = 3
PATIENCE_SECONDS = 2.0
"""How long one capture waits, in all, for files that are being saved."""
STALE_SECONDS = 60.0
"""A ``.~name`` older than this was left behind by a server that died."""

CLOSER_LOOK = ((0, database.HEADER), (duckdb_file.MARK_AT, duckdb_file.MARK))
"""Where and what tells of files that others may be writing to though they look as they did."""

_POLL_SECONDS = 0.02
_READ_SIZE = 1 << 20


class Patience:
    """How much longer to wait for others: one budget for all files, so that nobody can hold us up for long."""

    def __init__(self, seconds: float | None = None) -> None:
        self.left = PATIENCE_SECONDS if seconds is None else seconds

    def until_saved(self, folder: int, name: str) -> bool:
        """Wait until jupyter_server has written a file; whether it has."""
        while is_being_saved(folder, name):
            if self.left <= 0:
                return False
            time.sleep(_POLL_SECONDS)
            self.left -= _POLL_SECONDS
        return True

    @contextlib.contextmanager
    def spent(self) -> Iterator[float]:
        """Lend what is left, in seconds, and take off what the block took."""
        begun = time.monotonic()
        yield max(self.left, 0.0)
        self.left -= time.monotonic() - begun


class Content(msgspec.Struct):
    """What a file held.

    Args:
        size: bytes.
        data: all of it where it is small (up to 1 MiB) and not in the sink yet; else ``None``.
        ids: its blobs where ``data`` is ``None``.
        seen: how the file looked when it had been read.
        steady: whether it stood still meanwhile.
        alone: whether ``seen`` tells all there is to know; not so for a database with a log beside it.
        in_use: whether a DuckDB process holds the file, so that reading it again would not help.
    """

    size: int
    data: bytes | None
    ids: tuple[BlobId, ...]
    seen: Fingerprint
    steady: bool = True
    alone: bool = True
    in_use: bool = False


class Reader:
    """Reads files for a capture.

    Args:
        sink: takes what is over 1 MiB.
        tick: called with the number of bytes after each piece; may raise to stop.
    """

    def __init__(self, sink: Sink, tick: Callable[[int], None] | None = None) -> None:
        self._sink = sink
        self._tick = tick
        self._patience = Patience()

    def read(self, folder: int, name: str, seen: Fingerprint | None = None, saving: bool = False) -> Content:
        """Read the regular file at a name in an open folder.

        Args:
            seen: how the walk saw it; ``None`` if it was not walked.
            saving: whether a ``.~name`` lay beside it.

        Raises:
            OSError: it is gone, unreadable or no regular file.
        """
        for attempt in range(TRIES):
            if saving:
                saving = not self._patience.until_saved(folder, name)
            content = self._once(folder, name, seen)
            if (content.steady and not saving) or content.in_use:
                return content
            seen = None
            saving = True
            if attempt == TRIES - 1:
                break
        content.steady = content.steady and not is_being_saved(folder, name)
        return content

    def _once(self, folder: int, name: str, seen: Fingerprint | None) -> Content:
        fd = open_file(folder, name)
        try:
            before = fingerprint(os.fstat(fd))
            if before.size <= WHOLE_UP_TO:
                data = read_whole(fd, before.size)
                if data.startswith(database.HEADER):
                    return self._database(folder, name)
                if len(data) <= WHOLE_UP_TO:
                    self._count(len(data))
                    return self._done(Content(len(data), data, (), before), fd, before, seen, data)
                os.lseek(fd, 0, os.SEEK_SET)
            else:
                data = os.pread(fd, len(database.HEADER), 0)
                if data == database.HEADER:
                    return self._database(folder, name)
            return self._done(self._large(fd, before), fd, before, seen, data)
        finally:
            os.close(fd)

    def _done(
        self, content: Content, fd: int, before: Fingerprint, seen: Fingerprint | None, head: bytes
    ) -> Content:
        content.seen = fingerprint(os.fstat(fd))
        content.steady = content.seen == before == (seen or before) and content.size == before.size
        if duckdb_file.is_one(head) and duckdb_file.is_held(fd):
            content.steady = content.alone = False
            content.in_use = True
        return content

    def _large(self, fd: int, before: Fingerprint) -> Content:
        size = 0

        def fill(room: memoryview) -> int:
            nonlocal size
            # One byte more than there was, so that it shows if the file has grown; no more, so that it ends.
            length = os.readv(fd, [room[: max(0, min(_READ_SIZE, before.size + 1 - size))]])
            size += length
            self._count(length)
            return length

        ids = self._sink.add_filled(fill)
        return Content(size, None, ids, before)

    def _database(self, folder: int, name: str) -> Content:
        with contextlib.ExitStack() as stack:
            with self._patience.spent() as seconds:
                image = stack.enter_context(database.steady(folder, name, seconds))
            if image is not None:
                status = look(folder, name)
                before = fingerprint(os.fstat(image))
                content = self._plain(image, before)
                content.steady = fingerprint(os.fstat(image)) == before and content.size == before.size
                content.seen = fingerprint(status or os.fstat(image))
                content.alone = content.seen == before and not database.in_use(folder, name)
                return content
        fd = open_file(folder, name)
        try:
            before = fingerprint(os.fstat(fd))
            content = self._plain(fd, before)
        finally:
            os.close(fd)
        content.steady = content.alone = False
        return content

    def _plain(self, fd: int, before: Fingerprint) -> Content:
        if before.size > WHOLE_UP_TO:
            return self._large(fd, before)
        data = read_whole(fd, before.size)
        self._count(len(data))
        if len(data) > WHOLE_UP_TO:
            return Content(len(data), None, self._sink.add_filled(chunks.filling([data])), before)
        return Content(len(data), data, (), before)

    def _count(self, size: int) -> None:
        if self._tick is not None:
            self._tick(size)


def is_being_saved(folder: int, name: str) -> bool:
    """Whether jupyter_server is writing the file in place (``jupyter_server.services.contents.fileio``)."""
    try:
        found = look(folder, SAVING + name)
    except OSError:
        return False
    return found is not None and time.time() - found.st_ctime < STALE_SECONDS


def content_ids(folder: int, name: str) -> tuple[int, tuple[BlobId, ...], Fingerprint]:
    """Size, blob ids and fingerprint of the file at a name in an open folder, as a capture would see them.

    Raises:
        OSError: it is gone, unreadable or no regular file.
    """
    content = Reader(Hashing()).read(folder, name)
    ids = (
        content.ids
        if content.data is None
        else tuple(Hashing().add_many([content.data] if content.data else []))
    )
    return content.size, ids, content.seen
