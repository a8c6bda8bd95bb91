"""What SQLite keeps beside a database, moved out of the way while the database is replaced or removed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from nuvo_jupyter.workspace import database
from nuvo_jupyter.workspace.safe import look
from nuvo_jupyter.workspace.syscalls import rename_new
from nuvo_jupyter.workspace.temporaries import Names


@contextlib.contextmanager
def set_aside(folder: int, name: str, status: os.stat_result, names: Names) -> Iterator[Companions]:
    """Move a database's companions away; what was not cleared away when the block ends is put back.

    Args:
        folder: descriptor of the open folder.
        name: of the file, as the operating system spells it.
        status: what ``stat`` said of it; only regular files have companions.
        names: for temporaries.
    """
    companions = Companions(folder, name, names)
    if stat.S_ISREG(status.st_mode):
        companions.take()
    try:
        yield companions
    finally:
        companions.put_back()


class Companions:
    """What SQLite keeps beside a database: applied to another file of that name it would corrupt it.

    Its content is in the backup, as part of the database.
    """

    def __init__(self, folder: int, name: str, names: Names) -> None:
        self._names = names
        self._folder = folder
        self._name = name
        self._moved: dict[str, str] = {}

    def take(self) -> None:
        """Move them out of the way."""
        there = [self._name + ending for ending in database.COMPANIONS if self._exists(self._name + ending)]
        if there and database.is_database(self._folder, self._name):
            for name in there:
                temporary = self._names.new()
                os.rename(name, temporary, src_dir_fd=self._folder, dst_dir_fd=self._folder)
                self._moved[name] = temporary

    def clear_away(self) -> None:
        """The database is gone: so are they."""
        for name in list(self._moved):
            with contextlib.suppress(OSError):
                os.unlink(self._moved.pop(name), dir_fd=self._folder)

    def put_back(self) -> None:
        """The database stays: so do they."""
        for name in list(self._moved):
            with contextlib.suppress(OSError):
                rename_new(self._folder, self._moved.pop(name), self._folder, name)

    def _exists(self, name: str) -> bool:
        try:
            return look(self._folder, name) is not None
        except OSError:
            return False
