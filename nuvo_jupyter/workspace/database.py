"""SQLite databases: files that only make sense together with what SQLite keeps beside them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from urllib.parse import quote

from nuvo_jupyter.workspace.safe import look, open_file

HEADER = b"SQLite format 3\0"
"""First bytes of every SQLite database (https://sqlite.org/fileformat2.html#the_database_header)."""
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database while it is used."""
BELONGS = "belongs to the SQLite database beside it, which was copied whole"


def is_database(folder: int, name: str) -> bool:
    """Whether the file at a name in an open folder is an SQLite database."""
    try:
        fd = open_file(folder, name)
    except OSError:
        return False
    try:
        return os.pread(fd, len(HEADER), 0) == HEADER
    except OSError:
        return False
    finally:
        os.close(fd)


def base_of(name: str) -> str | None:
    """The database's name if ``name`` is one that a companion of a database has."""
    for ending in COMPANIONS:
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return None


def in_use(folder: int, name: str) -> bool:
    """Whether a database has a log or journal beside it that holds something."""
    for ending in ("-wal", "-journal"):
        try:
            found = look(folder, name + ending)
        except OSError:
            continue
        if found is not None and found.st_size > 0:
            return True
    return False


@contextlib.contextmanager
def steady(folder: int, name: str, seconds: float) -> Iterator[int | None]:
    """Lend a descriptor from which a database can be read as one consistent image.

    Without a write-ahead log the file itself is the image, read under SQLite's shared lock; with one, SQLite's
    backup API (https://sqlite.org/backup.html) writes log and file together into a temporary file.
    Lends ``None`` if the database is locked for longer than ``seconds``, or broken.
    """
    with contextlib.ExitStack() as stack:
        try:
            fd = _image(folder, name, seconds, stack)
        except (sqlite3.Error, OSError):
            fd = None
        yield fd


def _image(folder: int, name: str, seconds: float, stack: contextlib.ExitStack) -> int:
    # Closing any descriptor of the file drops this process's locks on it, so this one is closed last.
    plain = open_file(folder, name)
    stack.callback(os.close, plain)
    write_ahead = os.pread(plain, 2, 18) == b"\x02\x02"
    if write_ahead and not in_use(folder, name):
        # SQLite would create a log and its index beside the file, only to read the file.
        return plain
    uri = f"file:{quote(os.fsencode(os.path.join(_path_of(folder), name)))}?mode=ro"
    live = sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None)
    stack.callback(live.close)
    if not write_ahead:
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return plain
    temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="nuvo-"))
    copy = os.path.join(temporary, "image")
    target = sqlite3.connect(copy)
    try:
        live.backup(target)
    finally:
        target.close()
    image = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
    stack.callback(os.close, image)
    return image


def _path_of(folder: int) -> str:
    """A path SQLite can reach an open folder by."""
    if sys.platform == "darwin":
        found: bytes = fcntl.fcntl(folder, fcntl.F_GETPATH, bytes(1024))
        return os.fsdecode(found.rstrip(b"\0"))
    return f"/proc/self/fd/{folder}"
