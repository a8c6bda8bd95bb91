"""The first half of applying: all new content into temporary files, before anything that exists is changed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from nuvo_jupyter.model.changes import Change
from nuvo_jupyter.model.errors import Cancelled, NuvoError, StoreDamaged
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import basename, parent, to_name
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.workspace.check import Found, State, check
from nuvo_jupyter.workspace.content import Patience
from nuvo_jupyter.workspace.durable import Durability
from nuvo_jupyter.workspace.feed import Batch, Feed
from nuvo_jupyter.workspace.problems import explain, plain
from nuvo_jupyter.workspace.safe import CREATE_FLAGS, VANISHED, Descent, open_file
from nuvo_jupyter.workspace.scan import FILE_MODE, Fingerprint
from nuvo_jupyter.workspace.temporaries import Names
from nuvo_jupyter.workspace.writing import copy, pour, sync_file, wrong_size

_FILE, _FOLDER, _LINK = NodeKind.FILE, NodeKind.FOLDER, NodeKind.LINK


class Put(msgspec.Struct, gc=False):
    """One change on its way to the disk.

    Args:
        change: what is planned.
        node: what is to lie there.
        folder: path text of the folder its temporary file is in: its own, or the nearest that exists.
        home: path text of the folder it is to lie in.
        name: its name there, as the operating system spells it.
        temporary: the temporary file's name; ``""`` while there is none.
        problem: why it failed; ``""`` if it did not.
        settled: what was found that makes writing needless.
    """

    change: Change
    node: Node
    home: str
    name: str
    folder: str = ""
    temporary: str = ""
    problem: str = ""
    settled: Found | None = None

    @classmethod
    def of(cls, change: Change, node: Node) -> Put:
        """What is to be done for a change."""
        home, _, name = change.at.rpartition("/")
        return cls(change, node, home, to_name(name))


class Preparation:
    """Makes the new folders of one target and writes its temporary files.

    Args:
        descent: into the workspace.
        feed: gives the contents.
        durability: told of what is written.
        fingerprints: of the backup.
        patience: with files that are being saved.
        tick: called with the number of objects done.
        stop: asked often; raises Cancelled to stop.
        names: for temporary files.
    """

    def __init__(
        self,
        descent: Descent,
        feed: Feed,
        durability: Durability,
        fingerprints: Mapping[str, Fingerprint],
        patience: Patience,
        tick: Callable[[int], None],
        stop: Callable[[], None],
        names: Names,
    ) -> None:
        self._descent = descent
        self._feed = feed
        self._durability = durability
        self._fingerprints = fingerprints
        self._patience = patience
        self._tick = tick
        self._stop = stop
        self._names = names
        self._written: list[Put] = []
        self._existing: dict[str, str] = {}
        self._made: list[str] = []
        self._noted: str | None = None

    def write(self, puts: Sequence[Put]) -> None:
        """Write everything that is to be put; failures are noted in each :class:`Put`.

        Raises:
            Cancelled: by ``stop``.
        """
        needed: list[Put] = []
        for put in puts:
            self._stop()
            if put.node.kind is _FOLDER and not put.problem:
                self._make(put)
            if put.node.kind is _FOLDER or put.problem or not self._is_needed(put):
                self._tick(1)
            else:
                needed.append(put)
        with contextlib.closing(self._feed.batches(needed, _content_of)) as batches:
            for batch in batches:
                for put in batch.items:
                    self._stop()
                    self._write(put, batch)
                    self._tick(1)

    def sync_each(self, device: int) -> None:
        """Make the temporary files on a device durable one by one, where it cannot be synced as a whole."""
        for put in self._written:
            try:
                fd = self._descent.at(put.folder)
                if os.fstat(fd).st_dev == device:
                    sync_file(fd, put.temporary)
            except OSError as error:
                if error.errno not in VANISHED:
                    raise

    def undo(self) -> None:
        """Remove the folders that were made, as far as nobody else put something there."""
        for path in reversed(self._made):
            self._descent.forget(path)
            with contextlib.suppress(OSError):
                os.rmdir(to_name(basename(path)), dir_fd=self._descent.at(parent(path)))

    def clean(self, puts: Iterable[Put]) -> bool:
        """Remove temporary files that were not used; whether all of them could be reached."""
        complete = True
        for put in puts:
            if put.temporary:
                try:
                    os.unlink(put.temporary, dir_fd=self._descent.at(put.folder))
                    put.temporary = ""
                except OSError:
                    complete = False
        return complete

    def _is_needed(self, put: Put) -> bool:
        """Look whether the object will be put at all, as far as that is known before the removals."""
        change = put.change
        try:
            put.folder = self._nearest(put.home)
            if change.expected is None or put.folder != put.home:
                return True
            found = check(
                self._descent.at(put.folder),
                put.name,
                expected=change.expected,
                seen=self._fingerprints.get(change.at),
                wanted=(put.node,),
                data=change.data,
                patience=self._patience,
            )
        except OSError as error:
            put.problem = plain(error)
            return False
        if found.state in (State.DONE, State.CHANGED):
            put.settled = found
            return False
        return True

    def _make(self, put: Put) -> None:
        """Make a folder that is new: file systems place a folder's files near it, and search one big folder slowly."""
        try:
            os.mkdir(put.name, put.node.mode | 0o700, dir_fd=self._descent.at(put.home))
        except OSError:
            # It exists, or something is in the way that is removed later; publishing says what is wrong.
            return
        self._made.append(put.change.at)

    def _nearest(self, path: str) -> str:
        """The folder at ``path``, or the nearest above that exists, where something still lies in its way."""
        known = self._existing.get(path)
        if known is not None:
            return known
        try:
            self._descent.at(path)
            found = path
        except OSError as error:
            if error.errno not in VANISHED or not path:
                raise
            found = self._nearest(parent(path))
        self._existing[path] = found
        return found

    def _pieces(self, put: Put, batch: Batch[Put]) -> Iterable[Buffer] | None:
        """What a file is written from, piece by piece; ``None`` for what is in the spool.

        Raises:
            StoreDamaged: it cannot be read.
        """
        if put.node.kind is _LINK:
            return ()
        if put.change.data is not None:
            return (put.change.data,)
        if len(put.node.content) == 1:
            data = batch.contents.get(put.node.content[0])
            if data is not None:
                return (data,)
            if not self._feed.is_kept(put.node):
                raise StoreDamaged(batch.problem_of(put.node.content[0]))
        return None if self._feed.is_kept(put.node) else self._feed.stream(put.node)

    def _write(self, put: Put, batch: Batch[Put]) -> None:
        try:
            pieces = self._pieces(put, batch)
            folder = self._descent.at(put.folder)
            if put.folder != self._noted:
                self._noted = put.folder
                self._durability.note(folder)
            name = self._names.new()
            if put.node.kind is _LINK:
                os.symlink(to_name(put.node.link), name, dir_fd=folder)
                put.temporary = name
            else:
                self._write_file(put, folder, name, pieces)
                self._written.append(put)
        except (NuvoError, OSError) as error:
            if isinstance(error, Cancelled):
                raise
            put.problem = explain(error)

    def _write_file(self, put: Put, folder: int, name: str, pieces: Iterable[Buffer] | None) -> None:
        change, node = put.change, put.node
        fd = os.open(name, CREATE_FLAGS, 0o600, dir_fd=folder)
        put.temporary = name
        try:
            if pieces is not None:
                size = pour(pieces, fd, self._stop)
            else:
                assert self._feed.spool is not None
                size = copy(self._feed.spool, node, fd, self._stop)
            wanted = node.size if change.data is None else len(change.data)
            if size != wanted:
                raise wrong_size(size, wanted)
            if change.expected is not None and change.expected.kind is _FILE and put.folder == put.home:
                _take_over(folder, put.name, fd)
            os.fchmod(fd, node.mode & FILE_MODE)
            if node.mtime_ns:
                os.utime(fd, ns=(node.mtime_ns, node.mtime_ns))
        except BaseException:
            # A disk that is full needs the space back for the next, smaller object.
            os.unlink(name, dir_fd=folder)
            put.temporary = ""
            raise
        finally:
            os.close(fd)
        self._durability.written(size)


def _content_of(put: Put) -> Node | None:
    return None if put.change.data is not None else put.node


def _take_over(folder: int, name: str, fd: int) -> None:
    """Give a new file what belongs to the file it replaces: owner and extended attributes, as far as possible."""
    try:
        old = open_file(folder, name)
    except OSError:
        return
    try:
        status = os.fstat(old)
        if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (0, 0):
            os.fchown(fd, status.st_uid, status.st_gid)
        if not hasattr(os, "listxattr"):
            return
        for attribute in os.listxattr(old):
            if attribute.startswith("user.") or attribute == "system.posix_acl_access":
                os.setxattr(fd, attribute, os.getxattr(old, attribute))
    except OSError:
        # A file system without them, or one that has no room for them: the content counts.
        return
    finally:
        os.close(old)
