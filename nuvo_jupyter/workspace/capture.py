"""Capturing a state: a workspace becomes records with content, and a manifest."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import ApplicationEntry, BlobId, Exclusion, Manifest, TableEntry
from nuvo_jupyter.model.paths import is_inside, join
from nuvo_jupyter.native import read_files
from nuvo_jupyter.store.chunks import WHOLE_UP_TO
from nuvo_jupyter.store.manifest import encode_manifest
from nuvo_jupyter.store.pack import MANIFEST
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.writer import Writer
from nuvo_jupyter.workspace import database
from nuvo_jupyter.workspace.captured import Captured
from nuvo_jupyter.workspace.content import CLOSER_LOOK, Reader
from nuvo_jupyter.workspace.forest import plant
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.record import (
    NO_FOLDERS,
    WIDTH,
    FolderRecord,
    name_of,
    pack_folders,
    unpack_folders,
)
from nuvo_jupyter.workspace.rules import Rules
from nuvo_jupyter.workspace.safe import READ_FLAGS, VANISHED, Descent, Root, look
from nuvo_jupyter.workspace.scan import RACY_NS, Listing, link_target, scan, unreadable
from nuvo_jupyter.workspace.sink import Hashing, Sink
from nuvo_jupyter.workspace.sorting import TO_READ, Sorted, sort_out

__all__ = ["Captured", "capture", "look_at"]

BLOCK_FILES = 500
UNREAD = (b"\0" * 32,)
"""Stands for the content of a file that was not read; nothing has that id."""
PROGRESS_BYTES = 1 << 20
"""Progress is told about this often, in bytes."""


def capture(
    root: Root,
    store: Store | None = None,
    memory: Memory | None = None,
    *,
    rules: Rules | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    writer: Writer | None = None,
    tables: Sequence[TableEntry] = (),
    applications: Sequence[ApplicationEntry] = (),
    now: Callable[[], int] = time.time_ns,
    reads: Callable[[str], bool] | None = None,
) -> Captured:
    """Read a state completely.

    Args:
        root: the opened workspace.
        store: asked whether remembered content is still there, unless the memory's token vouches for it.
        memory: of the last capture; what is unchanged since is not read.
        rules: what is left out; the defaults and ``.nuvoignore`` if ``None``.
        progress: called with (bytes read, bytes to read).
        cancelled: asked after each folder and every 250 small files, and within large ones.
        writer: takes the content; the caller flushes and commits it. ``None`` stores nothing and gives the same ids.
        tables: of the state, sorted by name.
        applications: of the state, sorted by name.
        now: the clock, nanoseconds since 1970.
        reads: whether what is new or changed at a path is read; if not, it gets the content :data:`UNREAD`. Only where
            nothing is stored; ``None`` reads all.

    Raises:
        Cancelled: ``cancelled`` said so; what was written is garbage that nothing refers to.
        StorageFull, ServiceUnavailable: the store cannot take the content.
    """
    memory = _held(store, Memory() if memory is None else memory)
    sink = writer or Hashing()
    work = _Capture(root, memory, sink, progress, cancelled, now, reads)
    work.run(rules or Rules())
    root_tree, trees = plant(work.folders, work.unchanged, sink)
    manifest = Manifest(
        root=root_tree,
        tables=tuple(tables),
        applications=tuple(applications),
        excluded=tuple(sorted(work.excluded, key=lambda item: item.path)),
        inconsistent=tuple(sorted(work.inconsistent)),
        files=sum(folder.files for folder in work.folders.values()),
        size=sum(folder.size for folder in work.folders.values()),
    )
    return Captured(
        work.folders,
        manifest,
        sink.add(encode_manifest(manifest), MANIFEST),
        Memory(work.folders),
        trees,
        not trees and not memory.later,
        work.files_read,
        work.done,
    )


def look_at(
    root: Root,
    store: Store | None = None,
    memory: Memory | None = None,
    *,
    rules: Rules | None = None,
    cancelled: Callable[[], bool] | None = None,
    reads: Callable[[str], bool] | None = None,
) -> Captured:
    """What :func:`capture` would give, storing nothing; for previews."""
    return capture(root, store, memory, rules=rules, cancelled=cancelled, reads=reads)


def _held(store: Store | None, memory: Memory) -> Memory:
    """What of a memory is in the store, as far as its token does not say that all is."""
    if store is None:
        return memory
    wanted = memory.added() if memory.token else memory.held()
    lost = wanted - store.contains(wanted) if wanted else None
    return memory.without(lost) if lost else memory


class _Block:
    """Small files that were read one behind the other, and are stored together.

    Args:
        room: where they lie.

    Attributes:
        used: bytes of the room.
        sizes: of the files.
    """

    def __init__(self, room: bytearray) -> None:
        self.room = room
        self.used = 0
        self.sizes: list[int] = []
        self._files: list[tuple[Sorted, list[int]]] = []

    def add(self, folder: Sorted, files: list[int]) -> None:
        """Note what was read."""
        rows, contents = folder.rows, folder.contents
        sizes: Any = [rows[at * WIDTH + 1] for at in files]
        if 0 in sizes:
            for at, size in zip(files, sizes, strict=True):
                if not size:
                    contents[at] = ()
            files = [at for at, size in zip(files, sizes, strict=True) if size]
            sizes = [size for size in sizes if size]
        if files:
            self.sizes += sizes
            self._files.append((folder, files))

    def waits(self, folder: Sorted) -> bool:
        """Whether the folder added last is this one."""
        return bool(self._files) and self._files[-1][0] is folder

    @property
    def is_full(self) -> bool:
        """Whether there are enough files in it; whether the next one fits is seen when it is read."""
        return len(self.sizes) >= BLOCK_FILES

    def note(self, ids: Sequence[BlobId]) -> None:
        """Enter what the files hold."""
        following = iter(ids)
        for folder, files in self._files:
            contents = folder.contents
            for at in files:
                contents[at] = (next(following),)


class _Capture:
    def __init__(
        self,
        root: Root,
        memory: Memory,
        sink: Sink,
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
        now: Callable[[], int],
        reads: Callable[[str], bool] | None,
    ) -> None:
        self.reads = reads
        self.root = root
        self.memory = memory
        self.sink = sink
        self.progress = progress
        self.cancelled = cancelled
        self.now = now
        self.folders: dict[str, FolderRecord] = {}
        self.unchanged: set[str] = set()
        self.excluded: list[Exclusion] = []
        self.inconsistent: list[str] = []
        self.files_read = 0
        self.done = 0
        self.told = -PROGRESS_BYTES
        self.total = 0
        self._block: _Block | None = None
        self._finishing: list[Sorted] = []
        self._vanished: list[str] = []

    def run(self, rules: Rules) -> None:
        found = scan(self.root, rules, self.memory.folders, self.memory.later, self.cancelled)
        with Descent(self.root) as descent:
            changed = []
            for listing in found:
                if listing.excluded:
                    self.excluded += listing.excluded
                if listing.known is None:
                    changed.append(self._sort_out(listing, descent))
                else:
                    self._take_over(listing, listing.known)
            found.clear()
            self._tick(0)
            reader = Reader(self.sink, self._tick)
            changed.reverse()
            while changed:
                self._read(reader, descent, changed.pop())
            self._store_block()
        if self._vanished:
            self._drop_vanished()
        for path, folder in self.folders.items():
            if folder.excluded:
                self.excluded += [Exclusion(join(path, name), reason) for name, reason in folder.excluded]

    def _take_over(self, listing: Listing, known: FolderRecord) -> None:
        if known.folders == listing.folders:
            self.unchanged.add(listing.path)
            self.folders[listing.path] = known
        else:
            self.folders[listing.path] = FolderRecord(
                known.rules,
                known.rows,
                known.contents,
                listing.folders,
                known.excluded,
                b"",
                known.files,
                known.size,
            )

    def _sort_out(self, listing: Listing, descent: Descent) -> Sorted:
        folder = sort_out(listing, self.memory.files(listing.path), descent)
        self.total += folder.size
        # Its place is kept: parents come first.
        self.folders[listing.path] = _EMPTY
        return folder

    def _read(self, reader: Reader, descent: Descent, folder: Sorted) -> None:
        """Read what is to be read of a folder, and finish it."""
        contents = folder.contents
        to_read = [at for at, content in enumerate(contents) if content is TO_READ]
        if self.reads is not None:
            to_read = self._left_to_read(folder, to_read, self.reads)
        if not to_read:
            self._finish(folder)
            return
        try:
            fd = descent.at(folder.listing.path)
        except OSError as error:
            self._unreadable(folder, to_read, error)
            return
        rows: Any = folder.rows
        saving = folder.saving
        small = [at for at in to_read if 0 <= rows[at * WIDTH + 1] <= WHOLE_UP_TO]
        if saving:
            small = [at for at in small if name_of(rows[at * WIDTH]) not in saving]
        closely = self._read_small(fd, folder, small)
        if len(small) < len(to_read):
            closely += sorted(set(to_read).difference(small))
        for at in closely:
            # Databases bring what lies beside them.
            self._read_closely(reader, fd, folder, at, closely)
        if self._block is not None and self._block.waits(folder):
            self._finishing.append(folder)
        else:
            self._finish(folder)

    def _read_small(self, fd: int, folder: Sorted, wanted: list[int]) -> list[int]:
        """Read small files of an opened folder into the block; returns those that need a closer look.

        One stat after reading says as much as one before and one after: the walk's came before.
        """
        rows: Any = folder.rows
        trusted = self.now() - RACY_NS
        closely: list[int] = []
        first = 0
        while first < len(wanted):
            block = self._block
            if block is None:
                block = self._block = _Block(self.sink.room())
            begun, used = first, block.used
            first, block.used, refused = read_files(
                fd, rows, wanted, first, block.room, used, READ_FLAGS, CLOSER_LOOK
            )
            taken = wanted[begun:first]
            if refused:
                closely += refused
                taken = [at for at in taken if at not in refused]
            self.files_read += len(taken)
            block.add(folder, taken)
            for at in taken:
                if rows[at * WIDTH + 3] > trusted:
                    folder.doubt(at)
            self._tick(block.used - used)
            if first == begun or block.is_full:
                self._store_block()
        return closely

    def _left_to_read(
        self, folder: Sorted, to_read: Sequence[int], reads: Callable[[str], bool]
    ) -> list[int]:
        left = []
        prefix = folder.listing.path + "/" if folder.listing.path else ""
        for at in to_read:
            if reads(prefix + folder.text(at)):
                left.append(at)
            else:
                folder.contents[at] = UNREAD if folder.rows[at * WIDTH + 1] else ()
        return left

    def _read_closely(self, reader: Reader, fd: int, folder: Sorted, at: int, to_read: list[int]) -> None:
        """Read a file that is large, or a database, or does not stand still."""
        name, path = folder.name(at), join(folder.listing.path, folder.text(at))
        read_at = self.now()
        try:
            content = reader.read(fd, name, folder.seen(at), name in folder.saving)
        except OSError as error:
            self._explain(fd, folder, at, error)
            return
        self.files_read += 1
        beside = folder.beside.get(at, ())
        for companion in beside:
            if content.steady:
                folder.exclude(companion, database.BELONGS)
            else:
                # Only together are they of use: SQLite rolls back or forward what was copied half-way.
                folder.contents[companion] = TO_READ
                to_read.append(companion)
        if not content.steady:
            self.inconsistent.append(path)
        seen = msgspec.structs.replace(content.seen, size=content.size)
        folder.look(at, seen)
        if not (content.steady and content.alone) or seen.ctime_ns > read_at - RACY_NS:
            folder.doubt(at)
        if content.data:
            self._keep(folder, at, content.data)
        else:
            folder.contents[at] = content.ids

    def _keep(self, folder: Sorted, at: int, data: bytes) -> None:
        """Put the content of a file that is read already with those that are stored next."""
        if self._block is not None and len(data) > len(self._block.room) - self._block.used:
            self._store_block()
        block = self._block
        if block is None:
            block = self._block = _Block(self.sink.room())
        block.room[block.used : block.used + len(data)] = data
        block.used += len(data)
        block.add(folder, [at])

    def _store_block(self) -> None:
        """Have what was read stored, and finish the folders that waited for it."""
        block, self._block = self._block, None
        if block is not None:
            block.note(self.sink.add_room(block.room, block.sizes))
        for folder in self._finishing:
            self._finish(folder)
        self._finishing.clear()

    def _finish(self, folder: Sorted) -> None:
        self.folders[folder.listing.path] = folder.finished()

    def _unreadable(self, folder: Sorted, to_read: Sequence[int], error: OSError) -> None:
        """A folder that was walked and cannot be opened any more."""
        if error.errno in VANISHED:
            self._vanished.append(folder.listing.path)
            return
        for at in to_read:
            folder.exclude(at, unreadable(error))
            folder.doubt(at)
        self._finish(folder)

    def _drop_vanished(self) -> None:
        """A folder that vanished after it was walked was not there."""
        folders = self.folders
        for gone in self._vanished:
            for path in [path for path in folders if is_inside(path, gone)]:
                del folders[path]
        for gone in self._vanished:
            above, _, name = gone.rpartition("/")
            if above in folders:
                left = [item for item in unpack_folders(folders[above].folders) if item[0] != name]
                folders[above] = msgspec.structs.replace(folders[above], folders=pack_folders(left))
                self.unchanged.discard(above)

    def _explain(self, fd: int, folder: Sorted, at: int, error: OSError) -> None:
        """A file that could be listed but not read."""
        name = folder.name(at)
        try:
            status = look(fd, name)
        except OSError:
            status = None
        folder.vanished(at)
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            folder.contents[at] = link_target(fd, name)
        elif stat.S_ISREG(status.st_mode):
            folder.exclude(at, unreadable(error))
        else:
            folder.exclude(at, "became something else while it was captured")

    def _tick(self, size: int) -> None:
        self.done += size
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The capture was cancelled.")
        if self.progress is not None and (self.done - self.told >= PROGRESS_BYTES or self.done == self.total):
            self.told = self.done
            # Files can grow after they were measured.
            self.progress(self.done, max(self.done, self.total))


_EMPTY = FolderRecord(b"", b"", b"", NO_FOLDERS, (), b"", 0, 0)
