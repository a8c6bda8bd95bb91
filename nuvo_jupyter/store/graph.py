"""What refers to what in the store: which blobs each manifest and folder needs, kept so that each is read once ever.

A blob's id is the hash of its bytes, so what it refers to never changes. Blobs are numbered; a folder that was read costs
four bytes per entry, however many snapshots share it.
"""

from __future__ import annotations

import os
import struct
import tempfile
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path

import zstandard
from blake3 import blake3

from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.store.manifest import decode_manifest
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.tree import decode_tree

AT_ONCE = 2000
"""Folders that are read at once."""

_MAGIC = b"nuvo graph 1\n"
_SUM = 32
_UNREAD = 0xFFFF_FFFF_FFFF_FFFF
_ID = 32
_SIZES = struct.Struct("<5Q")


class Reached:
    """Which blobs were reached: a byte for each folder or manifest, and for each piece of content, by number."""

    def __init__(self) -> None:
        self.folders = bytearray()
        self.contents = bytearray()


class Graph:
    """Manifests and folders (both called folders here) with what they refer to.

    The same bytes may be a folder here and a file's content there, so the two are numbered apart. In ``edges`` an even
    number is twice a folder's, an odd one twice a content's plus one.
    """

    def __init__(self) -> None:
        self.folders: dict[bytes, int] = {}
        self.names: list[bytes] = []
        self.contents: dict[bytes, int] = {}
        self.edges = array("I")
        self._starts = array("Q")
        self._ends = array("Q")
        self.learned = 0

    def folder(self, id_: bytes) -> int:
        """The number of a folder or manifest."""
        number = self.folders.get(id_)
        if number is None:
            number = self.folders[id_] = len(self.names)
            self.names.append(id_)
            self._starts.append(_UNREAD)
            self._ends.append(_UNREAD)
        return number

    def below(self, folder: int) -> array[int]:
        """What a folder that was read refers to."""
        return self.edges[self._starts[folder] : self._ends[folder]]

    def is_read(self, folder: int) -> bool:
        """Whether it is known what a folder refers to."""
        return self._starts[folder] != _UNREAD

    def reach(
        self,
        store: Store,
        reached: Reached,
        manifests: Iterable[bytes],
        trees: Iterable[bytes],
        *,
        stop: Callable[[], None],
        tell: Callable[[int, int], None] | None = None,
        partly: bool = False,
    ) -> None:
        """Reach everything that manifests and trees need, reading what was never read.

        Args:
            reached: what was reached before, which is not walked again; added to.
            stop: called now and then; raises to stop.
            tell: told how many folders were read, and how many are known to be needed.
            partly: some of it may be gone.

        Raises:
            StoreDamaged: a manifest or folder is missing or altered, so that nobody knows what it needs.
        """
        is_manifest = {self.folder(id_) for id_ in manifests}
        found = [*is_manifest, *(self.folder(id_) for id_ in trees)]
        unread: list[int] = []
        done = 0
        while True:
            self._walk(reached, found, unread)
            if not unread:
                return
            stop()
            if tell is not None:
                tell(done, done + len(unread))
            batch, unread = unread[:AT_ONCE], unread[AT_ONCE:]
            self._read(store, batch, is_manifest, partly)
            done += len(batch)
            found = [number for number in batch if self.is_read(number)]
            for number in found:
                # Reached already, but not walked.
                reached.folders[number] = 0

    def _walk(self, reached: Reached, pending: list[int], unread: list[int]) -> None:
        edges, starts, ends = self.edges, self._starts, self._ends
        reached.folders.extend(bytes(len(starts) - len(reached.folders)))
        reached.contents.extend(bytes(len(self.contents) - len(reached.contents)))
        folders, contents = reached.folders, reached.contents
        stack = pending
        while stack:
            number = stack.pop()
            if folders[number]:
                continue
            folders[number] = 1
            start = starts[number]
            if start == _UNREAD:
                unread.append(number)
                continue
            for edge in edges[start : ends[number]]:
                if edge & 1:
                    contents[edge >> 1] = 1
                elif not folders[edge >> 1]:
                    stack.append(edge >> 1)

    def _read(self, store: Store, batch: list[int], is_manifest: set[int], partly: bool) -> None:
        numbers = {self.names[number]: number for number in batch}
        gone: Callable[[bytes, StoreDamaged], None] | None = (lambda _id, _error: None) if partly else None
        for id_, data in store.read_many(numbers, damaged=gone):
            number = numbers[id_]
            start = len(self.edges)
            try:
                self.edges.extend(self._manifest(data) if number in is_manifest else self._tree(data, id_))
            except StoreDamaged:
                if not partly:
                    raise
                continue
            self._starts[number] = start
            self._ends[number] = len(self.edges)
            self.learned += 1

    def _tree(self, data: bytes, id_: bytes) -> list[int]:
        found = []
        contents = self.contents
        for entry in decode_tree(data, id_):
            node = entry.node
            if node.kind == "folder":
                found.append(self.folder(node.content[0]) << 1)
            else:
                for content in node.content:
                    found.append(contents.setdefault(content, len(contents)) << 1 | 1)
        return found

    def _manifest(self, data: bytes) -> list[int]:
        manifest = decode_manifest(data)
        found = [self.folder(manifest.root) << 1]
        found.extend(self.folder(item.tree) << 1 for item in manifest.applications)
        contents = self.contents
        for table in manifest.tables:
            found.extend(contents.setdefault(id_, len(contents)) << 1 | 1 for id_ in table.node.content)
        return found

    def is_reached(self, reached: Reached, id_: bytes) -> bool:
        """Whether a blob was reached, as a folder or as content."""
        number = self.folders.get(id_)
        if number is not None and number < len(reached.folders) and reached.folders[number]:
            return True
        number = self.contents.get(id_)
        return number is not None and number < len(reached.contents) and bool(reached.contents[number])

    def without_unreached(self, reached: Reached) -> Graph:
        """A graph of what was reached alone."""
        other = Graph()
        names = self.names
        contents = list(self.contents)
        for number, seen in enumerate(reached.folders):
            if not seen or not self.is_read(number):
                continue
            own = other.folder(names[number])
            below = []
            for edge in self.below(number):
                if edge & 1:
                    id_ = contents[edge >> 1]
                    below.append(other.contents.setdefault(id_, len(other.contents)) << 1 | 1)
                else:
                    below.append(other.folder(names[edge >> 1]) << 1)
            other._starts[own] = len(other.edges)
            other.edges.extend(below)
            other._ends[own] = len(other.edges)
        return other

    @classmethod
    def load(cls, path: Path | None) -> Graph:
        """Read a graph that was saved; an empty one where it is missing or damaged."""
        graph = cls()
        try:
            data = b"" if path is None else path.read_bytes()
        except OSError:
            return graph
        body = memoryview(data)[len(_MAGIC) + _SUM :]
        if not data.startswith(_MAGIC) or data[len(_MAGIC) : len(_MAGIC) + _SUM] != blake3(body).digest():
            return graph
        try:
            plain = memoryview(zstandard.decompress(body))
        except zstandard.ZstdError:
            return graph
        parts, at = [], _SIZES.size
        for length in _SIZES.unpack_from(plain):
            parts.append(plain[at : at + length])
            at += length
        graph.folders = _numbered(bytes(parts[0]))
        graph.names = list(graph.folders)
        graph.contents = _numbered(bytes(parts[1]))
        for own, part in zip((graph._starts, graph._ends, graph.edges), parts[2:], strict=True):
            own.frombytes(part)
        return graph

    def save(self, path: Path) -> None:
        """Write the graph, replacing what was there atomically; a disk that is full is no error."""
        parts = (b"".join(self.names), b"".join(self.contents), self._starts, self._ends, self.edges)
        lengths = [memoryview(part).nbytes for part in parts]
        compressor = zstandard.ZstdCompressor(1).chunker(_SIZES.size + sum(lengths))
        hasher = blake3()
        temporary = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".graph-", dir=path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + bytes(_SUM))
                for part in (_SIZES.pack(*lengths), *parts, None):
                    for piece in (
                        compressor.finish()  # type: ignore[no-untyped-call]
                        if part is None
                        else compressor.compress(memoryview(part))
                    ):
                        hasher.update(piece)
                        file.write(piece)
                file.seek(len(_MAGIC))
                file.write(hasher.digest())
            os.replace(temporary, path)
        except OSError:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)


def _numbered(ids: bytes) -> dict[bytes, int]:
    return {ids[at : at + _ID]: number for number, at in enumerate(range(0, len(ids), _ID))}
