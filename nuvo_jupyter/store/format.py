"""A store's format version: marked in the store itself, checked whenever it is opened, and how an older one is brought up.

Objects are only ever created, so a version is an object of its own: ``format`` says 1, ``formats/2`` that everything has
been brought to version 2, and so on. The highest one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from nuvo_jupyter.model.errors import NotFound, StoreDamaged, StoreUnsuitable
from nuvo_jupyter.store.backend import Backend

MARKER = "format"
LATER = "formats"
"""Where the marks of later versions lie, each named by its number."""
FORMAT = "nuvo-store"
VERSION = 1
"""The version that this program writes."""

Migration = Callable[[Backend], None]
"""Adds to a store of the version before what its version needs. It may be broken off, begun again, and run beside itself:
nothing an older version reads may be changed or deleted before the new version is marked."""

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version they lead to; one for each version from 2 on."""


def check_format(
    backend: Backend,
    *,
    make: bool = True,
    version: int = VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> None:
    """Make sure that a place holds a store of this version: make one where there is nothing, bring up an older one.

    Args:
        make: whether anything may be written; otherwise an older version is left as it is, and has to be there.
        version: the one to have.
        migrations: leading there from version 1, by the version each leads to.

    Raises:
        NotFound: there is no store, and none is to be made.
        StoreDamaged: something else lies there, or a store of a newer version.
        StoreUnsuitable: a bucket that overwrites where it should refuse.
        ServiceUnavailable, StorageFull: it cannot be read or written.
    """
    found = _found(backend)
    if found is None:
        if next(backend.list(), None) is not None:
            raise StoreDamaged(
                f"The store {backend.url} has packs, but its file '{MARKER}' is missing.",
                hint=f"Check that this is the whole store; then create '{MARKER}' with the content {_mark(1).decode()}",
            )
        if not make:
            raise NotFound(
                f"There is no store in {backend.url}.",
                hint="Name the folder that holds `format` and `packs`.",
            )
        _probe(backend)
        # Put last where it is not 1: what is marked is complete.
        for number in range(1, version + 1):
            backend.put(_path(number), _mark(number))
        found = _found(backend)
    if found is None or found > version:
        raise StoreDamaged(
            f"The store {backend.url} has format version {found}; this version of Nuvo reads up to version {version}.",
            hint="It was written by a newer version: upgrade with `pip install -U nuvo-jupyter`.",
        )
    for number in range(found + 1, version + 1) if make else ():
        migrations[number](backend)
        backend.put(_path(number), _mark(number))


def _found(backend: Backend) -> int | None:
    """The version of the store in a place; ``None`` where there is none."""
    try:
        version = _said(backend, MARKER)
    except FileNotFoundError:
        return None
    for item in backend.list(LATER):
        number = item.path.rpartition("/")[2]
        if not number.isdecimal() or _said(backend, item.path) != int(number):
            raise _other(backend, item.path)
        version = max(version, int(number))
    return version


def _said(backend: Backend, path: str) -> int:
    try:
        marker = json.loads(backend.get(path, 0, 4096))
        name, version = marker["format"], marker["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        name, version = None, None
    if name != FORMAT or not isinstance(version, int) or version < 1:
        raise _other(backend, path)
    return version


def _other(backend: Backend, path: str) -> StoreDamaged:
    return StoreDamaged(
        f"{backend.url} is not a store of Nuvo: its file '{path}' says something else.",
        hint="Check the store's address (c.Nuvo.store_url). If it is the right one, that file is damaged: "
        f"'{MARKER}' has the content {_mark(1).decode()}",
    )


def _path(version: int) -> str:
    return MARKER if version == 1 else f"{LATER}/{version}"


def _mark(version: int) -> bytes:
    return json.dumps({"format": FORMAT, "version": version}).encode()


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
