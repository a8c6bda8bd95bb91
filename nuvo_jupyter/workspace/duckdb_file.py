"""DuckDB database files: whether a process has one open, whose last changes may lie in memory or in the log beside it.

While a process writes to a database it holds a lock on the whole file, and no other can open it; so a capture copies
file and log (``….wal``) as they lie and says that they were in use.
"""

from __future__ import annotations

import fcntl
import struct
import sys

MARK, MARK_AT = b"DUCK", 8
"""What every DuckDB file holds behind its first checksum (https://duckdb.org/docs/stable/internals/storage)."""

# struct flock of fcntl(2): Linux on 64 bits, and macOS.
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi4x"


def is_one(head: bytes) -> bool:
    """Whether a file that begins so is a DuckDB database."""
    return head[MARK_AT : MARK_AT + len(MARK)] == MARK


def is_held(fd: int) -> bool:
    """Whether another process holds a lock for writing on an open file."""
    wanted = (0, 0, 0, fcntl.F_RDLCK, 0) if sys.platform == "darwin" else (fcntl.F_RDLCK, 0, 0, 0, 0)
    try:
        found = fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *wanted))
    except OSError:
        return False
    kind = struct.unpack(_FLOCK, found)[3 if sys.platform == "darwin" else 0]
    return bool(kind == fcntl.F_WRLCK)
