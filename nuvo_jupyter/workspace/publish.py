"""The second half of applying: each object is compared with the backup again and changed in one atomic step."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping, Sequence

from nuvo_jupyter.model.changes import Change, Outcome
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import basename, parent, to_name
from nuvo_jupyter.workspace.check import APPEARED, CHANGED, Found, State, check, is_same_file
from nuvo_jupyter.workspace.companions import set_aside
from nuvo_jupyter.workspace.content import Patience
from nuvo_jupyter.workspace.graft import Grafting, Published
from nuvo_jupyter.workspace.grafts import Graft
from nuvo_jupyter.workspace.prepare import Put
from nuvo_jupyter.workspace.safe import VANISHED, Descent, Root, look
from nuvo_jupyter.workspace.scan import FILE_MODE, FOLDER_MODE, Fingerprint, fingerprint, is_as_put
from nuvo_jupyter.workspace.syscalls import exchange, rename_new, sync_file_system
from nuvo_jupyter.workspace.temporaries import RECOVERED, Names

_MANY_FOLDERS = 32
"""From so many folders on, syncing their file system costs less than syncing each."""

NOT_EMPTY = "It still holds files that are not part of the backup, and was kept."
BLOCKED = "It was kept, because what should take its place could not be written."


class Publishing:
    """Makes the changes of one target visible.

    Args:
        root: the opened workspace.
        descent: into it.
        sources: into it, for where temporaries lie.
        fingerprints: of the backup.
        patience: with files that are being saved.
        names: for temporaries.
        published: as for ``apply``.
        wanted: what is to lie at a path in the end.
        failed: paths of what could not be written.
    """

    def __init__(
        self,
        root: Root,
        descent: Descent,
        sources: Descent,
        fingerprints: Mapping[str, Fingerprint],
        patience: Patience,
        names: Names,
        published: Published | None,
        wanted: Mapping[str, Node],
        failed: set[str],
    ) -> None:
        self.root = root
        self.descent = descent
        self.sources = sources
        self.fingerprints = fingerprints
        self.patience = patience
        self.names = names
        self.published = published
        self.wanted = wanted
        self.failed = failed
        self.modes: dict[str, int] = {}
        self.touched: set[str] = set()

    # Removing

    def remove(self, change: Change) -> tuple[Outcome, str]:
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
            try:
                os.unlink(temporary, dir_fd=folder)
            except OSError:
                self._put_back(folder, temporary, name)
                raise
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

    def put_folder(self, put: Put) -> tuple[Outcome, str]:
        change, node = put.change, put.node
        name = to_name(basename(change.at))
        folder = self.descent.at(parent(change.at), make=True)
        status = look(folder, name)
        if status is not None and not stat.S_ISDIR(status.st_mode):
            found = self._check(folder, name, change, ())
            if found.state is not State.EXPECTED:
                return Outcome.CONFLICT, found.detail or APPEARED
            taken = self.remove(change)
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

    def put(self, put: Put) -> tuple[Outcome, str]:
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
        if status is not None and is_as_put(status, put.node.size, put.node.mtime_ns):
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
            rename_new(folder, temporary, folder, f"{RECOVERED}{temporary[-16:]}-{name}"[:60])

    def show(self, graft: Graft, grafting: Grafting) -> None:
        """Let a new folder appear.

        Raises:
            OSError: it cannot; FileExistsError where something lies there.
        """
        home = parent(graft.at)
        grafting.show(graft, self.descent.at(home))
        self.touched.add(home)

    # Completing

    def set_modes(self, also: Mapping[str, int]) -> None:
        # Deepest first: a folder may be about to become unreachable for its owner.
        modes = {**also, **self.modes}
        for path in sorted(modes, reverse=True):
            with contextlib.suppress(OSError):
                os.fchmod(self.descent.at(path), modes[path])

    def sync_folders(self) -> None:
        paths = sorted(self.touched)
        if len(paths) > _MANY_FOLDERS and sync_file_system(self.root.fd):
            return
        for path in paths:
            with contextlib.suppress(OSError):
                os.fsync(self.descent.at(path))


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
