"""Reading a crate, which anybody may have made: nothing in it is believed before it was checked."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO
from urllib.parse import unquote

import msgspec
from blake3 import blake3

from nuvo_jupyter.interop.crate import FORMAT, METADATA, SNAPSHOT, Description, Imported, InvalidCrate, Item
from nuvo_jupyter.model.errors import Cancelled, InvalidPath, StoreDamaged
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind
from nuvo_jupyter.model.paths import parse_path
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import add_manifest, decode_manifest
from nuvo_jupyter.store.writer import Writer

MAX_SIZE = 1 << 40
"""Bytes that a crate's files may have together, unless the caller says otherwise."""
MAX_RATIO = 200
"""How many times more than the crate its files may be, beyond a size that harms nobody."""
HARMLESS_SIZE = 256 << 20
_DESCRIPTION_MAX = 512 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER = 30
"""Fixed bytes before an entry's name and content (APPNOTE.TXT 4.3.7)."""
_PIECE = 1 << 20


class _Entity(msgspec.Struct):
    id: str = msgspec.field(default="", name="@id")
    sha256: str = ""


class _Graph(msgspec.Struct):
    graph: list[_Entity] = msgspec.field(default_factory=list, name="@graph")


def import_crate(
    file: BinaryIO,
    writer: Writer,
    *,
    max_size: int = MAX_SIZE,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Imported:
    """Bring the snapshot of a crate into a store; the caller flushes and commits the writer, and enters the snapshot.

    What was written before an error is garbage that nothing refers to, as after any capture that was cut off.

    Args:
        file: the zip, able to seek.
        writer: of the store; to be thrown away after an error.
        max_size: bytes that the files may have together.
        progress: called with (bytes read, bytes to read).
        cancelled: asked again and again.

    Raises:
        InvalidCrate: it is none, or anything in it is not as it says.
        Cancelled: ``cancelled`` said so.
        StorageFull, ServiceUnavailable: the store cannot be written.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _Import(archive, file.seek(0, 2), writer, max_size, progress, cancelled).run()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeDecodeError,
        OverflowError,
    ) as error:
        raise InvalidCrate(f"The crate is damaged or no zip file: {error}") from error


class _Import:
    def __init__(
        self,
        archive: zipfile.ZipFile,
        length: int,
        writer: Writer,
        max_size: int,
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._archive = archive
        self._length = length
        self._writer = writer
        self._max_size = max_size
        self._progress = progress
        self._cancelled = cancelled
        self._done = 0
        self._total = 0

    def run(self) -> Imported:
        entries = self._entries()
        description = self._description(entries)
        items = _checked(description.items)
        self._check_entries(entries, items, description)
        repeated = sum(item.size for item in items.values()) - _distinct(items.values())
        self._check_size(self._total - repeated)
        nodes = {path: _node(item) for path, item in items.items()}
        manifest, manifest_id = _manifest(description)
        sha256 = self._sha256(entries)
        for name in description.derived:
            self._read(entries[name], sha256.get(name))
        for item in items.values():
            if item.kind is NodeKind.FILE:
                self._add(item, entries[item.entry], sha256.get(item.entry))
            elif item.kind is NodeKind.LINK and self._read(entries[item.entry]) != item.link.encode():
                raise InvalidCrate(f"The link {item.path!r} points elsewhere than the crate says.")
        self._check_manifest(manifest, nodes)
        if add_manifest(self._writer, manifest) != manifest_id:
            raise InvalidCrate("The snapshot does not have the id that the crate says.")
        return Imported(id=manifest_id, manifest=manifest, metadata=description.metadata)

    def _entries(self) -> dict[str, zipfile.ZipInfo]:
        """By name; an entry given twice, or inside another one, is a way to hide something."""
        entries: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for info in sorted(self._archive.infolist(), key=lambda info: info.header_offset):
            if info.filename in entries or info.orig_filename != info.filename:
                raise InvalidCrate(f"{info.orig_filename!r} is in the crate twice.")
            if info.header_offset < end or info.header_offset + info.compress_size + _HEADER > self._length:
                raise InvalidCrate(f"{info.filename!r} overlaps with other content of the crate.")
            if info.compress_type not in _METHODS or info.flag_bits & 0x1:
                raise InvalidCrate(f"{info.filename!r} is compressed or encrypted in a way that is not read.")
            end = info.header_offset + info.compress_size + _HEADER
            entries[info.filename] = info
        self._total = sum(info.file_size for info in entries.values())
        if self._total > self._max_size:
            raise _too_large(self._total, self._length)
        known = [entries[name].file_size for name in (SNAPSHOT, METADATA) if name in entries]
        self._check_size(sum(known) if len(known) == 2 else self._total)
        return entries

    def _check_size(self, size: int) -> None:
        """Refuse what would grow out of all proportion in the store."""
        if size > HARMLESS_SIZE and size > MAX_RATIO * self._length:
            raise _too_large(size, self._length)

    def _description(self, entries: Mapping[str, zipfile.ZipInfo]) -> Description:
        for name in (SNAPSHOT, METADATA):
            if name not in entries:
                raise InvalidCrate(f"There is no {name} in it, so it is no crate that Nuvo exported.")
        data = self._read(entries[SNAPSHOT])
        try:
            version = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("format")
            if version is not None and int(bytes(version)) > FORMAT:
                raise InvalidCrate(
                    "The crate was written by a newer version of Nuvo.",
                    hint="Upgrade with `pip install -U nuvo-jupyter`.",
                )
            return msgspec.json.decode(data, type=Description)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise InvalidCrate(f"{SNAPSHOT} in the crate cannot be read: {error}") from error

    def _check_entries(
        self, entries: Mapping[str, zipfile.ZipInfo], items: Mapping[str, Item], description: Description
    ) -> None:
        expected = {SNAPSHOT, METADATA}
        names = [*description.derived, *(item.entry for item in items.values())]
        for name in names:
            if name in expected:
                raise InvalidCrate(f"{name!r} is in the crate twice.")
            expected.add(name)
            if name not in entries:
                raise InvalidCrate(f"{name!r} is missing in the crate.")
        extra = entries.keys() - expected
        if extra:
            raise InvalidCrate(f"{min(extra)!r} is in the crate, but not in its list.")
        for item in items.values():
            size = len(item.link.encode()) if item.kind is NodeKind.LINK else item.size
            if entries[item.entry].file_size != size:
                raise InvalidCrate(f"{item.path!r} does not have the size that the crate says.")

    def _sha256(self, entries: Mapping[str, zipfile.ZipInfo]) -> dict[str, str]:
        try:
            graph = msgspec.json.decode(self._read(entries[METADATA]), type=_Graph).graph
        except (msgspec.MsgspecError, RecursionError) as error:
            raise InvalidCrate(f"{METADATA} in the crate cannot be read: {error}") from error
        return {unquote(entity.id): entity.sha256 for entity in graph if entity.sha256}

    def _add(self, item: Item, info: zipfile.ZipInfo, sha256: str | None) -> None:
        sha = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            for piece in self._pieces(info):
                sha.update(piece)
                yield piece

        content = self._writer.add_stream(pieces())
        if tuple(id_.hex() for id_ in content) != item.content or (sha256 and sha.hexdigest() != sha256):
            raise InvalidCrate(f"{item.path!r} does not have the hash that the crate says.")

    def _read(self, info: zipfile.ZipInfo, sha256: str | None = None) -> bytes:
        if info.file_size > _DESCRIPTION_MAX:
            raise InvalidCrate(f"{info.filename!r} is larger than can be.")
        data = b"".join(self._pieces(info))
        if sha256 and hashlib.sha256(data).hexdigest() != sha256:
            raise InvalidCrate(f"{info.filename!r} does not have the hash that the crate says.")
        return data

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        left = info.file_size
        with self._archive.open(info) as entry:
            while piece := entry.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise InvalidCrate(f"{info.filename!r} is larger than the crate says.")
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled("The import was cancelled.")
                self._done += len(piece)
                if self._progress is not None:
                    self._progress(self._done, self._total)
                yield piece
        if left:
            raise InvalidCrate(f"{info.filename!r} is shorter than the crate says.")

    def _check_manifest(self, manifest: Manifest, nodes: Mapping[str, Node]) -> None:
        """Nothing may refer to what did not come with the crate."""
        try:
            trees = tree.build_all(nodes, self._writer)
        except InvalidPath as error:
            raise InvalidCrate(error.message) from error
        known = {id_ for node in nodes.values() for id_ in node.content}
        beside = {id_ for table in manifest.tables for id_ in table.node.content}
        applications = {application.tree for application in manifest.applications}
        if trees[""] != manifest.root or beside - known or applications - set(trees.values()):
            raise InvalidCrate("The crate's list of files is not that of its snapshot.")


def _too_large(size: int, length: int) -> InvalidCrate:
    return InvalidCrate(
        f"The crate would become {size} bytes out of {length}, which is more than is allowed.",
        hint="If it really is so large, export only a part of it.",
    )


def _distinct(items: Iterable[Item]) -> int:
    """About how many bytes of files are not the same as others: of a disk image that is all zeros, next to none.

    What a crate says of its content is verified; if it lies, nothing of it is kept.
    """
    seen: set[str] = set()
    size = 0
    for item in items:
        new = set(item.content) - seen
        seen |= new
        size += item.size * len(new) // max(len(item.content), 1)
    return size


def _checked(items: tuple[Item, ...]) -> dict[str, Item]:
    """Items by path, each of a shape that a capture makes."""
    found: dict[str, Item] = {}
    for item in items:
        try:
            fits = parse_path(item.path) == item.path != "" and (
                not item.stored or parse_path(item.stored) == item.stored
            )
        except InvalidPath as error:
            raise InvalidCrate(error.message) from error
        if not fits or not 0 <= item.mode <= 0o7777 or item.size < 0 or abs(item.mtime_ns) >= 1 << 63:
            raise InvalidCrate(f"{item.path!r} is nothing that a snapshot can hold.")
        if (item.kind is not NodeKind.FILE and (item.content or item.size)) or (
            (item.kind is NodeKind.LINK) != bool(item.link) or "\0" in item.link
        ):
            raise InvalidCrate(f"{item.path!r} is nothing that a snapshot can hold.")
        if item.path in found:
            raise InvalidCrate(f"{item.path!r} is in the crate's list twice.")
        found[item.path] = item
    for path in found:
        folder = path.rpartition("/")[0]
        if folder and (folder not in found or found[folder].kind is not NodeKind.FOLDER):
            raise InvalidCrate(f"{path!r} lies in something that is no folder.")
    return found


def _node(item: Item) -> Node:
    try:
        node = item.node()
    except ValueError:
        raise InvalidCrate(f"{item.path!r} has a hash that is none.") from None
    if any(len(id_) != 32 for id_ in node.content):
        raise InvalidCrate(f"{item.path!r} has a hash that is none.")
    return node


def _manifest(description: Description) -> tuple[Manifest, bytes]:
    """The manifest, whose hash is the snapshot's id."""
    id_ = blake3(description.manifest).digest()
    if id_.hex() != description.id:
        raise InvalidCrate("The snapshot does not have the id that the crate says.")
    try:
        return decode_manifest(description.manifest), id_
    except StoreDamaged as error:
        raise InvalidCrate(error.message, hint=error.hint) from error
