"""Walking a workspace: what lies where, without reading any content."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Mapping
from operator import attrgetter

import msgspec

from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import Exclusion
from nuvo_jupyter.model.paths import from_name, join
from nuvo_jupyter.native import Listed, list_folder
from nuvo_jupyter.workspace.record import (
    KIND,
    NO_FOLDERS,
    WIDTH,
    FolderRecord,
    pack_folders,
    pack_rows,
    text_of,
    unpack_rows,
)
from nuvo_jupyter.workspace.rules import IGNORE_FILE, IGNORE_FILE_MAX, OURS, Rules
from nuvo_jupyter.workspace.safe import DEPTH_MAX, FOLDER_FLAGS, VANISHED, Root, open_file

FILE_MODE = 0o1777
"""Kept of a file's mode. Set-user-id and set-group-id would make the receiver's programs run as the receiver."""
FOLDER_MODE = 0o7777
RACY_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again without a new time stamp. git compares with
the index's time (Documentation/technical/racy-git.txt); two seconds cover FAT and a file server's clock."""
_COARSE_NS = 1_000_000
"""Times that are multiples of this come from a file system that keeps no finer ones, such as FAT."""


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


def is_as_put(status: os.stat_result, size: int, mtime_ns: int) -> bool:
    """Whether a file just put under its name is as it was put, and any change from now on will be seen.

    It is new, so its change time cannot vouch for it yet (:data:`RACY_NS`). Its modification time can:
    it was set to one long past, which writing moves on. Not so on file systems with coarse time stamps.
    """
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == size
        and status.st_mtime_ns == mtime_ns
        and is_long_past(mtime_ns, status.st_ctime_ns)
    )


def is_long_past(mtime_ns: int, ctime_ns: int) -> bool:
    """Whether any change to a file that was just put with a modification time will be seen, by when it was put."""
    return 0 < mtime_ns <= ctime_ns - RACY_NS and ctime_ns % _COARSE_NS != 0


class Listing(msgspec.Struct, gc=False):
    """One folder as it was found.

    Args:
        path: its path text.
        rules: that hold in it.
        rows: everything in it but folders (:func:`.record.pack_rows`).
        folders: the folders in it that were walked, names as path text with their modes, encoded; sorted.
        excluded: folders left out, and what could not be looked at.
        sound: whether there was nothing that could not be looked at.
        known: what is remembered of it, if all files in it are still as remembered.
    """

    path: str
    rules: Rules
    rows: bytes
    folders: bytes
    excluded: list[Exclusion]
    sound: bool
    known: FolderRecord | None


