"""Writers of tables take turns, and captures see all tables at one point.

The lock is ``flock`` on the folder ``tables/``, which the system drops when a process dies. It binds Nuvo's own
writers; who writes a file directly is caught by comparing how it looked before and after.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nuvo_jupyter.model.errors import NotNow
from nuvo_jupyter.workspace.tables.commit import finish_commit
from nuvo_jupyter.workspace.tables.names import OURS

PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.01


@contextmanager
def reading(folder: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """No table changes while this is held. Nothing is done where there is no folder of tables.

    Args:
        folder: of tables.
        check: called while waiting; raises to give up.

    Raises:
        NotNow: another writer did not end within a minute.
    """
    with _held(folder, fcntl.LOCK_SH, check):
        yield


@contextmanager
def writing(folder: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Nobody else reads or changes tables while this is held; makes the folder of tables.

    Raises:
        NotNow: another writer did not end within a minute.
    """
    folder.mkdir(exist_ok=True)
    with _held(folder, fcntl.LOCK_EX, check):
        yield


@contextmanager
def _held(folder: Path, how: int, check: Callable[[], None] | None) -> Iterator[None]:
    fd = _open(folder)
    if fd is None:
        yield
        return
    try:
        _take(fd, how, check)
        if (folder / (OURS + "commit")).exists():
            # Somebody was killed between the renames of one transaction.
            if how == fcntl.LOCK_SH:
                _take(fd, fcntl.LOCK_EX, check)
            finish_commit(folder)
            if how == fcntl.LOCK_SH:
                _take(fd, how, check)
        yield
    finally:
        os.close(fd)


def _open(folder: Path) -> int | None:
    """The folder itself is locked, so that nothing of ours has to lie in it."""
    try:
        return os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NONBLOCK)
    except OSError:
        return None


def _take(fd: int, how: int, check: Callable[[], None] | None) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        except OSError:
            # No locks on this file system (NFS has none on folders): renames still keep every single table whole.
            return
        if check is not None:
            check()
        if time.monotonic() > end:
            raise NotNow(
                "Somebody else has been changing the tables for a minute.",
                hint="A transaction left open in another notebook keeps others waiting: end it there, or restart that kernel.",
            )
        time.sleep(_POLL_SECONDS)
