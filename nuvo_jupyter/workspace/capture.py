"""Capturing a state: a workspace becomes nodes with content, and a manifest."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec

from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import ApplicationEntry, BlobId, Exclusion, Manifest, Node, NodeKind, TableEntry
from nuvo_jupyter.model.paths import is_inside, join
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import encode_manifest
from nuvo_jupyter.store.pack import MANIFEST
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.writer import Writer
from nuvo_jupyter.workspace import database
from nuvo_jupyter.workspace.content import Content, Reader
from nuvo_jupyter.workspace.memory import Memory, Remembered, RememberedTree, trusted
from nuvo_jupyter.workspace.rules import Rules
from nuvo_jupyter.workspace.safe import VANISHED, Descent, Root, look
from nuvo_jupyter.workspace.scan import FILE_MODE, Fingerprint, Listing, link_node, scan, unreadable
from nuvo_jupyter.workspace.sink import Hashing, Sink

BATCH_BYTES = 2 << 20
BATCH_FILES = 1000
PROGRESS_BYTES = 1 << 20
"""Progress is told about this often, in bytes."""

_FILE = NodeKind.FILE


class Captured(msgspec.Struct):
    """A state that was captured, or looked at.

    Args:
        nodes: path text → node, folders and links included, without ``""``.
        fingerprints: path text → how each file looked; what ``apply`` re-checks.
        manifest: what a snapshot of it holds.
        manifest_id: the hash of the encoded manifest.
        remembered: save it once the snapshot's transaction is committed, never before.
        files_read: how many files' contents were read.
        bytes_read: how many bytes that were.
    """

    nodes: dict[str, Node]
    fingerprints: dict[str, Fingerprint]
    manifest: Manifest
    manifest_id: BlobId
    remembered: Memory
    files_read: int = 0
    bytes_read: int = 0


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
) -> Captured:
    """Read a state completely.

    Args:
        root: the opened workspace.
        store: asked whether remembered content is still there, unless the memory's token vouches for it.
        memory: of the last capture; what is unchanged since is not read.
        rules: what is left out; the defaults and ``.nuvoignore`` if ``None``.
        progress: called with (bytes read, bytes to read).
        cancelled: asked between files and every 4 MiB.
        writer: takes the content; the caller flushes and commits it. ``None`` stores nothing and gives the same ids.
        tables: of the state, sorted by name.
        applications: of the state, sorted by name.
        now: the clock, nanoseconds since 1970.

    Raises:
        Cancelled: ``cancelled`` said so; what was written is garbage that nothing refers to.
        StorageFull, ServiceUnavailable: the store cannot take the content.
    """
    work = _Capture(root, memory or Memory(), rules or Rules(), writer or Hashing(), progress, cancelled, now)
    work.run(store)
    ordered = {path: work.nodes[path] for path in sorted(work.nodes)}
    files = [node for node in ordered.values() if node.kind is not NodeKind.FOLDER]
    manifest = Manifest(
        root=work.build(),
        tables=tuple(tables),
        applications=tuple(applications),
        excluded=tuple(sorted(work.excluded, key=lambda item: item.path)),
        inconsistent=tuple(sorted(work.inconsistent)),
        files=len(files),
        size=sum(node.size for node in files),
    )
    return Captured(
        nodes=ordered,
        fingerprints=work.fingerprints,
        manifest=manifest,
        manifest_id=work.sink.add(encode_manifest(manifest), MANIFEST),
        remembered=work.remembered,
        files_read=work.files_read,
        bytes_read=work.done,
    )


def look_at(
    root: Root,
    store: Store | None = None,
    memory: Memory | None = None,
    *,
    rules: Rules | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Captured:
    """What :func:`capture` would give, storing nothing; for previews."""
    return capture(root, store, memory, rules=rules, cancelled=cancelled)


class _Todo(msgspec.Struct, gc=False):
    folder: str
    name: str
    path: str
    seen: Fingerprint
    saving: bool
    companions: tuple[_Todo, ...] = ()


class _Capture:
    def __init__(
        self,
        root: Root,
        memory: Memory,
        rules: Rules,
        sink: Sink,
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
        now: Callable[[], int],
    ) -> None:
        self.root = root
        self.memory = memory
        self.rules = rules
        self.sink = sink
        self.progress = progress
        self.cancelled = cancelled
        self.now = now
        self.nodes: dict[str, Node] = {}
        self.fingerprints: dict[str, Fingerprint] = {}
        self.excluded: list[Exclusion] = []
        self.inconsistent: list[str] = []
        self.remembered = Memory()
        self._complete: dict[str, BlobId] = {}
        self.files_read = 0
        self.done = 0
        self.told = -PROGRESS_BYTES
        self.total = 0
        self._todo: list[_Todo] = []
        self._batch: list[tuple[_Todo, Content, int]] = []
        self._batch_bytes = 0

    def run(self, store: Store | None) -> None:
        found = scan(self.root, self.rules, self.cancelled)
        self.nodes = found.nodes
        self.excluded = found.excluded
        if store is not None:
            self._forget_lost(store)
        with Descent(self.root) as descent:
            unchanged = [listing for listing in found.listings if self._recall(listing, descent)]
            self._take_over(unchanged)
            found.listings.clear()
            self.total = sum(todo.seen.size for todo in self._todo)
            self._tick(0)
            reader = Reader(self.sink, self._tick)
            for todo in self._todo:
                self._read(reader, descent, todo)
            self._store_batch()

    def build(self) -> BlobId:
        """The root's tree; remembers those of folders of which every file is."""
        trees = tree.build_all(self.nodes, cast(Writer, self.sink), self._complete)
        remembered = self.remembered
        if "" in self._complete:
            remembered.trees = {folder: self.memory.trees[folder] for folder in self._complete}
            return trees[""]
        others: dict[str, dict[str, Node]] = {}
        files: dict[str, int] = {}
        for path, node in self.nodes.items():
            folder, _, name = path.rpartition("/")
            if folder in self._complete:
                continue
            if node.kind is _FILE:
                files[folder] = files.get(folder, 0) + 1
            else:
                others.setdefault(folder, {})[name] = node
        for folder, id_ in trees.items():
            if folder in self._complete:
                remembered.trees[folder] = self.memory.trees[folder]
            elif files.get(folder, 0) == len(remembered.folders.get(folder, ())):
                remembered.trees[folder] = RememberedTree(id_, files.get(folder, 0), others.get(folder, {}))
        return trees[""]

    def _take_over(self, unchanged: list[Listing]) -> None:
        """Note the trees of folders in which nothing has changed, nor in any folder below."""
        for listing in reversed(unchanged):
            known = self.memory.trees.get(listing.path)
            if known is None or known.files != len(listing.files) or known.others != listing.others:
                continue
            if all(
                join(listing.path, name) in self._complete
                for name, node in listing.others.items()
                if node.kind is NodeKind.FOLDER
            ):
                self._complete[listing.path] = known.id

    def _forget_lost(self, store: Store) -> None:
        """Drop from memory what is not in the store, as far as the token does not say that it is."""
        memory = self.memory
        if memory.token:
            wanted = memory.added
        else:
            wanted = {
                id_ for folder in memory.folders.values() for file in folder.values() for id_ in file.content
            }
            wanted.update(known.id for known in memory.trees.values())
        lost = wanted - store.contains(wanted) if wanted else set()
        if lost:
            for path in [path for path, known in memory.trees.items() if known.id in lost]:
                del memory.trees[path]
            for folder in memory.folders.values():
                for name in [name for name, file in folder.items() if not lost.isdisjoint(file.content)]:
                    del folder[name]

    def _recall(self, listing: Listing, descent: Descent) -> bool:
        """Take over what is remembered of one folder, note what is to be read, and say whether no file changed."""
        known = self.memory.folders.get(listing.path, {})
        kept: dict[str, Remembered] = {}
        skip = len(listing.path) + 1 if listing.path else 0
        companions, live = self._databases(listing, descent)
        beside: dict[str, list[_Todo]] = {}
        if live:
            for name, path, seen in listing.files:
                base = companions.get(name)
                if base in live:
                    beside.setdefault(base, []).append(_Todo(listing.path, name, path, seen, saving=False))
        nodes, fingerprints = self.nodes, self.fingerprints
        for name, path, seen in listing.files:
            if live and companions.get(name) in live:
                continue
            text = path[skip:]
            file = known.get(text)
            if file is not None and file.seen == seen and not (live and live.get(name, False)):
                kept[text] = file
                fingerprints[path] = seen
                nodes[path] = Node(_FILE, seen.mode & FILE_MODE, seen.size, seen.mtime_ns, file.content)
                if live:
                    self._leave_out(beside.get(name, ()))
            else:
                with_it = tuple(beside.get(name, ()))
                self._todo.append(_Todo(listing.path, name, path, seen, name in listing.saving, with_it))
        if kept:
            self.remembered.folders[listing.path] = kept
        return len(kept) == len(known) == len(listing.files)

    def _databases(self, listing: Listing, descent: Descent) -> tuple[dict[str, str], dict[str, bool]]:
        """Companion's name → database's, and database's name → whether it is in use."""
        companions: dict[str, str] = {}
        live: dict[str, bool] = {}
        for item in listing.files:
            if item[0].endswith(database.COMPANIONS):
                base = database.base_of(item[0])
                if base is not None:
                    companions[item[0]] = base
        if companions:
            names = {name for name, _, _ in listing.files}
            try:
                folder = descent.at(listing.path)
            except OSError:
                return {}, {}
            for base in set(companions.values()) & names:
                if database.is_database(folder, base):
                    live[base] = database.in_use(folder, base)
        return companions, live

    def _read(self, reader: Reader, descent: Descent, todo: _Todo) -> None:
        try:
            folder = descent.at(todo.folder)
        except OSError as error:
            if error.errno in VANISHED:
                self._drop(todo.folder)
            else:
                self.excluded.append(Exclusion(todo.path, unreadable(error)))
            return
        read_at = self.now()
        try:
            content = reader.read(folder, todo.name, todo.seen, todo.saving)
        except OSError as error:
            self._explain(folder, todo, error)
            return
        self.files_read += 1
        if content.steady:
            self._leave_out(todo.companions)
        else:
            self.inconsistent.append(todo.path)
            # Only together are they of use: SQLite rolls back or forward what was copied half-way.
            self._todo.extend(todo.companions)
        if content.data:
            self._batch.append((todo, content, read_at))
            self._batch_bytes += content.size
            if self._batch_bytes >= BATCH_BYTES or len(self._batch) >= BATCH_FILES:
                self._store_batch()
        else:
            self._keep(todo, content, content.ids, read_at)

    def _leave_out(self, companions: Iterable[_Todo]) -> None:
        self.excluded.extend(Exclusion(companion.path, database.BELONGS) for companion in companions)

    def _store_batch(self) -> None:
        ids = self.sink.add_many([content.data or b"" for _, content, _ in self._batch])
        for (todo, content, read_at), id_ in zip(self._batch, ids, strict=True):
            self._keep(todo, content, (id_,), read_at)
        self._batch.clear()
        self._batch_bytes = 0

    def _keep(self, todo: _Todo, content: Content, ids: tuple[BlobId, ...], read_at: int) -> None:
        seen = content.seen
        self.nodes[todo.path] = Node(_FILE, seen.mode & FILE_MODE, content.size, seen.mtime_ns, ids)
        if not (content.steady and content.alone):
            self.fingerprints[todo.path] = msgspec.structs.replace(seen, ctime_ns=0)
            return
        seen = trusted(seen, read_at)
        self.fingerprints[todo.path] = seen
        text = todo.path[len(todo.folder) + 1 if todo.folder else 0 :]
        self.remembered.folders.setdefault(todo.folder, {})[text] = Remembered(seen, ids)

    def _drop(self, folder: str) -> None:
        """A folder that vanished after it was walked was not there."""
        for path in [path for path in self.nodes if is_inside(path, folder)]:
            del self.nodes[path]
            self.fingerprints.pop(path, None)
        for path in [path for path in self.remembered.folders if is_inside(path, folder)]:
            del self.remembered.folders[path]
        for path in [path for path in self._complete if is_inside(path, folder)]:
            del self._complete[path]

    def _explain(self, folder: int, todo: _Todo, error: OSError) -> None:
        """A file that could be listed but not read."""
        try:
            status = look(folder, todo.name)
        except OSError:
            status = None
        if status is None:
            return
        if stat.S_ISLNK(status.st_mode):
            node = link_node(folder, todo.name)
            if node is not None:
                self.nodes[todo.path] = node
        elif stat.S_ISREG(status.st_mode):
            self.excluded.append(Exclusion(todo.path, unreadable(error)))
        else:
            self.excluded.append(Exclusion(todo.path, "became something else while it was captured"))

    def _tick(self, size: int) -> None:
        self.done += size
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The capture was cancelled.")
        if self.progress is not None and (self.done - self.told >= PROGRESS_BYTES or self.done == self.total):
            self.told = self.done
            # Files can grow after they were measured.
            self.progress(self.done, max(self.done, self.total))
