"""One folder in which something changed: what of it is known, what is left out, and what is to be read."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Final

from nuvo_jupyter.workspace import database
from nuvo_jupyter.workspace.memory import Remembered
from nuvo_jupyter.workspace.record import (
    KIND,
    WIDTH,
    Content,
    FolderRecord,
    Rows,
    name_of,
    pack_contents,
    pack_rows,
    text_of,
    unpack_rows,
)
from nuvo_jupyter.workspace.rules import OURS, SAVING
from nuvo_jupyter.workspace.safe import Descent
from nuvo_jupyter.workspace.scan import Fingerprint, Listing, link_target

TO_READ: Final = "\0read"
"""Stands for the content of a file that is to be read; no link points there."""

_SPECIAL = {
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}
_COMPANIONS = tuple(ending.encode() for ending in database.COMPANIONS)


class Sorted:
    """A folder on its way to a record. Files are named by the index of their row.

    Args:
        listing: what was found in it.

    Attributes:
        contents: of each row.
        saving: names of files that had a ``.~name`` beside them, as the system spells them.
        beside: database → what SQLite keeps beside it.
        size: bytes to be read.
    """

    __slots__ = ("_excluded", "_key", "_rows", "beside", "contents", "listing", "saving", "size")

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.contents: list[Content] = []
        self.saving: set[str] = set()
        self.beside: dict[int, list[int]] = {}
        self.size = 0
        self._excluded: list[tuple[str, str]] = []
        self._key = listing.rules.key if listing.sound else b""
        self._rows: Rows | None = None

    @property
    def rows(self) -> Rows:
        """Everything listed, decoded until :meth:`finished`, or until it is closed."""
        if self._rows is None:
            self._rows = unpack_rows(self.listing.rows)
        return self._rows

    def close(self) -> None:
        """Keep no decoded rows, if nothing in them was changed."""
        self._rows = None

    def name(self, at: int) -> str:
        """The name of an entry as the operating system spells it."""
        return name_of(self.rows[at * WIDTH])  # type: ignore[arg-type]

    def text(self, at: int) -> str:
        """Path text of the name of an entry."""
        return text_of(self.rows[at * WIDTH])

    def seen(self, at: int) -> Fingerprint:
        """How an entry looked."""
        return Fingerprint(*self.rows[at * WIDTH + 1 : (at + 1) * WIDTH])  # type: ignore[arg-type]

    def look(self, at: int, seen: Fingerprint) -> None:
        """Note how an entry looked later on."""
        self.rows[at * WIDTH + 1 : (at + 1) * WIDTH] = (
            seen.size,
            seen.mtime_ns,
            seen.ctime_ns,
            seen.inode,
            seen.mode,
        )

    def doubt(self, at: int) -> None:
        """An entry may change unnoticed: it is looked at again the next time."""
        self.rows[at * WIDTH + 3] = 0

    def exclude(self, at: int, reason: str) -> None:
        """Leave an entry out."""
        self.contents[at] = None
        self._excluded.append((self.text(at), reason))

    def vanished(self, at: int) -> None:
        """An entry was not there."""
        self.contents[at] = None
        self.doubt(at)

    def finished(self) -> FolderRecord:
        """The record, once nothing is to be read any more."""
        rows, contents = self.rows, self.contents
        sizes = rows[1::WIDTH]
        kept = [at for at, content in enumerate(contents) if content is not None]
        record = FolderRecord(
            rules=self._key,
            rows=pack_rows(rows),
            contents=pack_contents(contents),
            folders=self.listing.folders,
            excluded=tuple(self._excluded),
            tree=b"",
            files=len(kept),
            size=sum(sizes[at] for at in kept if not isinstance(contents[at], str)),  # type: ignore[misc]
        )
        self._rows = None
        return record


def sort_out(listing: Listing, known: Mapping[str, Remembered], descent: Descent) -> Sorted:
    """Decide about everything in a folder but the folders in it.

    Args:
        known: what is remembered of its files, by path text of their names.
        descent: lends the folder, where links are to be read or databases looked at.
    """
    folder = Sorted(listing)
    rows, rules, path = folder.rows, listing.rules, listing.path
    names = rows[::WIDTH]
    contents: list[Content] = [None] * len(names)
    folder.contents = contents
    live = _live(folder, names, descent) if any(end in listing.rows for end in _COMPANIONS) else {}
    spared = {at for beside in folder.beside.values() for at in beside}
    ask = not rules.only_names
    size = 0
    start = 1
    for at, written in enumerate(names):
        assert isinstance(written, str)
        dotted = written[0] == "." or written[0] == "\0"
        text = text_of(written)
        if dotted and text.startswith(SAVING):
            folder.saving.add(name_of(written)[2:])
            if text.startswith(OURS):
                # What an apply is writing just now, or left when it was killed; not part of any state.
                start += WIDTH
                continue
        reason = rules.reason(path, text, False) if ask or dotted else None
        kind = rows[start + 4] & KIND  # type: ignore[operator]
        if reason is not None:
            folder.exclude(at, reason)
        elif kind == stat.S_IFREG:
            if at not in spared:
                old = known.get(text) if known else None
                if old is not None and not live.get(at, False) and _same(old.seen, rows, start):
                    contents[at] = old.content
                    for companion in folder.beside.get(at, ()):
                        folder.exclude(companion, database.BELONGS)
                else:
                    contents[at] = TO_READ
                    size += rows[start]  # type: ignore[operator]
        elif kind == stat.S_IFLNK:
            contents[at] = _link(path, name_of(written), descent)
        else:
            folder.exclude(at, _SPECIAL.get(kind, "special file"))
        start += WIDTH
    folder.size = size
    folder.close()
    return folder


def _same(seen: Fingerprint, rows: Rows, start: int) -> bool:
    return (
        seen.ctime_ns == rows[start + 2]
        and seen.size == rows[start]
        and seen.mtime_ns == rows[start + 1]
        and seen.inode == rows[start + 3]
        and seen.mode == rows[start + 4]
    )


def _link(path: str, name: str, descent: Descent) -> str | None:
    try:
        return link_target(descent.at(path), name)
    except OSError:
        return None


def _live(folder: Sorted, names: Rows, descent: Descent) -> dict[int, bool]:
    """Databases that have companions, and whether they are in use; notes the companions."""
    at_name = {name_of(written): at for at, written in enumerate(names)}  # type: ignore[arg-type]
    live: dict[int, bool] = {}
    for name, at in at_name.items():
        base = database.base_of(name)
        if (
            base is None
            or base not in at_name
            or not _is_file(folder, at)
            or not _is_file(folder, at_name[base])
        ):
            continue
        number = at_name[base]
        if number not in live:
            try:
                fd = descent.at(folder.listing.path)
            except OSError:
                return {}
            if not database.is_database(fd, base):
                continue
            live[number] = database.in_use(fd, base)
        folder.beside.setdefault(number, []).append(at)
    return live


def _is_file(folder: Sorted, at: int) -> bool:
    return stat.S_ISREG(folder.rows[at * WIDTH + 5])  # type: ignore[arg-type]
