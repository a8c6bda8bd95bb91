"""A store in a folder. Object stores' local drivers do not flush to disk, so puts are done here."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nuvo_jupyter.model.errors import NuvoError, ServiceUnavailable, StorageFull, StoreDamaged
from nuvo_jupyter.store.backend import Backend, Object
from nuvo_jupyter.store.pack import Buffer

STALE_SECONDS = 24 * 3600
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


class FolderBackend(Backend):
    """Objects as files of a folder, readable by its owner alone (0700, 0600).

    Args:
        folder: absolute path; made if missing. A folder that exists keeps its permissions, what is made
            in it is private all the same.
        make: whether to make what is missing and to clear away what killed processes left; otherwise it is only read.

    Raises:
        ServiceUnavailable: it cannot be made or entered.
    """

    def __init__(self, folder: str, *, make: bool = True) -> None:
        self.url = folder
        self._temporary = os.path.join(folder, "tmp")
        self._made: set[str] = set()
        if not make:
            return
        with self._translated("opened"):
            self._make_folder(self._temporary)
            self._sweep()

    def put(self, path: str, data: Buffer) -> bool:
        target = os.path.join(self.url, path)
        with self._translated("written"):
            self._make_folder(os.path.dirname(target))
            temporary = os.path.join(self._temporary, os.urandom(12).hex())
            try:
                _write(temporary, data)
                stored = _place(temporary, target)
            finally:
                # What cannot be removed now is swept away later; the object is there all the same.
                with suppress(OSError):
                    os.unlink(temporary)
            # Also when it was there: whoever put it may not have come so far.
            _sync_folder(os.path.dirname(target))
        return stored

    def get(self, path: str, start: int, length: int) -> bytes:
        with self._translated("read"):
            descriptor = os.open(os.path.join(self.url, path), os.O_RDONLY | os.O_CLOEXEC)
            try:
                data = os.pread(descriptor, length, start)
                while len(data) < length:
                    more = os.pread(descriptor, length - len(data), start + len(data))
                    if not more:
                        break
                    data += more
                return data
            finally:
                os.close(descriptor)

    def list(self, prefix: str = "packs") -> Iterator[Object]:
        pending = [prefix]
        while pending:
            folder = pending.pop()
            with self._translated("read"):
                try:
                    with os.scandir(os.path.join(self.url, folder)) as entries:
                        found = list(entries)
                except FileNotFoundError:
                    continue
            for entry in found:
                path = f"{folder}/{entry.name}"
                if entry.is_dir():
                    pending.append(path)
                elif (size := self.size(path)) is not None:
                    yield Object(path, size)

    def size(self, path: str) -> int | None:
        with self._translated("read"):
            try:
                return os.stat(os.path.join(self.url, path)).st_size
            except FileNotFoundError:
                return None

    def delete(self, path: str) -> None:
        with self._translated("written"), suppress(FileNotFoundError):
            os.unlink(os.path.join(self.url, path))

    def _make_folder(self, folder: str) -> None:
        if folder in self._made:
            return
        missing = []
        # A disk that fails says of no folder that it is one, not even of the root.
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
                os.chmod(path, 0o700)
            _sync_folder(os.path.dirname(path))
        self._made.update(missing)

    def _sweep(self) -> None:
        # Left behind by processes that were killed while they wrote a pack.
        limit = time.time() - STALE_SECONDS
        with os.scandir(self._temporary) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        os.unlink(entry.path)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if what == "read" and isinstance(error, FileNotFoundError):
                raise
            raise self._named(error, what) from error

    def _named(self, error: OSError, what: str) -> NuvoError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageFull(f"The disk that holds the store {self.url} is full.")
        if error.errno == errno.EFBIG:
            return StorageFull(
                f"Files as large as the store {self.url} needs are not allowed here.",
                hint="Raise the limit to the size of files (`ulimit -f`). Nothing was changed.",
            )
        if error.errno == errno.EIO and what == "read":
            return StoreDamaged(f"The disk that holds the store {self.url} cannot read some of it.")
        return ServiceUnavailable(
            f"The store {self.url} cannot be {what}: {error.strerror}.",
            hint="Check that the folder exists, that its owner runs this, and that its disk is mounted and writable.",
        )


def _write(path: str, data: Buffer) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(temporary: str, target: str) -> bool:
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links. Two writers can only meet here with the same bytes, since
        # an object's name is the hash of its content.
        if os.path.lexists(target):
            return False
        os.rename(temporary, target)
    return True


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and user-space file systems cannot flush folders.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(descriptor)
