"""Applying a plan to a workspace: safely, object by object, so that nothing is ever half-written.

1. New folders are made and all new content is written to temporary files. Nothing that exists was changed,
   and it can still be cancelled.
2. Each path is compared with the backup again and changed in one atomic step, in the order of the plan.
3. Modes of folders are set, and the folders made durable.

Killed anywhere and applied again, the end is the same.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Mapping, Sequence

from nuvo_jupyter.model.changes import Action, Change, ObjectOutcome, Outcome
from nuvo_jupyter.model.errors import Cancelled, InvalidPath
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import NAME_MAX, basename, parent, parse_path, to_name
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace.check import APPEARED, CHANGED, Found, State, check, is_as_put, is_same_file
from nuvo_jupyter.workspace.companions import set_aside
from nuvo_jupyter.workspace.content import Patience
from nuvo_jupyter.workspace.prepare import Preparation, Put, explain
from nuvo_jupyter.workspace.safe import VANISHED, Descent, Root, look
from nuvo_jupyter.workspace.scan import FILE_MODE, FOLDER_MODE, Fingerprint, fingerprint
from nuvo_jupyter.workspace.syscalls import exchange, rename_new, sync_file_system
from nuvo_jupyter.workspace.temporaries import Mark, Names, marked, sweep

_FOLDER = NodeKind.FOLDER
_MANY_FOLDERS = 32
"""From so many folders on, syncing their file system costs less than syncing each."""
_TELL_SECONDS = 0.1
"""Progress is told about this often."""

_ODD = frozenset("\\\0")
"""Characters of names that need a closer look."""

NOT_EMPTY = "It still holds files that are not part of the backup, and was kept."
BLOCKED = "It was kept, because what should take its place could not be written."


def apply(
    root: Root,
    store: Store,
    changes: Sequence[Change],
    fingerprints: Mapping[str, Fingerprint],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    durable: bool = True,
    spool: Spool | None = None,
    published: Callable[[str, Fingerprint, Node], None] | None = None,
) -> list[ObjectOutcome]:
    """Carry out a plan.

    Args:
        root: the opened workspace.
        store: holds the contents.
        changes: the plan, in its order: removals, children before their folder; then puts, folders before
            their children. ``MERGE`` must have been resolved.
        fingerprints: of the capture the plan was made from; a file without one is compared by content.
        progress: called with (steps done, steps).
        cancelled: asked until the first visible change; after that all is carried out.
        durable: whether the changes survive a power failure that follows at once.
        spool: keeps contents that other targets get as well.
        published: called with path text, fingerprint and node of each file that was put and could not change
            unnoticed since.

    Returns:
        One outcome per change, in the same order. What failed is said there; the rest was carried out.

    Raises:
        Cancelled: nothing was changed.
        StorageFull, WorkspaceUnavailable: content could not be made durable; nothing was changed.
    """
    work = _Apply(root, store, changes, fingerprints, progress, cancelled, spool, published)
    folders = {parent(change.at) for change in changes if change.at}
    with marked(root, folders) as work.mark, Descent(root) as descent, Descent(root) as sources:
        return work.run(descent, sources, durable)


class _Apply:
    def __init__(
        self,
        root: Root,
        store: Store,
        changes: Sequence[Change],
        fingerprints: Mapping[str, Fingerprint],
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
        spool: Spool | None,
        published: Callable[[str, Fingerprint, Node], None] | None,
    ) -> None:
        self.root = root
        self.store = store
        self.changes = changes
        self.fingerprints = fingerprints
        self.progress = progress
        self.cancelled = cancelled
        self.spool = spool
        self.published = published
        self.names = Names()
        self.told = 0.0
        self.sound: dict[str, bool] = {}
        self.puts = {
            index: Put.of(change, change.node)
            for index, change in enumerate(changes)
            if change.action is Action.PUT and change.node is not None
        }
        self.wanted: dict[str, Node] = {put.change.at: put.node for put in self.puts.values()}
        self.modes: dict[str, int] = {}
        self.touched: set[str] = set()
        self.failed: set[str] = set()
        self.patience = Patience()
        self.mark = Mark()
        self.done = 0
        self.steps = len(changes) + len(self.puts)

    def run(self, descent: Descent, sources: Descent, durable: bool) -> list[ObjectOutcome]:
        for put in self.puts.values():
            put.problem = self._path_problem(put.change)
        preparation = Preparation(
            sources,
            self.store,
            self.fingerprints,
            self.patience,
            self._tick,
            self._stop,
            self.spool,
            self.names,
        )
        self.descent = descent
        self.sources = sources
        try:
            try:
                preparation.write(list(self.puts.values()))
                if durable:
                    preparation.sync()
                self._stop()
            except BaseException:
                self._clean(preparation)
                preparation.undo()
                raise
            self.failed = {put.change.at for put in self.puts.values() if put.problem}
            outcomes = [self._carry_out(index, change) for index, change in enumerate(self.changes)]
            self._set_modes()
            if durable:
                self._sync_folders()
        finally:
            self._clean(preparation)
        return outcomes

    def _clean(self, preparation: Preparation) -> None:
        if not preparation.clean(self.puts.values()):
            # A folder was moved away under us: look everywhere.
            left = {put.temporary for put in self.puts.values() if put.temporary} - sweep(self.root)
            self.mark.stays = bool(left)
        preparation.close()

    def _carry_out(self, index: int, change: Change) -> ObjectOutcome:
        try:
            result = self._change(index, change)
        except OSError as error:
            result = (Outcome.FAILED, explain(error))
        self._tick()
        outcome, detail = result
        at = change.at if change.at != change.path else ""
        if outcome is not change.outcome and change.action is not Action.KEEP:
            at = ""
        return ObjectOutcome(change.path, outcome, at, detail, change.kind)

    def _change(self, index: int, change: Change) -> tuple[Outcome, str]:
        if change.action is Action.KEEP:
            return change.outcome, change.detail
        put = self.puts.get(index)
        if put is not None:
            if put.problem:
                return Outcome.FAILED, put.problem
            return self._put_folder(put) if put.node.kind is _FOLDER else self._put(put)
        if change.action is Action.REMOVE:
            problem = self._path_problem(change)
            return (Outcome.FAILED, problem) if problem else self._remove(change)
        return Outcome.FAILED, "Its merge was not resolved."

    # Removing

    def _remove(self, change: Change) -> tuple[Outcome, str]:
        if self._is_blocked(change.at):
            return Outcome.KEPT, BLOCKED
        name = to_name(basename(change.at))
        try:
            folder = self.descent.at(parent(change.at))
        except OSError as error:
            if error.errno in VANISHED:
                return change.outcome, change.detail
            raise
        instead = self.wanted.get(change.at)
        found = self._check(folder, name, change, (instead,) if instead is not None else ())
        if found.status is None or found.state is State.DONE:
            return change.outcome, change.detail
        if found.state is State.CHANGED:
            return Outcome.CONFLICT, found.detail
        if stat.S_ISDIR(found.status.st_mode):
            return self._remove_folder(folder, name, change)
        self.touched.add(parent(change.at))
        temporary = self.names.new()
        with set_aside(folder, name, found.status, self.names) as companions:
            os.rename(name, temporary, src_dir_fd=folder, dst_dir_fd=folder)
            if not _is(folder, temporary, found.status):
                self._put_back(folder, temporary, name)
                return Outcome.CONFLICT, CHANGED
            os.unlink(temporary, dir_fd=folder)
            companions.clear_away()
        return change.outcome, change.detail

    def _remove_folder(self, folder: int, name: str, change: Change) -> tuple[Outcome, str]:
        self.descent.forget(change.at)
        self.sources.forget(change.at)
        folder = self.descent.at(parent(change.at))
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError:
            if not _is_empty(folder, name):
                return Outcome.KEPT, NOT_EMPTY
            raise
        self.touched.discard(change.at)
        self.touched.add(parent(change.at))
        return change.outcome, change.detail

    def _is_blocked(self, path: str) -> bool:
        """Whether something that failed to be written was to lie here, or at a folder above."""
        while path and self.failed:
            if path in self.failed:
                return True
            path = parent(path)
        return False

    # Putting

    def _put_folder(self, put: Put) -> tuple[Outcome, str]:
        change, node = put.change, put.node
        name = to_name(basename(change.at))
        folder = self.descent.at(parent(change.at), make=True)
        status = look(folder, name)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            found = self._check(folder, name, change, ())
            if found.state is not State.EXPECTED:
                return Outcome.CONFLICT, found.detail or APPEARED
            taken = self._remove(change)
            if taken[0] is not change.outcome:
                return taken
            status = None
        if status is None:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, node.mode | 0o700, dir_fd=folder)
            self.touched.add(parent(change.at))
        elif status.st_mode & FOLDER_MODE == node.mode:
            return change.outcome, change.detail
        self.modes[change.at] = node.mode
        self.touched.add(change.at)
        return change.outcome, change.detail

    def _put(self, put: Put) -> tuple[Outcome, str]:
        change = put.change
        if put.settled is not None and put.settled.state is State.CHANGED:
            return Outcome.CONFLICT, put.settled.detail
        if put.settled is not None:
            self._set_mode(self.descent.at(put.home), put.name, put)
            return change.outcome, change.detail
        folder = self.descent.at(put.home, make=True)
        # Mostly nothing lies there; the rename itself finds out.
        if change.expected is None and self._publish_new(put, folder):
            return change.outcome, change.detail
        return self._publish(put, folder, put.name)

    def _publish_new(self, put: Put, folder: int) -> bool:
        """Put what is new where nothing lies; ``False`` where something does."""
        try:
            rename_new(self.sources.at(put.folder), put.temporary, folder, put.name)
        except FileExistsError:
            return False
        put.temporary = ""
        self.touched.add(put.home)
        self.touched.add(put.folder)
        self._tell_published(put, folder)
        return True

    def _publish(self, put: Put, folder: int, name: str) -> tuple[Outcome, str]:
        change = put.change
        found = self._check(folder, name, change, (put.node,))
        if found.state is State.CHANGED:
            return Outcome.CONFLICT, found.detail
        if found.state is State.DONE:
            self._set_mode(folder, name, put)
            return change.outcome, change.detail
        self.touched.update((put.home, put.folder))
        if found.status is not None and stat.S_ISDIR(found.status.st_mode):
            removed = self._remove_folder(folder, name, change)
            if removed[0] is not change.outcome:
                return Outcome.CONFLICT, removed[1]
            folder = self.descent.at(put.home)
            found = Found(State.FREE)
        if found.status is None:
            if not self._publish_new(put, folder):
                return Outcome.CONFLICT, APPEARED
            return change.outcome, change.detail
        return self._replace(put, self.sources.at(put.folder), folder, name, found.status)

    def _replace(
        self, put: Put, source: int, folder: int, name: str, before: os.stat_result
    ) -> tuple[Outcome, str]:
        change = put.change
        with set_aside(folder, name, before, self.names) as companions:
            if not exchange(source, put.temporary, folder, name):
                current = look(folder, name)
                if current is None or not is_same_file(before, current):
                    return Outcome.CONFLICT, CHANGED
                os.replace(put.temporary, name, src_dir_fd=source, dst_dir_fd=folder)
                put.temporary = ""
            elif not _is(source, put.temporary, before):
                # Edited in the last moment: what came out goes back in.
                exchange(source, put.temporary, folder, name)
                return Outcome.CONFLICT, CHANGED
            else:
                os.unlink(put.temporary, dir_fd=source)
                put.temporary = ""
            companions.clear_away()
        self._tell_published(put, folder)
        return change.outcome, change.detail

    def _tell_published(self, put: Put, folder: int) -> None:
        if self.published is None or put.node.kind is not NodeKind.FILE or put.change.data is not None:
            return
        try:
            status = look(folder, put.name)
        except OSError:
            return
        if status is not None and is_as_put(status, put.node):
            self.published(put.change.at, fingerprint(status), put.node)

    def _check(self, folder: int, name: str, change: Change, wanted: Sequence[Node]) -> Found:
        return check(
            folder,
            name,
            expected=change.expected,
            seen=self.fingerprints.get(change.at),
            wanted=wanted,
            data=change.data,
            patience=self.patience,
        )

    def _set_mode(self, folder: int, name: str, put: Put) -> None:
        """Complete what a killed run put there: with the content right, the mode may still differ."""
        status = look(folder, name)
        if (
            status is not None
            and stat.S_ISREG(status.st_mode)
            and status.st_mode & FILE_MODE != put.node.mode & FILE_MODE
        ):
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                os.fchmod(fd, put.node.mode & FILE_MODE)
            finally:
                os.close(fd)

    def _put_back(self, folder: int, temporary: str, name: str) -> None:
        try:
            rename_new(folder, temporary, folder, name)
        except FileExistsError:
            # Both were made after the backup; the newer has the name, the other is not lost.
            rename_new(folder, temporary, folder, f"recovered-{temporary[-16:]}-{name}"[:60])

    # Completing

    def _set_modes(self) -> None:
        # Deepest first: a folder may be about to become unreachable for its owner.
        for path in sorted(self.modes, reverse=True):
            with contextlib.suppress(OSError):
                os.fchmod(self.descent.at(path), self.modes[path])

    def _sync_folders(self) -> None:
        paths = sorted(self.touched)
        if len(paths) > _MANY_FOLDERS and sync_file_system(self.root.fd):
            return
        for path in paths:
            with contextlib.suppress(OSError):
                os.fsync(self.descent.at(path))

    def _path_problem(self, change: Change) -> str:
        """Why a change cannot be carried out at its path; ``""`` if it can."""
        folder, _, name = change.at.rpartition("/")
        if name.isascii() and 0 < len(name) <= NAME_MAX and _ODD.isdisjoint(name) and name not in (".", ".."):
            # All but the folder is fine, and that is the same for many.
            sound = self.sound.get(folder)
            if sound is None:
                sound = self.sound[folder] = not _problem(folder)
            if sound:
                return ""
        return _problem(change.at) if change.at else "The state itself is no path inside a workspace."

    def _tick(self) -> None:
        self.done += 1
        if self.progress is not None:
            moment = time.monotonic()
            if moment - self.told >= _TELL_SECONDS or self.done == self.steps:
                self.told = moment
                self.progress(self.done, self.steps)

    def _stop(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("Cancelled before anything was changed.")


def _is(folder: int, name: str, before: os.stat_result) -> bool:
    status = look(folder, name)
    return status is not None and is_same_file(before, status)


def _is_empty(folder: int, name: str) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return True
    try:
        with os.scandir(fd) as entries:
            return next(iter(entries), None) is None
    finally:
        os.close(fd)


def _problem(path: str) -> str:
    try:
        if parse_path(path) != path:
            raise InvalidPath(f"{path!r} is no path inside a workspace.")
    except InvalidPath as error:
        return error.message
    return ""
