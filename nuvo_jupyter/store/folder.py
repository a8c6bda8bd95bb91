"""A store in a folder. Object stores' local drivers do not flush to disk, so puts are done here."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from nuvo_jupyter.model.errors import NuvoError, ServiceUnavailable, StorageFull, StoreDamaged
from nuvo_jupyter.store.backend import Backend, Object, Upload
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
        self.temporary = os.path.join(folder, "tmp")
        self._made: set[str] = set()
        if not make:
            return
        with self.translated("opened"):
            self.make_folder(self.temporary)
            self._sweep()

    def put(self, path: str, data: Buffer) -> bool:
        upload = _Upload(self)
        try:
            upload.write([data])
        except BaseException:
            upload.abandon()
            raise
        return upload.finish(path)

    def upload(self) -> Upload:
        return _Upload(self)

    def get(self, path: str, start: int, length: int) -> bytes:
        with self.translated("read"):
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
            with self.translated("read"):
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
        with self.translated("read"):
            try:
                return os.stat(os.path.join(self.url, path)).st_size
            except FileNotFoundError:
                return None

    def delete(self, path: str) -> None:
        with self.translated("written"), suppress(FileNotFoundError):
            os.unlink(os.path.join(self.url, path))

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, durably; not looked at again once it was seen."""
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
        with os.scandir(self.temporary) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_mtime < limit:
                        os.unlink(entry.path)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Name what the system refuses in our words."""
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


class _Upload(Upload):
    """A temporary file that gets its name at the end."""

    def __init__(self, backend: FolderBackend) -> None:
        self._backend = backend
        self._path = os.path.join(backend.temporary, os.urandom(12).hex())
        with backend.translated("written"):
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, pieces: Sequence[Buffer]) -> None:
        with self._backend.translated("written"):
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]

    def finish(self, path: str) -> bool:
        target = os.path.join(self._backend.url, path)
        with self._backend.translated("written"):
            try:
                try:
                    os.fsync(self._descriptor)
                finally:
                    os.close(self._descriptor)
                self._backend.make_folder(os.path.dirname(target))
                stored = _place(self._path, target)
            finally:
                self._remove()
            # Also when it was there: whoever put it may not have come so far.
            _sync_folder(os.path.dirname(target))
        return stored

    def abandon(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)
        self._remove()

    def _remove(self) -> None:
        # What cannot be removed now is swept away later; the object is there all the same.
        with suppress(OSError):
            os.unlink(self._path)


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
