"""Where packs lie: a folder, or a bucket of an object store. Objects are put once and never changed."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from nuvo_jupyter.model.errors import StoreDamaged, StoreUnsuitable
from nuvo_jupyter.store.pack import Buffer

MARKER = "format"
FORMAT = "nuvo-store"
VERSION = 1


class Object(NamedTuple):
    """One object of a store: its path (``packs/ab/abcd…``) and size in bytes."""

    path: str
    size: int


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


def open_backend(url: str, options: Mapping[str, str] | None = None) -> Backend:
    """Open the place where a store is or is to be, making it a store if it is none.

    Args:
        url: ``file:///folder``, a plain folder path, or ``s3://bucket/prefix``.
        options: settings of the object store (endpoint, region, keys) besides those in ``AWS_*``.

    Raises:
        StoreDamaged: what lies there is no store of this version.
        StoreUnsuitable: a bucket that overwrites where it should refuse.
        ServiceUnavailable: it does not answer or may not be used.
    """
    backend: Backend
    parts = urlsplit(url)
    if "://" not in url or parts.scheme == "file":
        from nuvo_jupyter.store.folder import FolderBackend

        backend = FolderBackend(os.path.abspath(url if "://" not in url else unquote(parts.path)))
    else:
        from nuvo_jupyter.store.bucket import BucketBackend

        backend = BucketBackend(url, options)
    try:
        _check_marker(backend)
    except BaseException:
        backend.close()
        raise
    return backend


def _check_marker(backend: Backend) -> None:
    try:
        raw = backend.get(MARKER, 0, 4096)
    except FileNotFoundError:
        if next(backend.list(), None) is not None:
            raise StoreDamaged(
                f"The store {backend.url} has packs, but its file '{MARKER}' is missing.",
                hint=f"Check that this is the whole store; then create '{MARKER}' with the content {_marker().decode()}",
            ) from None
        _probe(backend)
        backend.put(MARKER, _marker())
        raw = backend.get(MARKER, 0, 4096)
    try:
        marker = json.loads(raw)
        name, version = marker["format"], marker["version"]
    except (ValueError, KeyError, TypeError):
        name, version = None, None
    if name != FORMAT or not isinstance(version, int):
        raise StoreDamaged(
            f"{backend.url} is not a store of Nuvo: its file '{MARKER}' says something else.",
            hint="Check the store's address (c.Nuvo.store_url).",
        )
    if version != VERSION:
        raise StoreDamaged(
            f"The store {backend.url} has format version {version}; this version of Nuvo reads version {VERSION}.",
            hint="Upgrade with `pip install -U nuvo-jupyter`.",
        )


def _marker() -> bytes:
    return json.dumps({"format": FORMAT, "version": VERSION}).encode()


def _probe(backend: Backend) -> None:
    # Some servers that speak S3 take the condition of a create-if-absent put and ignore it.
    path = f"probe/{os.urandom(16).hex()}"
    try:
        first, second = backend.put(path, b"first"), backend.put(path, b"second")
        kept = backend.get(path, 0, 16)
    finally:
        backend.delete(path)
    if not first or second or kept != b"first":
        raise StoreUnsuitable(f"{backend.url} overwrites objects where it should refuse to.")
