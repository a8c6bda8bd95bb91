"""The first half of applying: all new content into temporary files, before anything that exists is changed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from nuvo_jupyter.model.changes import Change
from nuvo_jupyter.model.errors import Cancelled, NuvoError, StorageFull, StoreDamaged, WorkspaceUnavailable
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import basename, parent, to_name
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace.check import Found, State, check
from nuvo_jupyter.workspace.content import Patience
from nuvo_jupyter.workspace.safe import CREATE_FLAGS, VANISHED, Descent, open_file
from nuvo_jupyter.workspace.scan import FILE_MODE, Fingerprint
from nuvo_jupyter.workspace.syscalls import sync_file_system
from nuvo_jupyter.workspace.temporaries import Names

BATCH_BYTES = 16 << 20
BATCH_FILES = 1024

_FILE, _FOLDER, _LINK = NodeKind.FILE, NodeKind.FOLDER, NodeKind.LINK


class Put(msgspec.Struct):
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
        store: holds the contents.
        fingerprints: of the backup.
        patience: with files that are being saved.
        tick: called after each object.
        stop: asked often; raises Cancelled to stop.
        spool: keeps what other targets get as well; ``None`` keeps nothing.
        names: for temporary files.
    """

    def __init__(
        self,
        descent: Descent,
        store: Store,
        fingerprints: Mapping[str, Fingerprint],
        patience: Patience,
        tick: Callable[[], None],
        stop: Callable[[], None],
        spool: Spool | None,
        names: Names,
    ) -> None:
        self._descent = descent
        self._store = store
        self._fingerprints = fingerprints
        self._patience = patience
        self._tick = tick
        self._stop = stop
        self._spool = spool
        self._names = names
        self._unsynced: list[tuple[str, str]] = []
        self._devices: dict[int, int] = {}
        self._existing: dict[str, str] = {}
        self._made: list[str] = []
        self._noted: str | None = None

    def write(self, puts: Sequence[Put]) -> None:
        """Write everything that is to be put; failures are noted in each :class:`Put`.

        Raises:
            Cancelled: by ``stop``.
        """
        batch: list[Put] = []
        size = 0
        for put in puts:
            self._stop()
            if put.node.kind is _FOLDER and not put.problem:
                self._make(put)
            if put.node.kind is _FOLDER or put.problem or not self._is_needed(put):
                self._tick()
                continue
            if put.node.kind is _FILE and put.change.data is None and len(put.node.content) == 1:
                batch.append(put)
                size += put.node.size
                if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
                    self._write_batch(batch)
                    batch, size = [], 0
            else:
                self._write(put, self._pieces(put))
                self._tick()
        self._write_batch(batch)

    def sync(self) -> None:
        """Make the temporary files durable.

        Raises:
            StorageFull: there was no room after all, as some file systems say only now.
            WorkspaceUnavailable: the disk failed.
        """
        try:
            self._sync()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(plain(error)) from error
            raise WorkspaceUnavailable(f"The new content could not be written: {plain(error)}") from error

    def _sync(self) -> None:
        for device, folder in self._devices.items():
            if not sync_file_system(folder):
                for path, name in self._unsynced:
                    try:
                        fd = self._descent.at(path)
                        if os.fstat(fd).st_dev == device:
                            _sync_file(fd, name)
                    except OSError as error:
                        if error.errno not in VANISHED:
                            raise

    def close(self) -> None:
        """Close what is held open."""
        for fd in self._devices.values():
            os.close(fd)
        self._devices.clear()

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

    def _write_batch(self, batch: Sequence[Put]) -> None:
        damaged: dict[bytes, StoreDamaged] = {}
        waiting: dict[bytes, list[Put]] = {}
        for put in batch:
            if self._is_kept(put):
                self._write(put, None)
                self._tick()
            else:
                waiting.setdefault(put.node.content[0], []).append(put)
        try:
            for id_, data in self._store.read_many(waiting, damaged=damaged.__setitem__):
                if self._spool is not None:
                    self._spool.put(id_, data)
                for put in waiting.pop(id_):
                    self._write(put, (data,))
                    self._tick()
        except Cancelled:
            raise
        except (NuvoError, OSError) as error:
            for left in waiting.values():
                for put in left:
                    put.problem = explain(error)
            return
        for id_, damage in damaged.items():
            for put in waiting.get(id_, ()):
                put.problem = explain(damage)
                self._tick()

    def _is_kept(self, put: Put) -> bool:
        return self._spool is not None and all(id_ in self._spool for id_ in put.node.content)

    def _pieces(self, put: Put) -> Iterable[bytes] | None:
        """What a file is written from, piece by piece; ``None`` for what is in the spool."""
        if put.node.kind is _LINK:
            return ()
        if put.change.data is not None:
            return (put.change.data,)
        return None if self._is_kept(put) else self._stream(put.node)

    def _stream(self, node: Node) -> Iterator[bytes]:
        for id_, data in zip(node.content, self._store.stream_file(node), strict=True):
            if self._spool is not None:
                self._spool.put(id_, data)
            yield data

    def _write(self, put: Put, pieces: Iterable[bytes] | None) -> None:
        try:
            folder = self._descent.at(put.folder)
            if put.folder != self._noted:
                self._noted = put.folder
                device = os.fstat(folder).st_dev
                if device not in self._devices:
                    self._devices[device] = os.dup(folder)
            name = self._names.new()
            if put.node.kind is _LINK:
                os.symlink(to_name(put.node.link), name, dir_fd=folder)
                put.temporary = name
            else:
                self._write_file(put, folder, name, pieces)
                self._unsynced.append((put.folder, name))
        except (NuvoError, OSError) as error:
            if isinstance(error, Cancelled):
                raise
            put.problem = explain(error)

    def _write_file(self, put: Put, folder: int, name: str, pieces: Iterable[bytes] | None) -> None:
        change, node = put.change, put.node
        fd = os.open(name, CREATE_FLAGS, 0o600, dir_fd=folder)
        put.temporary = name
        try:
            size = self._copy(node, fd) if pieces is None else self._pour(pieces, fd)
            wanted = node.size if change.data is None else len(change.data)
            if size != wanted:
                raise StoreDamaged(f"The stored content has {size} bytes where {wanted} belong.")
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

    def _pour(self, pieces: Iterable[bytes], fd: int) -> int:
        size = 0
        for piece in pieces:
            size += len(piece)
            written = os.write(fd, piece) if piece else 0
            while written < len(piece):
                written += os.write(fd, memoryview(piece)[written:])
            self._stop()
        return size

    def _copy(self, node: Node, fd: int) -> int:
        assert self._spool is not None
        size = 0
        for id_ in node.content:
            size += self._spool.copy(id_, fd)
            self._stop()
        return size


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


