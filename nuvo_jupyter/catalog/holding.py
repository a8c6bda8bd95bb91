"""How writers and collecting agree on what stays: the part of the protocol that every writer's commit takes.

Collecting condemns what nothing holds, and a grace period later removes what still is. A writer that refers to a
condemned blob takes it off the list in the transaction that makes its reference; one that relied on a blob which
has left the index meanwhile learns it there, and begins again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog.blobs import batches, generation, locate, marks
from nuvo_jupyter.catalog.tables import doomed
from nuvo_jupyter.model.errors import ContentGone

_LOCK = 0x6E757663
_DOOMED = sa.select(doomed.c.name, doomed.c.deleting_at)


class Standing(NamedTuple):
    """What a writer's commit finds.

    Args:
        generation: of the index; the same as long as no blob has left it.
        condemned: whether any blob is.
        doomed: whether any pack is.
    """

    generation: str
    condemned: bool
    doomed: bool


def enter(connection: Connection) -> Standing:
    """Begin to refer to blobs: until the transaction ends, nothing is condemned or removed."""
    if connection.dialect.name != "sqlite":
        # SQLite's write transactions are alone anyway.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_LOCK)))
    some = connection.exec_driver_sql(
        "SELECT EXISTS (SELECT 1 FROM condemned), EXISTS (SELECT 1 FROM doomed)"
    ).one()
    return Standing(generation(connection), bool(some[0]), bool(some[1]))


def alone(connection: Connection) -> None:
    """Keep out every writer's commit until the transaction ends; for whoever condemns or removes."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def claim_packs(connection: Connection, names: Iterable[bytes]) -> None:
    """Keep packs that a writer enters now, though nobody knew whose they were.

    Raises:
        ContentGone: one is being deleted, or was.
    """
    for batch in batches(list(names)):
        for name, deleting_at in connection.execute(_DOOMED.where(doomed.c.name.in_(batch))):
            if deleting_at is not None:
                raise ContentGone(f"Pack {bytes(name).hex()} was deleted before it was entered.")
        connection.execute(sa.delete(doomed).where(doomed.c.name.in_(batch)))


def hold(connection: Connection, ids: Collection[bytes]) -> None:
    """Make sure that blobs are in the index and stay there.

    Raises:
        ContentGone: some have left it.
    """
    missing = set(ids) - locate(connection, ids).keys()
    if missing:
        raise ContentGone(
            f"{len(missing)} blobs have left the store meanwhile, {min(missing).hex()} among them."
        )
    for batch in batches(list(ids)):
        text = f"DELETE FROM condemned WHERE id IN ({marks(connection, len(batch))})"  # noqa: S608
        connection.exec_driver_sql(text, tuple(batch))
