"""What a delivery works from: its distribution, the distributed state, and names for copies put beside."""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.roots import GONE
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.merge.scope import Scope
from nuvo_jupyter.model.changes import Strategies, Strategy
from nuvo_jupyter.model.errors import NotFound
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.tree import flatten

_KEPT_ANSWERS = 64


def state_of(store: Store, root: bytes | None) -> Mapping[str, Node]:
    """Everything below a root tree by path text; not to be changed. ``None`` is the empty state."""
    if root is None:
        return {}
    known = store.states.get(root)
    if known is None:
        # Without a lock: whoever else reads the same state meanwhile does so twice.
        known = flatten(store, root)
        store.states.put(root, known)
    return known


def is_held(store: Store, root: bytes, paths: tuple[str, ...] | None, by: bytes) -> bool:
    """Whether a state holds what another has at some paths (``None``: all of it), to the last attribute.

    Args:
        root: of what is looked for.
        by: root of the state that may hold it.
    """
    key = (id(store), root, paths, by)
    known = _held.get(key)
    if known is None:
        state, holder = state_of(store, root), state_of(store, by)
        known = all(holder.get(path) == state[path] for path in Scope(state, paths).paths)
        if len(_held) >= _KEPT_ANSWERS:
            _held.clear()
        _held[key] = known
    return known


_held: dict[tuple[int, bytes, tuple[str, ...] | None, bytes], bool] = {}
"""Answers, since most targets of a distribution were given the same before."""


class Source(msgspec.Struct, frozen=True):
    """What is distributed, the same for all targets.

    Args:
        order: what was asked for.
        snapshot: row of the snapshot that is delivered; ``None`` for a recall of what was last distributed.
        label: ``from SPACE DATE``, for names of copies put beside.
        paths: what is staged; ``None`` for the whole state.
    """

    order: DistributionOrder
    snapshot: Row[Any] | None
    label: str
    paths: tuple[str, ...] | None

    @property
    def whole(self) -> bool:
        """Whether the whole state is distributed."""
        return self.paths is None or "" in self.paths

    @property
    def strategies(self) -> Strategies:
        """One for each kind of object."""
        chosen = self.order.strategies
        return Strategies(chosen.file, Strategy.SKIP, Strategy.SKIP) if self.order.only_files else chosen

    @property
    def exact(self) -> bool:
        """Whether the target becomes what is distributed, whatever it holds."""
        chosen = self.strategies
        return self.whole and {chosen.file, chosen.table, chosen.application} == {Strategy.REPLACE}


_DISTRIBUTION = sa.select(t.distribution).where(t.distribution.c.id == sa.bindparam("of_id"))
_ZONE = sa.select(t.space.c.name, t.space.c.timezone).where(t.space.c.id == sa.bindparam("of_id"))


@functools.lru_cache(16)
def _decoded(request: bytes) -> DistributionOrder:
    return msgspec.msgpack.decode(request, type=DistributionOrder)


def read_source(connection: Connection, distribution_id: int, *, first: bool) -> Source:
    """What a delivery of a distribution works from.

    Args:
        first: for the delivery into Distributed that the others wait for; those get Distributed's snapshot.
    """
    row = connection.execute(_DISTRIBUTION, {"of_id": distribution_id}).one()
    order = _decoded(bytes(row.request))
    snapshot_id = (
        row.source_snapshot_id if first or row.through_snapshot_id is None else row.through_snapshot_id
    )
    return make_source(connection, order, snapshot_id, row.space_id, row.created_at)


def make_source(
    connection: Connection, order: DistributionOrder, snapshot_id: int | None, space_id: int, moment: float
) -> Source:
    """What an order is about.

    Args:
        snapshot_id: what is distributed; for the recall of a distribution, that one's source takes its place.
        space_id: where from, for names of copies put beside.
        moment: when, likewise; seconds since 1970.
    """
    if order.kind is DistributionKind.RECALL:
        snapshot_id = _recalled_snapshot(connection, order)
    snapshot = None if snapshot_id is None else snapshots.get_snapshot(connection, snapshot_id)
    if snapshot is not None and snapshot.deleted_at == GONE:
        raise NotFound(
            f"Snapshot {snapshot.number}, which this is about, was deleted and its content collected.",
            hint="Distribute another one; a recall can name the paths instead.",
        )
    return Source(
        order=order,
        snapshot=snapshot,
        label=label_of(connection, space_id, moment),
        paths=paths_of_objects(_objects(connection, order)),
    )


def label_of(connection: Connection, space_id: int, moment: float) -> str:
    """``from SPACE DATE``, the date being a moment's in the space's time zone."""
    space = connection.execute(_ZONE, {"of_id": space_id}).one()
    try:
        zone: datetime.tzinfo = zoneinfo.ZoneInfo(space.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zone = datetime.UTC
    return f"from {space.name} {datetime.datetime.fromtimestamp(moment, zone).date().isoformat()}"


def paths_of_objects(objects: tuple[StagedObject, ...] | None) -> tuple[str, ...] | None:
    """The paths of staged objects; ``None`` for the whole state."""
    return None if objects is None else tuple(item.path for item in objects)


def strategies_into_distributed(strategies: Strategies) -> Strategies:
    """The strategies that fill Distributed before the others get anything.

    Nobody edits Distributed and it must hold what was handed out, so what the targets' users are asked to
    keep (``extra``, ``rename``) is overwritten there.
    """
    kept = (Strategy.REPLACE, Strategy.MERGE, Strategy.SKIP)
    return msgspec.structs.replace(
        strategies,
        **{
            kind: one if (one := getattr(strategies, kind)) in kept else Strategy.OVERWRITE
            for kind in ("file", "table", "application")
        },
    )


def _recalled(connection: Connection, order: DistributionOrder) -> Row[Any] | None:
    if order.recalled is None:
        return None
    return connection.execute(sa.select(t.distribution).where(t.distribution.c.id == order.recalled)).one()


def _recalled_snapshot(connection: Connection, order: DistributionOrder) -> int | None:
    row = _recalled(connection, order)
    return None if row is None else row.source_snapshot_id


def _objects(connection: Connection, order: DistributionOrder) -> tuple[StagedObject, ...] | None:
    """What is distributed, or for the recall of a distribution, what that distributed."""
    row = _recalled(connection, order)
    if order.kind is not DistributionKind.RECALL or row is None or order.objects is not None:
        return order.objects
    return msgspec.msgpack.decode(row.request, type=DistributionOrder).objects
