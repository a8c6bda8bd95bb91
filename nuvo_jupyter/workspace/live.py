"""Look into a live workspace: one folder's entries, one file's content."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Self

from nuvo_jupyter.model.errors import InvalidInput, NotFound
from nuvo_jupyter.model.nodes import Node, NodeKind, TreeEntry
from nuvo_jupyter.model.paths import basename, from_name, join, parent, to_name
from nuvo_jupyter.workspace.rules import Rules
from nuvo_jupyter.workspace.safe import VANISHED, Root, look, open_file
from nuvo_jupyter.workspace.scan import ignore_file

_CHUNK = 1 << 20


def live_entries(root: Root, path: str = "") -> list[TreeEntry]:
    """The files, folders and links of one folder, by name; everything else is left out.

    Raises:
        NotFound: there is no such folder.
        InvalidInput: it cannot be read.
    """
    try:
        folder = root.folder(path)
    except OSError as error:
        raise _explain(error, path, "folder") from error
    try:
        with os.scandir(folder) as entries:
            found = [_entry(folder, entry.name) for entry in entries]
    finally:
        os.close(folder)
    return sorted((entry for entry in found if entry is not None), key=lambda entry: entry.name)


def live_node(root: Root, path: str) -> Node | None:
    """The file, folder or link at a path; ``None`` if there is none."""
    try:
        folder = root.folder(parent(path))
    except OSError as error:
        if error.errno in VANISHED:
            return None
        raise _explain(error, path, "file") from error
    try:
        entry = _entry(folder, to_name(basename(path)))
    finally:
        os.close(folder)
    return None if entry is None else entry.node


def left_out(root: Root, rules: Rules, path: str) -> str | None:
    """Why a capture would leave out what lies at a path, or a folder on the way; ``None`` if it would not."""
    where = ""
    for part in path.split("/"):
        try:
            folder = root.folder(where)
        except OSError:
            return None
        try:
            rules = rules.inside(where, ignore_file(folder))
            entry = _entry(folder, to_name(part))
        finally:
            os.close(folder)
        if entry is None:
            return None
        reason = rules.reason(where, part, entry.node.kind is NodeKind.FOLDER)
        if reason is not None:
            return reason
        where = join(where, part)
    return None


def live_file(root: Root, path: str) -> tuple[int, Iterator[bytes]]:
    """A file's size in bytes and its content in chunks; links are not followed.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no regular file, or cannot be read.
    """
    try:
        folder = root.folder(parent(path))
        try:
            fd = open_file(folder, to_name(basename(path)))
        finally:
            os.close(folder)
    except OSError as error:
        raise _explain(error, path, "file") from error
    return os.fstat(fd).st_size, _Chunks(fd)


class _Chunks:
    """The content of an open file, which is closed at its end, by ``close``, and when nobody asks any more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk = os.read(self._fd, _CHUNK) if self._fd >= 0 else b""
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Close the file; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        # A generator would not do: one that was never begun closes nothing.
        self.close()


def _entry(folder: int, name: str) -> TreeEntry | None:
    try:
        found = look(folder, name)
        if found is None:
            return None
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISDIR(found.st_mode):
            node = Node(NodeKind.FOLDER, mode, 0, found.st_mtime_ns)
        elif stat.S_ISREG(found.st_mode):
            node = Node(NodeKind.FILE, mode, found.st_size, found.st_mtime_ns)
        elif stat.S_ISLNK(found.st_mode):
            target = from_name(os.readlink(name, dir_fd=folder))
            node = Node(NodeKind.LINK, mode, 0, found.st_mtime_ns, (), target)
        else:
            return None
    except OSError:
        return None
    return TreeEntry(from_name(name), node)


def _explain(error: OSError, path: str, what: str) -> NotFound | InvalidInput:
    if error.errno in VANISHED:
        return NotFound(f"There is no {what} {path!r}.")
    return InvalidInput(f"{path!r} cannot be read: {os.strerror(error.errno or 0).lower()}.")
