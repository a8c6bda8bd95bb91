"""Open the catalog: connections, transactions and the database's clock."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from nuvo_jupyter.catalog.tables import for_postgresql
from nuvo_jupyter.model.errors import CatalogDamaged, InvalidInput, ServiceUnavailable, StorageFull

BUSY_SECONDS = 30
_AGAIN_SECONDS = 0.005
_MAKING = threading.Lock()
_NO_LIMIT = -1
"""Connections are limited by the threads alone. With fewer, those that wait to write could hold all of them while the
one that writes needs another."""


class Catalog:
    """A catalog database.

    Args:
        url: an SQLAlchemy URL, ``sqlite:////path/catalog.sqlite`` or ``postgresql+psycopg://…``.
            A missing SQLite file (and its folder, 0700) is made.

    Raises:
        CatalogDamaged: the file is no database, cannot be opened, is corrupted, or was written by a newer version.
        InvalidInput: the URL is none, or of another kind of database.
        ServiceUnavailable: the database server does not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite, file = _understood(url)
        if self.is_sqlite:
            self._prepare_file(Path(file))
            self.engine = sa.create_engine(
                url,
                connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
                poolclass=sa.QueuePool,
                max_overflow=_NO_LIMIT,
            )
            sa.event.listen(self.engine, "connect", _configure_sqlite)
        else:
            for_postgresql()
            self.engine = sa.create_engine(url, pool_pre_ping=True, max_overflow=_NO_LIMIT)
        with _translated(url):
            self._migrate()

    @staticmethod
    def _prepare_file(path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Created by us with 0600, so that no umask can make it readable by others. A file that is there is not
            # opened: closing it again would let go of every lock that SQLite holds on it in this process.
            with _MAKING:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(f"There is no space left for the catalog {path}.") from error
            raise _unusable(str(path), os.strerror(error.errno or 0).lower()) from error

    def _migrate(self) -> None:
        from nuvo_jupyter.catalog.migrate import upgrade

        upgrade(self)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state; nothing is written."""
        with _translated(self.url), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        On SQLite it takes the write lock at once (``BEGIN IMMEDIATE``), so that nothing read in it can
        be outdated when it writes.

        Args:
            durable: whether it, and all before it, survive a power failure from the moment anybody sees it. Otherwise the
                last seconds may be lost, as a whole. On PostgreSQL all of them survive.
        """
        with _translated(self.url), self.engine.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            if durable:
                connection.exec_driver_sql("PRAGMA synchronous=FULL")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                with _commit(connection):
                    yield connection
            finally:
                if durable:
                    connection.exec_driver_sql("PRAGMA synchronous=NORMAL")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _commit(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions begin only where we say so (BEGIN IMMEDIATE); sqlite3 would begin deferred ones.
    connection.isolation_level = None
    _use_log(connection)
    for pragma in (
        # Else the log stays as large as the largest transaction, and the catalog takes its room twice.
        f"journal_size_limit={1 << 20}",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, or find that it is.

    SQLite does not wait here as it does elsewhere: while another process switches too, or clears the log away as the
    last one that had it open, this fails at once (https://www.sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode).
    """
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(_AGAIN_SECONDS)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        text = str(error.orig)
        if "full" in text:
            raise StorageFull("The disk that holds the catalog is full.") from error
        if "malformed" in text or "not a database" in text or "disk I/O" in text:
            raise _damaged(url, text) from error
        if "locked" in text:
            raise ServiceUnavailable(
                f"The catalog was in use by others for {BUSY_SECONDS} seconds.", hint="Try again in a moment."
            ) from error
        if "unable to open" in text or "readonly" in text:
            raise _unusable(str(make_url(url).database), text) from error
        if not url.startswith("sqlite"):
            raise ServiceUnavailable(f"The catalog database does not answer: {text.strip()}") from error
        raise
    except DatabaseError as error:
        text = str(error.orig)
        if "malformed" in text or "not a database" in text:
            raise _damaged(url, text) from error
        raise


def _understood(url: str) -> tuple[bool, str]:
    """Whether a URL is one of SQLite, and which file it names."""
    hint = "Set c.Nuvo.catalog_url (NUVO_CATALOG_URL) to sqlite:////PATH or postgresql+psycopg://…"
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise InvalidInput("The catalog's URL cannot be understood.", hint=hint) from None
    if backend not in ("sqlite", "postgresql"):
        raise InvalidInput(f"There is no catalog in {backend} databases.", hint=hint)
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidInput("The catalog's URL names no file.", hint=hint)
    return backend == "sqlite", parsed.database or ""


def _unusable(path: str, reason: str) -> CatalogDamaged:
    return CatalogDamaged(
        f"The catalog {path} cannot be opened: {reason}.",
        hint="Check that its folder exists and that you may write there, or set c.Nuvo.home (NUVO_HOME).",
    )


def _damaged(url: str, text: str) -> CatalogDamaged:
    return CatalogDamaged(
        f"The catalog {make_url(url).database} is damaged: {text}.",
        hint="Move the file away and put its last backup in its place, or run `nuvo rebuild`, which makes a new one: the "
        "packs of the store hold all content and manifests.",
    )


def now(on: Catalog | Connection) -> sa.ColumnElement[float]:
    """The database's clock in seconds since 1970 UTC, as an SQL expression."""
    return clock(on.is_sqlite if isinstance(on, Catalog) else on.dialect.name == "sqlite")


def clock(is_sqlite: bool) -> sa.ColumnElement[float]:
    """:func:`now` for queries that are built once and kept."""
    if is_sqlite:
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Float(53))
    return sa.literal_column("extract(epoch from clock_timestamp())::double precision", sa.Float(53))


def read_clock(connection: Connection) -> float:
    """What :func:`now` says at this moment."""
    return float(connection.execute(sa.select(now(connection))).scalar_one())
