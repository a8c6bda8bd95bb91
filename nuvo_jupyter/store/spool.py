"""Plain, verified content kept while it goes to one target after another: read and decompressed once."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import threading
import weakref
from pathlib import Path

LIMIT = 512 << 20
"""Bytes kept at most."""
SHARE = 8
"""At most this part of the free disk is taken: what is delivered needs it more."""

_PIECE = 1 << 20
_UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK, errno.EOPNOTSUPP)


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
        with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder) as file:
            found = os.statvfs(file.fileno())
            self._room = min(limit, found.f_bavail * found.f_frsize // SHARE)
            self._fd = os.dup(file.fileno())
            # Not before the last thread has let go: it may still copy.
            weakref.finalize(self, os.close, self._fd)

    def put(self, id_: bytes, data: bytes) -> None:
        """Keep the verified content of a blob, if there is room."""
        if self._fd < 0:
            return
        with self._lock:
            if id_ in self._places or self._end + len(data) > self._room:
                return
            start = self._end
            self._end += len(data)
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

    def copy(self, id_: bytes, descriptor: int) -> int:
        """Append a content that is kept to an open file; returns its size in bytes.

        Raises:
            OSError: it cannot be written.
        """
        start, size = self._places[id_]
        end, at = start + size, start
        while at < end:
            copied = _copy(self._fd, at, end - at, descriptor)
            if not copied:
                break
            at += copied
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


def _copy(source: int, at: int, size: int, target: int) -> int:
    try:
        return os.sendfile(target, source, at, size)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    return os.write(target, os.pread(source, min(size, _PIECE), at))