def _sync_file(folder: int, name: str) -> None:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        # Not readable even for its owner (mode 0o000); it is synced with the folder, or at the next sync.
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def explain(error: BaseException) -> str:
    """Why an object failed, in a sentence."""
    if isinstance(error, NuvoError):
        return error.message
    if isinstance(error, OSError):
        return plain(error)
    return str(error)


_PLAIN = {
    errno.ENOSPC: "There is no space left on the disk.",
    errno.EDQUOT: "The disk quota is used up.",
    errno.EFBIG: "The file is larger than is allowed here.",
    errno.EACCES: "Permission denied.",
    errno.EPERM: "Permission denied.",
    errno.EROFS: "The file system is read-only.",
    errno.ENAMETOOLONG: "The name is too long for the file system.",
    errno.ELOOP: "A link lies where a folder should be; links are not followed.",
    errno.ENOTDIR: "A file or link lies where a folder should be; links are not followed.",
    errno.EISDIR: "A folder lies where a file should be.",
    errno.ENOTEMPTY: "The folder is not empty.",
    errno.EILSEQ: "The file system cannot store this name.",
}


def plain(error: OSError) -> str:
    """What an error of the operating system means, in a sentence."""
    number = error.errno or 0
    return _PLAIN.get(number) or f"{os.strerror(number)}."
