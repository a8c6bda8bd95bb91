"""What the last capture of an instance found, so that the next one need not read what did not change.

Only ever a help: a damaged, missing or foreign memory makes the next capture slower, never wrong.
"""

from __future__ import annotations

import os
import tempfile

import msgspec
from blake3 import blake3

from nuvo_jupyter.model.nodes import BlobId, Node
from nuvo_jupyter.model.paths import basename, parent
from nuvo_jupyter.workspace.scan import Fingerprint

_MAGIC = b"nuvo memory 2\n"
_SUM = 32

RACY_NS = 2_000_000_000
"""A file changed this shortly before it was read may change again without a new time stamp. git compares with
the index's time (Documentation/technical/racy-git.txt); two seconds cover FAT and a file server's clock."""


class Remembered(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One file: how it looked and what it held."""

    seen: Fingerprint
    content: tuple[BlobId, ...]


Folders = dict[str, dict[str, Remembered]]
"""Folder's path text → file's name → what is remembered."""


class RememberedTree(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One folder of which everything is remembered: its tree, how many files are in it, its folders and links by name."""

    id: BlobId
    files: int
    others: dict[str, Node]


class _Image(msgspec.Struct, array_like=True):
    token: bytes
    folders: Folders
    trees: dict[str, RememberedTree]
    added: set[BlobId]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Image)


class Memory:
    """The remembered files of one instance.

    Args:
        folders: what is remembered.
        token: names what shows that all of it is in the store; ``b""`` if nothing does.
        trees: by folder, for folders of which everything is remembered.
        added: content remembered since, of which the token says nothing.
    """

    def __init__(
        self,
        folders: Folders | None = None,
        token: bytes = b"",
        trees: dict[str, RememberedTree] | None = None,
        added: set[BlobId] | None = None,
    ) -> None:
        self.folders: Folders = folders if folders is not None else {}
        self.token = token
        self.trees: dict[str, RememberedTree] = trees if trees is not None else {}
        self.added: set[BlobId] = added if added is not None else set()

    def get(self, path: str) -> Remembered | None:
        """What is remembered of the file at ``path``."""
        return self.folders.get(parent(path), {}).get(basename(path))

    def remember(self, path: str, seen: Fingerprint, content: tuple[BlobId, ...]) -> None:
        """Note the file at ``path``: what it holds is in the store, and no change to it will go unseen."""
        folder, _, name = path.rpartition("/")
        self.folders.setdefault(folder, {})[name] = Remembered(seen, content)
        self.trees.pop(folder, None)
        self.added.update(content)

    def __len__(self) -> int:
        return sum(map(len, self.folders.values()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Memory:
        """Read a memory, with the token it was saved with; empty where it is missing or damaged.

        Whoever loads it sees to it that the token still holds, or clears it.
        """
        try:
            with open(path, "rb") as file:
                data = memoryview(file.read())
        except OSError:
            return cls()
        body = data[len(_MAGIC) + _SUM :]
        if data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC) : len(_MAGIC) + _SUM] != blake3(body).digest():
            return cls()
        try:
            image = _decoder.decode(body)
        except msgspec.MsgspecError:
            return cls()
        return cls(image.folders, image.token, image.trees, image.added)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the memory, replacing what was there atomically; a disk that is full is no error."""
        folder = os.path.dirname(os.fspath(path)) or "."
        body = _encoder.encode(_Image(self.token, self.folders, self.trees, self.added))
        temporary = None
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".memory-", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + blake3(body).digest() + body)
            os.replace(temporary, path)
        except OSError:
            if temporary is not None:
                try:
                    os.unlink(temporary)
                except OSError:
                    pass


def trusted(seen: Fingerprint, read_at_ns: int) -> Fingerprint:
    """The fingerprint to keep of a file read at a time: one that never matches if it was changed just before."""
    if seen.ctime_ns > read_at_ns - RACY_NS:
        return msgspec.structs.replace(seen, ctime_ns=0)
    return seen
