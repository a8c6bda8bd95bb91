"""Walking a workspace: what lies where, without reading any content."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from operator import attrgetter

import msgspec

from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import Exclusion, Node, NodeKind
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.workspace.rules import IGNORE_FILE, IGNORE_FILE_MAX, OURS, SAVING, Rules
from nuvo_jupyter.workspace.safe import DEPTH_MAX, FOLDER_FLAGS, VANISHED, Root, open_file

FILE_MODE = 0o1777
"""Kept of a file's mode. Set-user-id and set-group-id would make the receiver's programs run as the receiver."""
FOLDER_MODE = 0o7777


class Fingerprint(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What tells that a file is the one seen before, without reading it.

    Args:
        size: bytes.
        mtime_ns: last modification of the content, nanoseconds since 1970.
        ctime_ns: last change of content or metadata; ``0`` for a file that could change without being noticed,
            so that it never equals what is on disk.
        inode: its number.
        mode: type and permission bits.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    mode: int


def fingerprint(found: os.stat_result) -> Fingerprint:
    """The fingerprint of what ``stat`` saw."""
    return Fingerprint(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode)


class Listing(msgspec.Struct, gc=False):
    """One folder: its path text, and for each of its files name (as the system spells it), path text, fingerprint.

    ``saving`` are the names of files that had a ``.~name`` beside them; ``others`` the folders and links in it.
    """

    path: str
    files: list[tuple[str, str, Fingerprint]]
    saving: set[str]
    others: dict[str, Node]


class Scan(msgspec.Struct):
    """Everything a walk found.

    Args:
        nodes: folders and links by path text; files come with their contents later.
        listings: one per folder, parents first.
        excluded: what was left out and why.
    """

    nodes: dict[str, Node]
    listings: list[Listing]
    excluded: list[Exclusion]

    @property
    def files(self) -> int:
        """Number of files."""
        return sum(len(listing.files) for listing in self.listings)


def scan(root: Root, rules: Rules, cancelled: Callable[[], bool] | None = None) -> Scan:
    """Walk a workspace.

    What vanishes meanwhile was not there; what cannot be read is excluded, with the reason; the rest goes on.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    found = Scan({}, [], [])
    for listing in _walk(root, rules, found):
        found.listings.append(listing)
        if cancelled is not None and cancelled():
            raise Cancelled("The capture was cancelled.")
    found.excluded.sort(key=lambda item: item.path)
    return found


class Measure(msgspec.Struct, frozen=True):
    """How much a first capture would read; ``more`` says that counting stopped at a limit."""

    files: int
    size: int
    more: bool


def measure(root: Root, limit_bytes: int, limit_files: int, rules: Rules | None = None) -> Measure:
    """Count files and bytes of a workspace, stopping as soon as one limit is exceeded."""
    files = size = 0
    for listing in _walk(root, rules or Rules(), Scan({}, [], [])):
        files += len(listing.files)
        size += sum(item[2].size for item in listing.files)
        if files > limit_files or size > limit_bytes:
            return Measure(files, size, more=True)
    return Measure(files, size, more=False)


def _walk(root: Root, rules: Rules, found: Scan) -> Iterator[Listing]:
    yield from _folder(os.open(".", FOLDER_FLAGS, dir_fd=root.fd), "", 0, rules, found)


def _folder(fd: int, path: str, depth: int, rules: Rules, found: Scan) -> Iterator[Listing]:
    """List the folder opened as ``fd``, which is closed at the end, then those below it."""
    try:
        listing, folders, rules = _list(fd, path, rules, found)
        yield listing
        for name, below, mode in folders:
            if depth == DEPTH_MAX - 1:
                found.excluded.append(
                    Exclusion(below, f"too deep: more than {DEPTH_MAX} folders inside one another")
                )
                continue
            try:
                inner = os.open(name, FOLDER_FLAGS, dir_fd=fd)
            except OSError as error:
                if error.errno not in VANISHED:
                    found.excluded.append(Exclusion(below, unreadable(error)))
                continue
            listing.others[from_name(name)] = found.nodes[below] = Node(NodeKind.FOLDER, mode)
            yield from _folder(inner, below, depth + 1, rules, found)
    finally:
        os.close(fd)


def _list(fd: int, path: str, rules: Rules, found: Scan) -> tuple[Listing, list[tuple[str, str, int]], Rules]:
    with os.scandir(fd) as found_here:
        entries = sorted(found_here, key=_by_name)
    for entry in entries:
        if entry.name >= IGNORE_FILE:
            if entry.name == IGNORE_FILE:
                rules = rules.inside(path, ignore_file(fd))
            break
    listing = Listing(path, [], set(), {})
    folders: list[tuple[str, str, int]] = []
    prefix = path + "/" if path else ""
    files = listing.files
    ask = not rules.only_names
    for entry in entries:
        name = entry.name
        dotted = name[0] == "."
        if dotted and name.startswith(SAVING):
            listing.saving.add(name[2:])
            if name.startswith(OURS):
                # What an apply is writing just now, or left when it was killed; not part of any state.
                continue
        text = name if name.isascii() and "\\" not in name else from_name(name)
        below = prefix + text
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            if error.errno not in VANISHED:
                found.excluded.append(Exclusion(below, unreadable(error)))
            continue
        mode = status.st_mode
        kind = mode & _KIND
        reason = None
        if ask or kind == stat.S_IFDIR or dotted:
            reason = rules.reason(path, text, kind == stat.S_IFDIR)
        if reason is not None:
            found.excluded.append(Exclusion(below, reason))
        elif kind == stat.S_IFREG:
            seen = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, mode)
            files.append((name, below, seen))
        elif kind == stat.S_IFDIR:
            folders.append((name, below, mode & FOLDER_MODE))
        elif kind == stat.S_IFLNK:
            node = link_node(fd, name)
            if node is not None:
                listing.others[text] = found.nodes[below] = node
        else:
            found.excluded.append(Exclusion(below, _SPECIAL.get(kind, "special file")))
    return listing, folders, rules


def link_node(folder: int, name: str) -> Node | None:
    """The link at a name in an open folder; ``None`` if there is none any more."""
    try:
        target = os.readlink(name, dir_fd=folder)
    except OSError:
        return None
    # from_name is for one name; a link's target may hold slashes, which it leaves alone.
    return Node(NodeKind.LINK, 0o777, link=from_name(target))


_by_name = attrgetter("name")

_KIND = 0o170000
"""The bits of a mode that say what it is (``S_IFMT`` of sys/stat.h)."""

_SPECIAL = {
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


def unreadable(error: OSError) -> str:
    """The reason given for what could not be read."""
    return f"unreadable: {os.strerror(error.errno or 0).lower()}"


def ignore_file(folder: int) -> str | None:
    """The text of the ``.nuvoignore`` in a folder opened as ``folder``; ``None`` if it has none that can be read."""
    try:
        fd = open_file(folder, IGNORE_FILE)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(IGNORE_FILE_MAX).decode("utf-8", "replace")
