"""A store with content beside a catalog that is gone is no new home: it is said before an empty catalog hides it."""

from __future__ import annotations

import os

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import CatalogLost, NotFound
from nuvo_jupyter.store.backend import open_backend


def check_not_lost(settings: Nuvo) -> None:
    """Make sure that a catalog which is not there yet has no store already.

    Raises:
        CatalogLost: it has.
    """
    path = sqlite_file(settings.catalog_url)
    if path is None or not is_empty(path) or not _holds_packs(settings.store_url):
        return
    # Looked at in this order: who makes a new home makes its catalog first.
    if is_empty(path):
        raise CatalogLost(
            f"The catalog {path} is missing or empty, but the store {settings.store_url} holds content."
        )


def sqlite_file(url: str) -> str | None:
    """The file of a catalog in SQLite; ``None`` for other databases."""
    try:
        parsed = make_url(url)
        return parsed.database if parsed.get_backend_name() == "sqlite" else None
    except ArgumentError:
        return None


def is_empty(path: str) -> bool:
    """Whether nothing is in a catalog's file, or there is none."""
    try:
        return os.stat(path).st_size == 0
    except FileNotFoundError:
        return True
    except OSError:
        # Whoever opens it says what is wrong.
        return False


def _holds_packs(url: str) -> bool:
    try:
        backend = open_backend(url, make=False)
    except NotFound:
        return False
    try:
        return next(backend.list(), None) is not None
    finally:
        backend.close()
