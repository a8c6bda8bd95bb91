"""Writers of tables take turns, and readers and captures see all tables at one point.

Two locks, both ``flock`` on folders, which the system drops when a process dies, so that nothing of ours lies there:
the workspace, held by a writer for all of its transaction, and ``tables/`` in it, which readers share and a writer
takes for the moment of its renames. So an open transaction keeps other writers waiting, but nobody who reads.
They bind Nuvo's own writers; who writes a file directly is caught by comparing how it looked before and after.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nuvo_jupyter.model.errors import InvalidInput, NotNow
from nuvo_jupyter.workspace.tables.commit import finish_commit, open_folder, unfinished

PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.002
_POLL_MAX_SECONDS = 0.05


@contextmanager
def reading(folder: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """No table changes while this is held. Nothing is done where there is no folder of tables.

    Args:
        folder: of tables.
        check: called while waiting; raises to give up.

    Raises:
        NotNow: another writer did not end within a minute.
        InvalidInput: something that is no folder has its name.
    """
    try:
        fd = open_folder(folder)
    except FileNotFoundError:
        yield
        return
    try:
        _take(fd, fcntl.LOCK_SH, check)
        if unfinished(folder):
            _take(fd, fcntl.LOCK_EX, check)
            _finish(folder)
            _take(fd, fcntl.LOCK_SH, check)
        yield
    finally:
        os.close(fd)


@contextmanager
def capturing(folder: Path) -> Iterator[None]:
    """As :func:`reading`, for whoever captures a whole workspace: a file or link of that name, or a folder that may not
    be opened, is nobody's tables, and captured as what it is.

    Raises:
        NotNow: another writer did not end within a minute.
    """
    try:
        os.close(open_folder(folder))
    except (FileNotFoundError, PermissionError, InvalidInput):
        yield
        return
    with reading(folder):
        yield


@contextmanager
def writing(folder: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Nobody else changes tables while this is held; makes the folder of tables, and removes it if it stays empty.

    Raises:
        NotNow: another writer did not end within a minute.
        InvalidInput: the folder cannot be written, or there is no workspace.
    """
    try:
        fd = os.open(folder.parent, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"There is no folder {str(folder.parent)!r}, so it can hold no tables.") from None
    try:
        _take(fd, fcntl.LOCK_EX, check)
        made = _make(folder)
        try:
            if unfinished(folder):
                with publishing(folder, check):
                    pass
            yield
        finally:
            if made:
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
    finally:
        os.close(fd)


@contextmanager
def publishing(folder: Path, check: Callable[[], None] | None = None) -> Iterator[None]:
    """Nobody reads tables while this is held, by a writer who is about to rename.

    Raises:
        NotNow: somebody did not end reading within a minute.
    """
    fd = open_folder(folder)
    try:
        _take(fd, fcntl.LOCK_EX, check)
        if unfinished(folder):
            _finish(folder)
        yield
    finally:
        os.close(fd)


def _make(folder: Path) -> bool:
    try:
        os.mkdir(folder)
        return True
    except FileExistsError:
        os.close(open_folder(folder))
        if os.access(folder, os.W_OK | os.X_OK):
            return False
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    raise InvalidInput(
        f"The tables in {str(folder)!r} can only be read: you may not write into that folder.",
        hint="Copy them into a workspace of your own, or ask its owner for the right to write.",
    )


def _finish(folder: Path) -> None:
    try:
        finish_commit(folder)
    except PermissionError:
        raise NotNow(
            f"A change of the tables in {str(folder)!r} was cut off, and only its owner can finish it.",
            hint="It is finished as soon as the owner opens a connection to these tables.",
        ) from None


def _take(fd: int, how: int, check: Callable[[], None] | None) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    pause = _POLL_SECONDS
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
        time.sleep(pause)
        pause = min(pause * 2, _POLL_MAX_SECONDS)
