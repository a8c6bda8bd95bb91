"""Plain, verified content kept while it goes to one target after another: read and decompressed once."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

LIMIT = 512 << 20
"""Bytes kept at most."""
SHARE = 8
"""At most this part of the free disk is taken: what is delivered needs it more."""

_BLOCK = 4096
"""Contents begin at multiples of this in the file, so that whole pages of it can be handed on as they are."""
_PIECE = 256 << 10
"""Bytes copied at once; they stay in the processor's cache between being read and being written. Written from a map of
the file they cost 1.5 to 3 times as much: where a page is not mapped yet, Linux zeroes the new ones, and begins again."""


class Spool:
    """Contents by blob id in a file without a name, which is gone with the process. Safe to use from several threads.

    Only ever a help: where it cannot take or give something, it says so, and the store is read.

    Args:
        folder: where the file lies; private to its owner.
        limit: bytes kept at most.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self._places: dict[bytes, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._end = 0
        self._room = 0
        self._fd = -1
        self._local = threading.local()
        with contextlib.suppress(OSError, ValueError), tempfile.TemporaryFile(dir=folder) as file:
            found = os.statvfs(file.fileno())
            room = min(limit, found.f_bavail * found.f_frsize // SHARE)
            self._fd = os.dup(file.fileno())
            # Not before the last thread has let go: it may still copy.
            weakref.finalize(self, os.close, self._fd)
            self._room = room

    def put(self, id_: bytes, data: bytes) -> None:
        """Keep the verified content of a blob, if there is room."""
        if self._fd < 0:
            return
        with self._lock:
            if id_ in self._places or self._end + len(data) > self._room:
                return
            start = self._end
            self._end += -(-len(data) // _BLOCK) * _BLOCK
        try:
            complete = os.pwrite(self._fd, data, start) == len(data)
        except OSError:
            complete = False
        if complete:
            self._places[id_] = (start, len(data))
        else:
            self._room = 0

    def __contains__(self, id_: bytes) -> bool:
        return id_ in self._places

    @property
    def descriptor(self) -> int:
        """Of the file; -1 where there is none. Open as long as this object."""
        return self._fd

    def pieces(self, ids: Sequence[bytes]) -> tuple[int, ...] | None:
        """Where contents lie in the file: offset and length of each, one after the other; ``None`` unless it keeps all of them."""
        found: list[int] = []
        for id_ in ids:
            place = self._places.get(id_)
            if place is None:
                return None
            found += place
        return tuple(found)

    def copy(self, id_: bytes, descriptor: int) -> int:
        """Append a content that is kept to an open file; returns its size in bytes.

        Raises:
            OSError: it cannot be written.
        """
        start, size = self._places[id_]
        try:
            buffer = self._local.buffer
        except AttributeError:
            buffer = self._local.buffer = memoryview(bytearray(_PIECE))
        at, end = start, start + size
        while at < end:
            found = os.preadv(self._fd, [buffer[: end - at]], at)
            if not found:
                break
            written = 0
            while written < found:
                written += os.write(descriptor, buffer[written:found])
            at += found
        return at - start


class Spools:
    """The spool of the distribution that is being delivered. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._distribution: int | None = None
        self._spool: Spool | None = None

    def of(self, distribution: int, folder: Path) -> Spool | None:
        """A distribution's spool; ``None`` at the first of its deliveries, which may be the only one.

        Args:
            distribution: its id.
            folder: where a file for it can lie; private to its owner.
        """
        with self._lock:
            if distribution != self._distribution:
                self._distribution, self._spool = distribution, None
                return None
            if self._spool is None:
                self._spool = Spool(folder)
            return self._spool

    def clear(self) -> None:
        """Let go of it: nothing is being delivered any more."""
        with self._lock:
            self._distribution, self._spool = None, None
