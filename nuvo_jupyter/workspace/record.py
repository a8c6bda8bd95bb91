"""One folder as a capture left it, in few bytes: what was listed, and what each file held.

A whole state is kept in memory and on disk this way. A folder in which nothing changed is recognised by comparing
bytes; only what changed, or what somebody asks for, becomes objects again.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence

import msgspec

from nuvo_jupyter.model.nodes import BlobId
from nuvo_jupyter.model.paths import from_name, to_name

Seen = tuple[int, int, int, int, int]
"""How a file looked: size in bytes, modification and change time in nanoseconds, inode, mode."""
Content = tuple[BlobId, ...] | str | None
"""What a file held, where a link points, or ``None`` for what is no part of the state."""
Rows = list[str | int]
"""Name and :data:`Seen` of one entry after the other."""

WIDTH = 6
"""Items of a row."""
KIND = 0o170000
"""The bits of a mode that say what it is (``S_IFMT`` of sys/stat.h)."""

_ESCAPED = "\0"
"""Begins a name that is no UTF-8, followed by its path text; no name holds it."""


class FolderRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One folder.

    Args:
        rules: which rules held in it (:attr:`.rules.Rules.key`); ``b""`` if it has to be looked at in any case.
        rows: everything in it but folders, in the order listed, as :func:`pack_rows` writes it. A change time of 0
            is that of a file that could change unnoticed: it never equals what is on disk.
        contents: for each row its content, encoded.
        folders: names and modes of its folders, encoded.
        excluded: names of files that were left out, and why.
        tree: id of its tree object.
        files: number of files and links in it, those in its folders not counted.
        size: bytes of these files.
    """

    rules: bytes
    rows: bytes
    contents: bytes
    folders: bytes
    excluded: tuple[tuple[str, str], ...]
    tree: BlobId
    files: int
    size: int

    def entries(self) -> Iterator[tuple[str, Seen, Content]]:
        """Path text of its name, look and content of everything in it but folders."""
        rows = unpack_rows(self.rows)
        for at, content in zip(range(0, len(rows), WIDTH), unpack_contents(self.contents), strict=True):
            if content is not None:
                yield text_of(rows[at]), tuple(rows[at + 1 : at + WIDTH]), content  # type: ignore[misc]

    def below(self) -> list[tuple[str, int]]:
        """Path text of the names and modes of its folders."""
        return unpack_folders(self.folders)


_encoder = msgspec.msgpack.Encoder()
_rows = msgspec.msgpack.Decoder(Rows)
_contents = msgspec.msgpack.Decoder(list[Content])
_folders = msgspec.msgpack.Decoder(list[tuple[str, int]])

pack_contents = _encoder.encode
pack_folders = _encoder.encode
NO_FOLDERS = pack_folders([])
unpack_rows = _rows.decode
unpack_contents = _contents.decode
unpack_folders = _folders.decode


def pack_rows(rows: Sequence[str | int]) -> bytes:
    """Encode what was listed, names as the operating system gives them."""
    try:
        return _encoder.encode(rows)
    except UnicodeEncodeError:
        return _encoder.encode(
            [_written(item) if isinstance(item, str) else item for item in rows]  # bytes that are no text
        )


def _written(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return _ESCAPED + from_name(name)
    return name


def name_of(written: str) -> str:
    """The name of a row as the operating system spells it."""
    return to_name(written[1:]) if written[0] == _ESCAPED else written


def text_of(written: str | int) -> str:
    """Path text of the name of a row."""
    assert isinstance(written, str)
    if written[0] == _ESCAPED:
        return written[1:]
    return written if written.isascii() and "\\" not in written else from_name(written)


def is_link(seen: Seen) -> bool:
    """Whether it looked like a symbolic link."""
    return stat.S_ISLNK(seen[4])
