"""Reaching files inside a workspace without ever leaving it: component by component, never through a link.

Whoever works in a workspace may plant links and swap folders while we work in it (DESIGN §11), so nothing
below the workspace's own folder is opened by a path of more than one component.
"""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType
from typing import Self

from nuvo_jupyter.model.errors import WorkspaceUnavailable
from nuvo_jupyter.model.paths import to_name

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

DEPTH_MAX = 256
"""Folders inside one another that are followed; each holds an open file descriptor meanwhile."""

VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
"""What opening something says that is gone, or has become something else."""


class Root:
    """The opened folder of a workspace.

    Args:
        path: the folder as the operating system names it; may itself be reached through links.

    Raises:
        WorkspaceUnavailable: it is missing, no folder, or not accessible.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise WorkspaceUnavailable(
                f"The folder {self.path} cannot be opened: {os.strerror(error.errno or 0).lower()}.",
                hint="Check that the folder exists and belongs to you; it may have been moved or not be mounted.",
            ) from error

    def folder(self, path: str) -> int:
        """Open the folder at ``path`` (path text); the caller closes the descriptor.

        Raises:
            OSError: as ``open`` does; ``ENOTDIR`` or ``ELOOP`` where a component is a link.
        """
        fd = os.dup(self.fd)
        for part in path.split("/") if path else ():
            fd = _enter(fd, to_name(part))
        return fd

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _enter(fd: int, name: str) -> int:
    """Open a folder below ``fd``, which is closed whatever happens."""
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=fd)
    finally:
        os.close(fd)


class Descent:
    """Open folders of one workspace, kept along the way to the last one asked for.

    Asked in path order, each folder is opened about once.

    Args:
        root: the workspace; must stay open.
    """

    def __init__(self, root: Root) -> None:
        self.root = root
        self._names: list[str] = []
        self._fds: list[int] = []
        self._path: str | None = None

    def at(self, path: str, *, make: bool = False) -> int:
        """The descriptor of the folder at ``path``, lent until the next call.

        Args:
            make: create folders that are missing on the way.

        Raises:
            OSError: as ``open`` and ``mkdir`` do; ``ELOOP`` as well for more than 256 levels.
        """
        if path == self._path:
            return self._fds[-1] if self._fds else self.root.fd
        self._path = None
        names = path.split("/") if path else []
        if len(names) > DEPTH_MAX:
            raise OSError(errno.ELOOP, "too many folders inside one another", path)
        common = 0
        for mine, wanted in zip(self._names, names, strict=False):
            if mine != wanted:
                break
            common += 1
        self._cut(common)
        fd = self._fds[-1] if self._fds else self.root.fd
        for name in names[common:]:
            fd = _child(fd, to_name(name), make)
            self._names.append(name)
            self._fds.append(fd)
        self._path = path
        return fd

    def forget(self, path: str) -> None:
        """Do not lend the folder at ``path`` or below from memory: it was removed or replaced."""
        names = path.split("/")
        if self._names[: len(names)] == names:
            self._cut(len(names) - 1)

    def _cut(self, length: int) -> None:
        self._path = None
        for fd in self._fds[length:]:
            os.close(fd)
        del self._fds[length:]
        del self._names[length:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cut(0)


def _child(fd: int, name: str, make: bool) -> int:
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=fd)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(name, 0o755, dir_fd=fd)
    except FileExistsError:
        pass
    return os.open(name, FOLDER_FLAGS, dir_fd=fd)


def look(folder: int, name: str) -> os.stat_result | None:
    """What lies at a name (as the operating system spells it) in an open folder, links not followed."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def open_file(folder: int, name: str) -> int:
    """Open a regular file for reading, and nothing else: a FIFO does not block, a link is not followed.

    Raises:
        OSError: as ``open`` does; ``EINVAL`` for what is no regular file.
    """
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", name)
    return fd


def read_whole(fd: int, size: int) -> bytes:
    """Read an open file to its end; ``size`` is what it is expected to hold."""
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data
    parts = [data]
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts)