def scan(
    root: Root,
    rules: Rules,
    known: Mapping[str, FolderRecord] | None = None,
    doubtful: Collection[str] = (),
    cancelled: Callable[[], bool] | None = None,
) -> list[Listing]:
    """Walk a workspace: its folders, parents first.

    What vanishes meanwhile was not there; what cannot be read is excluded, with the reason; the rest goes on.

    Args:
        known: what is remembered, by folder.
        doubtful: folders of which more is known than what is in ``known``.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    found: list[Listing] = []

    def tell(listing: Listing) -> None:
        found.append(listing)
        if cancelled is not None and cancelled():
            raise Cancelled("The capture was cancelled.")

    _Walk(tell, known or {}, doubtful).begin(root, rules)
    return found


class Measure(msgspec.Struct, frozen=True):
    """How much a first capture would read; ``more`` says that counting stopped at a limit."""

    files: int
    size: int
    more: bool


def measure(root: Root, limit_bytes: int, limit_files: int, rules: Rules | None = None) -> Measure:
    """Count files and bytes of a workspace, stopping as soon as one limit is exceeded."""
    files = size = 0

    def tell(listing: Listing) -> None:
        nonlocal files, size
        rows = unpack_rows(listing.rows)
        for at in range(0, len(rows), WIDTH):
            name, length, mode = text_of(rows[at]), rows[at + 1], rows[at + 5]
            assert isinstance(length, int)
            assert isinstance(mode, int)
            if not stat.S_ISREG(mode) or name.startswith(OURS):
                continue
            if listing.rules.reason(listing.path, name, False) is None:
                files += 1
                size += length
        if files > limit_files or size > limit_bytes:
            raise _Enough

    try:
        _Walk(tell, {}, ()).begin(root, rules or Rules())
    except _Enough:
        return Measure(files, size, more=True)
    return Measure(files, size, more=False)


class _Enough(Exception):
    pass


seen_of: Callable[[os.stat_result], tuple[int, int, int, int, int]] = attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_mode"
)
"""What is remembered of what ``stat`` saw."""


class _Walk:
    """A walk.

    Args:
        tell: called with each folder, before those in it; its ``folders`` come when they were walked.
        known: what is remembered.
        doubtful: folders that are not taken from ``known``.
    """

    def __init__(
        self,
        tell: Callable[[Listing], None],
        known: Mapping[str, FolderRecord],
        doubtful: Collection[str],
    ) -> None:
        self._tell = tell
        self._known = known
        self._doubtful = doubtful

    def begin(self, root: Root, rules: Rules) -> None:
        """Walk all of a workspace."""
        self._folder(os.open(".", FOLDER_FLAGS, dir_fd=root.fd), "", 0, rules)

    def _folder(self, fd: int, path: str, depth: int, rules: Rules) -> None:
        """List the folder opened as ``fd``, which is closed at the end, then those below it."""
        try:
            listing, folders = self._list(fd, path, rules)
            self._tell(listing)
            if not folders:
                return
            entered: list[tuple[str, int]] = []
            prefix = path + "/" if path else ""
            for text, name, mode in folders:
                below = prefix + text
                if depth == DEPTH_MAX - 1:
                    reason = f"too deep: more than {DEPTH_MAX} folders inside one another"
                    listing.excluded.append(Exclusion(below, reason))
                    continue
                try:
                    inner = os.open(name, FOLDER_FLAGS, dir_fd=fd)
                except OSError as error:
                    if error.errno not in VANISHED:
                        listing.excluded.append(Exclusion(below, unreadable(error)))
                    continue
                entered.append((text, mode & FOLDER_MODE))
                self._folder(inner, below, depth + 1, listing.rules)
            listing.folders = pack_folders(entered)
        finally:
            os.close(fd)

    def _list(self, fd: int, path: str, rules: Rules) -> tuple[Listing, list[tuple[str, str, int]]]:
        packed, below, failed = list_folder(fd) or _listed(fd)
        if _IGNORE_FILE in packed and IGNORE_FILE in unpack_rows(packed):
            rules = rules.inside(path, ignore_file(fd))
        excluded: list[Exclusion] = []
        sound = True
        for name, why in failed:
            if why not in VANISHED:
                sound = False
                excluded.append(Exclusion(join(path, from_name(name)), unreadable(OSError(why, ""))))
        folders: list[tuple[str, str, int]] = []
        if below:
            # What an apply is writing just now, or left when it was killed, is not part of any state.
            found = [(from_name(name), name, mode) for name, mode in below if not name.startswith(OURS)]
            found.sort()
            for folder in found:
                reason = rules.reason(path, folder[0], True)
                if reason is None:
                    folders.append(folder)
                else:
                    excluded.append(Exclusion(join(path, folder[0]), reason))
        known = self._known.get(path)
        if known is not None and (
            known.rows != packed or known.rules != rules.key or not sound or path in self._doubtful
        ):
            known = None
        return Listing(path, rules, packed, NO_FOLDERS, excluded, sound, known), folders


def _listed(fd: int) -> Listed:
    """What :data:`nuvo_jupyter.native.list_folder` gives, for any names."""
    rows: list[str | int] = []
    folders, failed = [], []
    with os.scandir(fd) as entries:
        for entry in entries:
            try:
                seen = seen_of(entry.stat(follow_symlinks=False))
            except OSError as error:
                failed.append((entry.name, error.errno or 0))
                continue
            if seen[4] & KIND == _FOLDER:
                folders.append((entry.name, seen[4]))
            else:
                rows.append(entry.name)
                rows += seen
    return pack_rows(rows), folders, failed


_FOLDER = stat.S_IFDIR
_IGNORE_FILE = IGNORE_FILE.encode()


def link_target(folder: int, name: str) -> str | None:
    """Where the link at a name in an open folder points, as path text; ``None`` if there is none any more."""
    try:
        # from_name is for one name; a link's target may hold slashes, which it leaves alone.
        return from_name(os.readlink(name, dir_fd=folder))
    except OSError:
        return None


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
