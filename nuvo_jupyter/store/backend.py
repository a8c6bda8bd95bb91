"""Where packs lie: a folder, or a bucket of an object store. Objects are put once and never changed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from nuvo_jupyter.store.pack import Buffer


class Object(NamedTuple):
    """One object of a store: its path (``packs/ab/abcd…``) and size in bytes."""

    path: str
    size: int


class Upload(ABC):
    """An object on its way: it has no path before all of it is there."""

    @abstractmethod
    def write(self, pieces: Sequence[Buffer]) -> None:
        """Add bytes at its end; they may be changed once this returns.

        Raises:
            StorageFull: no space or quota left.
            ServiceUnavailable: the place does not answer or may not be written.
        """

    @abstractmethod
    def finish(self, path: str) -> bool:
        """Store it as :meth:`Backend.put` does. Must not be used afterwards, whatever happens."""

    @abstractmethod
    def abandon(self) -> None:
        """Store nothing of it. Must not be used afterwards."""


class Backend(ABC):
    """Objects by path. What ``put`` has returned from survives a power failure."""

    url: str

    @abstractmethod
    def put(self, path: str, data: Buffer) -> bool:
        """Store an object unless one lies there already.

        Returns:
            Whether it was stored; ``False`` if one was there, which is left as it is.

        Raises:
            StorageFull: no space or quota left.
            ServiceUnavailable: the place does not answer or may not be written.
        """

    def upload(self) -> Upload:
        """Begin an object that is put when its last byte is known.

        Raises:
            StorageFull, ServiceUnavailable: as for :meth:`put`.
        """
        return _Collected(self)

    @abstractmethod
    def get(self, path: str, start: int, length: int) -> bytes:
        """Bytes of an object; fewer than ``length`` where it ends before.

        Raises:
            FileNotFoundError: there is no such object.
            StoreDamaged: the disk cannot read it.
            ServiceUnavailable: the place does not answer or may not be read.
        """

    @abstractmethod
    def list(self, prefix: str = "packs") -> Iterator[Object]:
        """Every object below a folder of the store, in no order."""

    @abstractmethod
    def size(self, path: str) -> int | None:
        """An object's size in bytes; ``None`` if there is none."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Remove an object; it is no error if there is none."""

    def close(self) -> None:  # noqa: B027
        """Let go of what is held open."""


class _Collected(Upload):
    """Kept in memory, where a place takes objects only as a whole."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._data = bytearray()

    def write(self, pieces: Sequence[Buffer]) -> None:
        for piece in pieces:
            self._data += piece

    def finish(self, path: str) -> bool:
        return self._backend.put(path, self._data)

    def abandon(self) -> None:
        self._data.clear()


def open_backend(url: str, options: Mapping[str, str] | None = None, *, make: bool = True) -> Backend:
    """Open the place where a store is or is to be.

    Args:
        url: ``file:///folder``, a plain folder path, or ``s3://bucket/prefix``.
        options: settings of the object store (endpoint, region, keys) besides those in ``AWS_*``.
        make: whether to make a store where there is nothing, and to bring up an older one; otherwise nothing is written.

    Raises:
        NotFound: there is none, and none is to be made.
        StoreDamaged: what lies there is no store of this version.
        StoreUnsuitable: a bucket that overwrites where it should refuse.
        ServiceUnavailable: it does not answer or may not be used.
    """
    backend: Backend
    parts = urlsplit(url)
    if "://" not in url or parts.scheme == "file":
        from nuvo_jupyter.store.folder import FolderBackend

        backend = FolderBackend(os.path.abspath(url if "://" not in url else unquote(parts.path)), make=make)
    else:
        from nuvo_jupyter.store.bucket import BucketBackend

        backend = BucketBackend(url, options)
    # Here, because it says what it needs of a backend.
    from nuvo_jupyter.store.format import check_format

    try:
        check_format(backend, make=make)
    except BaseException:
        backend.close()
        raise
    return backend
