"""Our temporary files and folders in a workspace: their names, and clearing away what a killed run left."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator

from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import CREATE_FLAGS, DEPTH_MAX, FOLDER_FLAGS, Descent, Root
from nuvo_jupyter.workspace.syscalls import rename_new

MARK = OURS + "applying"
"""Lies at the top of a workspace, locked, while something is applied there; unlocked, it tells of a killed run."""


RECOVERED = "recovered-"
"""What names of files begin with that were kept, because nobody else has their content."""
_PUBLISHING = b"publishing\n"

Kept = Callable[[int], bool]
"""Whether the content of an open file is to be had elsewhere: it is in the store, or will be made again."""


class Names:
    """Names for the temporary files and folders of one run that nothing has yet."""

    def __init__(self) -> None:
        self._prefix = OURS + secrets.token_hex(8)
        self._count = itertools.count()

    def new(self) -> str:
        """A name."""
        return f"{self._prefix}{next(self._count):08x}"


class Mark:
    """Lies in a workspace while something is applied there.

    Attributes:
        stays: set when temporaries could not be reached: the mark is left, and the next run clears them away.
    """

    def __init__(self) -> None:
        self.stays = False
        self._fd = -1

    def publishing(self) -> None:
        """Note that all new content is complete: from now on a temporary may hold what lay there before."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.write(self._fd, _PUBLISHING)


@contextlib.contextmanager
def marked(root: Root, folders: Iterable[str], kept: Kept) -> Iterator[Mark]:
    """Mark a workspace as being applied to; clear away first what a killed run left.

    Args:
        folders: where temporaries will be made; all that is cleared where no mark can be made.
        kept: whether content is to be had elsewhere. What a killed run took out of its place is not, if it was edited in
            that very moment: it stays, as ``recovered-…``.
    """
    mark = Mark()
    try:
        fd = os.open(MARK, CREATE_FLAGS, 0o600, dir_fd=root.fd)
        left = False
    except FileExistsError:
        fd, left = _open_mark(root), True
    except OSError:
        fd, left = -1, False
    try:
        mine = fd >= 0 and _lock(fd)
        if mine and left:
            sweep(root, kept if os.pread(fd, 1, 0) else None)
            os.ftruncate(fd, 0)
        if mine:
            mark._fd = fd
        elif fd < 0:
            with Descent(root) as descent:
                for path in sorted(set(folders)):
                    with contextlib.suppress(OSError):
                        _clear(descent.at(path), set())
        try:
            yield mark
        finally:
            if mine and not mark.stays:
                with contextlib.suppress(OSError):
                    os.unlink(MARK, dir_fd=root.fd)
    finally:
        if fd >= 0:
            os.close(fd)


def sweep(root: Root, kept: Kept | None = None) -> set[str]:
    """Remove our temporary files and folders everywhere in a workspace, but not the mark; returns their names.

    Args:
        kept: as for :func:`marked`; ``None`` where all of them were made by us.
    """
    removed: set[str] = set()
    _sweep(os.open(".", FOLDER_FLAGS, dir_fd=root.fd), 0, removed, kept)
    return removed


def _sweep(fd: int, depth: int, removed: set[str], kept: Kept | None) -> None:
    try:
        folders = _clear(fd, removed, kept)
        for name in folders if depth < DEPTH_MAX else ():
            with contextlib.suppress(OSError):
                _sweep(os.open(name, FOLDER_FLAGS, dir_fd=fd), depth + 1, removed, kept)
    finally:
        os.close(fd)


def _clear(fd: int, removed: set[str], kept: Kept | None = None) -> list[str]:
    folders: list[str] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            ours = entry.name.startswith(OURS) and entry.name != MARK
            if entry.is_dir(follow_symlinks=False):
                if not ours:
                    folders.append(entry.name)
                elif clear_folder(fd, entry.name):
                    removed.add(entry.name)
            elif ours:
                with contextlib.suppress(OSError):
                    if kept is None or _is_kept(fd, entry.name, kept):
                        os.unlink(entry.name, dir_fd=fd)
                    else:
                        rename_new(fd, entry.name, fd, f"{RECOVERED}{entry.name[-16:]}")
                    removed.add(entry.name)
    return folders


def _is_kept(fd: int, name: str, kept: Kept) -> bool:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
    except OSError as error:
        # A link is in the backup; what cannot be read may be anything.
        return error.errno == errno.ELOOP
    try:
        return not stat.S_ISREG(os.fstat(file).st_mode) or kept(file)
    finally:
        os.close(file)


def clear_folder(fd: int, name: str, depth: int = 0) -> bool:
    """Remove a folder and everything in it, links not followed; whether nothing is left.

    Args:
        fd: descriptor of the open folder it is in.
        name: as the operating system spells it.
    """
    try:
        inner = os.open(name, FOLDER_FLAGS, dir_fd=fd)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        with os.scandir(inner) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for below, is_folder in found:
            with contextlib.suppress(OSError):
                if not is_folder:
                    os.unlink(below, dir_fd=inner)
                elif depth < DEPTH_MAX:
                    clear_folder(inner, below, depth + 1)
    except OSError:
        return False
    finally:
        os.close(inner)
    try:
        os.rmdir(name, dir_fd=fd)
    except OSError:
        return False
    return True


def _open_mark(root: Root) -> int:
    try:
        return os.open(MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=root.fd)
    except OSError:
        return -1


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # No locks on this file system; the lease of the delivery keeps others away.
        return True
    return True
