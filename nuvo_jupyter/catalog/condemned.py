"""Blobs on their way out of the index, and packs on their way out of the store: collecting's side of the protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog.blobs import batches, marks, next_generation
from nuvo_jupyter.catalog.database import now, read_clock
from nuvo_jupyter.catalog.tables import blob, condemned, doomed, pack
from nuvo_jupyter.model.store import BlobEntry

TOMBSTONE_SECONDS = 30 * 24 * 3600.0
"""How long it is known that a pack was deleted: longer than any writer takes."""


class Row(NamedTuple):
    """One blob of the index, as far as collecting looks."""

    id: bytes
    pack_id: int
    length: int


class Doomed(NamedTuple):
    """A pack file that is to go."""

    name: bytes
    size: int
    orphan: bool


def rows(connection: Connection) -> Iterator[Row]:
    """Every blob of the index, in no order, without holding them all."""
    result = connection.exec_driver_sql(
        "SELECT id, pack_id, length FROM blob", execution_options={"yield_per": 10_000}
    )
    for id_, pack_id, length in result:
        yield Row(bytes(id_), pack_id, length)


def condemn(connection: Connection, ids: Collection[bytes]) -> None:
    """Note that nothing holds these blobs; what is condemned already stays so from then on."""
    moment = read_clock(connection)
    text = f"INSERT INTO condemned (id, at) VALUES ({marks(connection, 2)}) ON CONFLICT DO NOTHING"  # noqa: S608
    if ids:
        connection.exec_driver_sql(text, [(id_, moment) for id_ in sorted(ids)])


def all_condemned(connection: Connection) -> dict[bytes, float]:
    """Every condemned blob, and since when."""
    return {bytes(id_): at for id_, at in connection.execute(sa.select(condemned.c.id, condemned.c.at))}


def revive(connection: Connection, ids: Collection[bytes]) -> None:
    """Take blobs off the list."""
    for batch in batches(list(ids)):
        text = f"DELETE FROM condemned WHERE id IN ({marks(connection, len(batch))})"  # noqa: S608
        connection.exec_driver_sql(text, tuple(batch))


def remove(connection: Connection, ids: Collection[bytes]) -> list[bytes]:
    """Take those of the blobs that are still condemned out of the index; returns them."""
    gone: list[bytes] = []
    for batch in batches(list(ids)):
        some = marks(connection, len(batch))
        still = connection.exec_driver_sql(
            f"SELECT id FROM condemned WHERE id IN ({some})",  # noqa: S608
            tuple(batch),
        )
        found = [bytes(row[0]) for row in still]
        if found:
            some = marks(connection, len(found))
            connection.exec_driver_sql(f"DELETE FROM blob WHERE id IN ({some})", tuple(found))  # noqa: S608
            connection.exec_driver_sql(f"DELETE FROM condemned WHERE id IN ({some})", tuple(found))  # noqa: S608
            gone.extend(found)
    if gone:
        next_generation(connection)
    return gone


def move(connection: Connection, pack_id: int, moved: Iterable[tuple[int, BlobEntry]]) -> None:
    """Note that blobs lie in another pack now; what has left the index meanwhile stays out.

    Args:
        pack_id: the new pack's row.
        moved: row id of the old pack, and the place in the new one.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    text = f'UPDATE blob SET pack_id = {mark}, "offset" = {mark} WHERE id = {mark} AND pack_id = {mark}'  # noqa: S608
    values = [(pack_id, entry.offset, entry.id, old) for old, entry in moved]
    if values:
        connection.exec_driver_sql(text, sorted(values, key=lambda value: value[2]))


def add_pack(connection: Connection, name: bytes, size: int) -> int:
    """Enter a pack without blobs; returns its row id."""
    done = connection.execute(sa.insert(pack).values(name=name, size=size, created_at=now(connection)))
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def any_empty(connection: Connection) -> bool:
    """Whether there is a pack of which no blob is in the index."""
    query = sa.select(pack.c.id).where(~sa.exists().where(blob.c.pack_id == pack.c.id)).limit(1)
    return connection.scalar(query) is not None


def doom_empty(connection: Connection) -> int:
    """Doom every pack of which no blob is in the index; returns how many."""
    empty = connection.execute(
        sa.select(pack.c.id, pack.c.name, pack.c.size).where(~sa.exists().where(blob.c.pack_id == pack.c.id))
    ).all()
    moment = read_clock(connection)
    for row in empty:
        connection.execute(sa.delete(pack).where(pack.c.id == row.id))
        _doom(connection, bytes(row.name), row.size, moment, orphan=False)
    return len(empty)


def doom_unknown(connection: Connection, packs: Collection[tuple[bytes, int]]) -> None:
    """Doom packs (name and size) that are in the store, but not in the index."""
    moment = read_clock(connection)
    for batch in batches(list(packs)):
        known = connection.scalars(sa.select(pack.c.name).where(pack.c.name.in_([name for name, _ in batch])))
        entered = {bytes(name) for name in known}
        for name, size in batch:
            if name not in entered:
                _doom(connection, name, size, moment, orphan=True)


def _doom(connection: Connection, name: bytes, size: int, moment: float, *, orphan: bool) -> None:
    if connection.scalar(sa.select(doomed.c.name).where(doomed.c.name == name)) is None:
        connection.execute(sa.insert(doomed).values(name=name, size=size, at=moment, orphan=orphan))


def all_doomed(connection: Connection) -> list[tuple[Doomed, float, float | None]]:
    """Every doomed pack with when it was doomed, and when its deletion began (it may be over)."""
    query = sa.select(doomed.c.name, doomed.c.size, doomed.c.orphan, doomed.c.at, doomed.c.deleting_at)
    return [
        (Doomed(bytes(name), size, orphan), at, deleting)
        for name, size, orphan, at, deleting in connection.execute(query)
    ]


def begin_deleting(connection: Connection, names: Collection[bytes]) -> list[Doomed]:
    """Note that these packs are being deleted: no writer can enter them any more. Returns those still doomed."""
    found: list[Doomed] = []
    for batch in batches(list(names)):
        query = sa.update(doomed).where(doomed.c.name.in_(batch)).values(deleting_at=now(connection))
        for row in connection.execute(query.returning(doomed.c.name, doomed.c.size, doomed.c.orphan)):
            found.append(Doomed(bytes(row.name), row.size, row.orphan))
    return found


def forget_deleted(connection: Connection) -> None:
    """Forget packs deleted so long ago that nobody can ask for them."""
    limit = read_clock(connection) - TOMBSTONE_SECONDS
    connection.execute(sa.delete(doomed).where(doomed.c.deleting_at < limit))
