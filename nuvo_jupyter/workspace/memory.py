"""What the last capture of an instance found, so that the next one need not read what did not change.

Only ever a help: a damaged, missing or foreign memory makes the next capture slower, never wrong.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Collection

import msgspec
from blake3 import blake3

from nuvo_jupyter.model.nodes import BlobId
from nuvo_jupyter.model.paths import basename, parent
from nuvo_jupyter.workspace.record import FolderRecord, is_link, unpack_contents
from nuvo_jupyter.workspace.scan import RACY_NS, Fingerprint

_MAGIC = b"nuvo memory 4\n"
_SUM = 32

WARM_BYTES = 32 << 20
"""Of memories that are kept loaded, as large as they are on disk."""


class Remembered(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One file: how it looked and what it held."""

    seen: Fingerprint
    content: tuple[BlobId, ...]


class _Image(msgspec.Struct, array_like=True):
    token: bytes
    folders: dict[str, FolderRecord]
    later: dict[str, bytes]


_Files = dict[str, Remembered]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Image)
_files_decoder = msgspec.msgpack.Decoder(_Files)


class Memory:
    """What is remembered of one instance.

    Args:
        folders: by path text; the dictionary is never changed.
        token: names what shows that all of it is in the store; ``b""`` if nothing does.
        later: files noted since, of which the token says nothing: by folder those in it by name, encoded, because
            a restore notes as many as there are.
    """

    def __init__(
        self,
        folders: dict[str, FolderRecord] | None = None,
        token: bytes = b"",
        later: dict[str, bytes] | None = None,
    ) -> None:
        self.folders: dict[str, FolderRecord] = folders if folders is not None else {}
        self.token = token
        self._later: dict[str, bytes] = later if later is not None else {}
        self._noting: str | None = None
        self._noted: _Files = {}

    @property
    def later(self) -> Collection[str]:
        """Folders in which files were noted since."""
        return self._all_later().keys()

    def files(self, folder: str) -> dict[str, Remembered]:
        """What is remembered of the files in one folder, by the path text of their names."""
        known = self.folders.get(folder)
        found = {}
        if known is not None:
            for name, seen, content in known.entries():
                if not is_link(seen) and isinstance(content, tuple):
                    found[name] = Remembered(Fingerprint(*seen), content)
        found.update(self._later_in(folder))
        return found

    def get(self, path: str) -> Remembered | None:
        """What is remembered of the file at ``path``."""
        return self.files(parent(path)).get(basename(path))

    def remember(self, path: str, seen: Fingerprint, content: tuple[BlobId, ...]) -> None:
        """Note the file at ``path``: what it holds is in the store, and no change to it will go unseen."""
        folder, _, name = path.rpartition("/")
        if folder != self._noting:
            # Those of one folder come one after the other.
            self._all_later()
            self._noting, self._noted = folder, self._later_in(folder)
        self._noted[name] = Remembered(seen, content)

    def added(self) -> set[BlobId]:
        """Content noted since, of which the token says nothing."""
        return {
            id_ for folder in self.later for file in self._later_in(folder).values() for id_ in file.content
        }

    def held(self) -> set[BlobId]:
        """All content and trees that are remembered."""
        found = self.added()
        for folder in self.folders.values():
            found.add(folder.tree)
            for content in unpack_contents(folder.contents):
                if isinstance(content, tuple):
                    found.update(content)
        found.discard(b"")
        return found

    def without(self, lost: set[BlobId]) -> Memory:
        """A memory of what is left when some content and trees are not in the store any more."""
        folders = {}
        for path, folder in self.folders.items():
            if folder.tree in lost:
                folder = msgspec.structs.replace(folder, tree=b"")
            contents = unpack_contents(folder.contents)
            left = [
                None if isinstance(content, tuple) and not lost.isdisjoint(content) else content
                for content in contents
            ]
            if left != contents:
                folder = msgspec.structs.replace(folder, rules=b"", contents=_encoder.encode(left))
            folders[path] = folder
        later = {}
        for path in self.later:
            files = self._later_in(path)
            later[path] = _encoder.encode(
                {name: file for name, file in files.items() if lost.isdisjoint(file.content)}
            )
        return Memory(folders, b"", later)

    def _later_in(self, folder: str) -> _Files:
        """Files noted since in one folder."""
        if folder == self._noting:
            return self._noted
        known = self._later.get(folder)
        return {} if known is None else _files_decoder.decode(known)

    def _all_later(self) -> dict[str, bytes]:
        if self._noting is not None:
            self._later[self._noting] = _encoder.encode(self._noted)
            self._noting, self._noted = None, {}
        return self._later

    def __len__(self) -> int:
        return sum(folder.files for folder in self.folders.values())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Memory:
        """Read a memory, with the token it was saved with; empty where it is missing or damaged.

        Whoever loads it sees to it that the token still holds, or clears it.
        """
        try:
            with open(path, "rb") as file:
                identity = _identity(os.fstat(file.fileno()))
                warm = _warm.get(os.fspath(path), identity)
                if warm is not None:
                    return warm
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
        memory = cls(image.folders, image.token, image.later)
        _warm.put(os.fspath(path), identity, memory)
        return memory

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the memory, replacing what was there atomically; a disk that is full is no error."""
        folder = os.path.dirname(os.fspath(path)) or "."
        body = _encoder.encode(_Image(self.token, self.folders, self._all_later()))
        temporary = None
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".memory-", dir=folder)
            with os.fdopen(handle, "wb", buffering=0) as file:
                file.write(_MAGIC + blake3(body).digest())
                rest = memoryview(body)
                while rest:
                    rest = rest[file.write(rest) :]
                identity = _identity(os.fstat(handle))
            os.replace(temporary, path)
        except OSError:
            if temporary is not None:
                try:
                    os.unlink(temporary)
                except OSError:
                    pass
        else:
            _warm.put(os.fspath(path), identity, self)

    def copy(self) -> Memory:
        """The same, to be changed apart."""
        return Memory(self.folders, self.token, dict(self._all_later()))


_Identity = tuple[int, int, int, int]


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class _Warm:
    """The memories loaded or saved last, as long as nobody has written their files. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[_Identity, Memory]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, path: str, identity: _Identity) -> Memory | None:
        with self._lock:
            identity_then, memory = self._kept.get(path, (None, None))
            if memory is None or identity_then != identity:
                return None
            self._kept.move_to_end(path)
            return memory.copy()

    def put(self, path: str, identity: _Identity, memory: Memory) -> None:
        with self._lock:
            self._drop(path)
            if identity[2] <= WARM_BYTES:
                self._kept[path] = identity, memory.copy()
                self._size += identity[2]
            while self._size > WARM_BYTES:
                self._drop(next(iter(self._kept)))

    def _drop(self, path: str) -> None:
        kept = self._kept.pop(path, None)
        if kept is not None:
            self._size -= kept[0][2]


_warm = _Warm()


def trusted(seen: Fingerprint, read_at_ns: int) -> Fingerprint:
    """The fingerprint to keep of a file read at a time: one that never matches if it was changed just before."""
    if seen.ctime_ns > read_at_ns - RACY_NS:
        return msgspec.structs.replace(seen, ctime_ns=0)
    return seen
