"""The blob index: which packs there are and where in them each blob lies. Always asked for many blobs at once."""

from __future__ import annotations

import functools
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog.database import Catalog, clock
from nuvo_jupyter.catalog.tables import blob, pack, setting
from nuvo_jupyter.model.store import BlobEntry

T = TypeVar("T")

GENERATION = "store.generation"
"""The setting that changes whenever a blob leaves the index."""

# One statement text for every full batch, so that the drivers' statement caches hit. SQLite takes up to
# 32,766 variables, PostgreSQL 65,535; longer statements are no faster.
BATCH = 1000
STEP = 200
"""Rows that one statement inserts: twice as fast as one by one."""


class Location(NamedTuple):
    """Where a blob lies.

    Args:
        pack_id: row of its pack.
        offset: in the pack, bytes.
        length: as stored, bytes.
        size: of the plain content, bytes.
        codec: 0 as is, 1 zstd.
    """

    pack_id: int
    offset: int
    length: int
    size: int
    codec: int


class PackRow(NamedTuple):
    """A pack the catalog knows: row id, name (32 bytes), size in bytes."""

    id: int
    name: bytes
    size: int


def locate(connection: Connection, ids: Collection[bytes]) -> dict[bytes, Location]:
    """Where those of ``ids`` lie that the catalog knows."""
    found: dict[bytes, Location] = {}
    for batch in batches(list(ids)):
        text = f'SELECT id, pack_id, "offset", length, size, codec FROM blob WHERE id IN ({marks(connection, len(batch))})'  # noqa: S608
        for key, *rest in connection.exec_driver_sql(text, tuple(batch)).fetchall():
            found[bytes(key)] = Location(*rest)
    return found


def pack_names(connection: Connection, pack_ids: Iterable[int]) -> dict[int, bytes]:
    """The names (32 bytes) of packs by row id."""
    names: dict[int, bytes] = {}
    for batch in batches(list(pack_ids)):
        query = sa.select(pack.c.id, pack.c.name).where(pack.c.id.in_(batch))
        names.update((row.id, bytes(row.name)) for row in connection.execute(query))
    return names


def all_packs(connection: Connection) -> list[PackRow]:
    """Every pack, by row id."""
    rows = connection.execute(sa.select(pack.c.id, pack.c.name, pack.c.size).order_by(pack.c.id))
    return [PackRow(row.id, bytes(row.name), row.size) for row in rows]


def any_pack(connection: Connection) -> bool:
    """Whether the catalog knows of any pack."""
    return connection.exec_driver_sql("SELECT 1 FROM pack LIMIT 1").first() is not None


def all_of_few(connection: Connection, limit: int) -> set[bytes] | None:
    """The ids of all blobs; ``None`` if there are more than ``limit``."""
    # Counting so far costs a fraction of what reading does.
    if connection.exec_driver_sql(f"SELECT 1 FROM blob LIMIT 1 OFFSET {limit:d}").first() is not None:  # noqa: S608
        return None
    return {bytes(id_) for id_ in connection.exec_driver_sql("SELECT id FROM blob").scalars()}


def find_pack(connection: Connection, name: bytes) -> PackRow | None:
    """The pack of that name, if the catalog knows it."""
    row = connection.execute(
        sa.select(pack.c.id, pack.c.name, pack.c.size).where(pack.c.name == name)
    ).first()
    return None if row is None else PackRow(row.id, bytes(row.name), row.size)


def rows_of_pack(connection: Connection, pack_id: int) -> list[BlobEntry]:
    """Every blob the catalog places in one pack, by offset."""
    columns = (blob.c.id, blob.c.offset, blob.c.length, blob.c.size, blob.c.codec, blob.c.kind)
    query = sa.select(*columns).where(blob.c.pack_id == pack_id).order_by(blob.c.offset)
    return [BlobEntry(bytes(row[0]), *row[1:]) for row in connection.execute(query)]


def of_kind(connection: Connection, kind: int) -> set[bytes]:
    """Ids of all blobs that were first written as 0 content, 1 tree or 2 manifest."""
    return {bytes(id_) for id_ in connection.scalars(sa.select(blob.c.id).where(blob.c.kind == kind))}


_PACK_ID = sa.select(pack.c.id).where(pack.c.name == sa.bindparam("of_name"))


@functools.cache
def _insertion(is_sqlite: bool) -> sa.Insert:
    insert: Any = sqlite.insert
    if not is_sqlite:
        # Imported where it is used: it costs every command 30 ms.
        from sqlalchemy.dialects import postgresql

        insert = postgresql.insert
    return insert(pack).values(created_at=clock(is_sqlite)).on_conflict_do_nothing()  # type: ignore[no-any-return]


def add_packs(
    connection: Connection, catalog: Catalog, packs: Iterable[tuple[bytes, int, Iterable[BlobEntry]]]
) -> None:
    """Enter durable packs and their blobs; blobs that lie in another pack already keep their place.

    Args:
        packs: name (32 bytes), size in bytes and blobs of each.
    """
    insertion = _insertion(catalog.is_sqlite)
    # In order, because writers that enter the same blobs in different orders would wait for each other. By their first
    # byte, because sorting all at once would let no other thread run for a tenth of a second.
    parts: defaultdict[int, list[tuple[bytes, int, int, int, int, int, int]]] = defaultdict(list)
    for name, size, entries in packs:
        connection.execute(insertion, {"name": name, "size": size})
        pack_id = int(connection.execute(_PACK_ID, {"of_name": name}).scalar_one())
        for entry in entries:
            parts[entry[0][0]].append((entry[0], pack_id, *entry[1:]))
    row = f"({marks(connection, 7)})"
    rows = chain.from_iterable(sorted(parts.pop(first)) for first in sorted(parts))
    while some := list(islice(rows, STEP)):
        text = (
            'INSERT INTO blob (id, pack_id, "offset", length, size, codec, kind) '  # noqa: S608
            f"VALUES {','.join((row,) * len(some))} ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql(text, tuple(chain.from_iterable(some)))


def remove_pack(connection: Connection, pack_id: int) -> None:
    """Forget a pack that no longer exists, and every blob in it."""
    next_generation(connection)
    connection.execute(sa.delete(blob).where(blob.c.pack_id == pack_id))
    connection.execute(sa.delete(pack).where(pack.c.id == pack_id))


def remove_blobs(connection: Connection, ids: Collection[bytes]) -> None:
    """Forget where these blobs lie, so that the next capture stores them again."""
    if ids:
        next_generation(connection)
    for batch in batches(list(ids)):
        text = f"DELETE FROM blob WHERE id IN ({marks(connection, len(batch))})"  # noqa: S608
        connection.exec_driver_sql(text, tuple(batch))


_GENERATION = sa.select(setting.c.value).where(setting.c.key == GENERATION)


def generation(connection: Connection) -> str:
    """What is the same only as long as no blob has left the index: what was in it then still is."""
    value = connection.scalar(_GENERATION)
    return "" if value is None else str(value)


def next_generation(connection: Connection) -> None:
    """Note that blobs leave the index in this transaction."""
    # Random, so that a catalog brought back from a backup never repeats one that was used since.
    text = (
        f"INSERT INTO setting (key, value) VALUES ({marks(connection, 2)}) "  # noqa: S608
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    )
    connection.exec_driver_sql(text, (GENERATION, secrets.token_hex(16)))


def batches(items: list[T]) -> Iterator[list[T]]:
    """Items by as many as one statement takes."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def marks(connection: Connection, count: int) -> str:
    """Placeholders for so many parameters."""
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    return ",".join((mark,) * count)
