"""Measuring who holds how much of the store, as a task."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import blobs, releasing
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.releasing import Held
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.measuring_paths import Paths, measured, reached_by
from nuvo_jupyter.delivery.orders import UsageOrder
from nuvo_jupyter.delivery.results import pack_result
from nuvo_jupyter.model.growth import Freed, InstanceUsage, PathUsage, SnapshotUsage, SpaceUsage, Usage
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import TaskState
from nuvo_jupyter.store.graph import Graph, Reached
from nuvo_jupyter.store.usage import SHARED, Owners, Sizes, Totals, freed, sizes

MOST = 2000
"""Snapshots of one instance that are told one by one, the newest."""


def measure_usage(execution: Execution) -> None:
    """Measure who holds how much; that is the task's result.

    Raises:
        Cancelled
        StoreDamaged: a snapshot cannot be followed.
        LeaseLost: somebody else has taken over.
    """
    order = msgspec.msgpack.decode(execution.row.request, type=UsageOrder)
    survey = Survey(execution.context, execution.check, lambda a, b: execution.progress("read", a, b))
    execution.progress("measure")
    report = survey.report(order)
    with execution.context.catalog.write() as connection:
        execution.finish(connection, TaskState.DONE, result=pack_result({}, details=report))
    execution.announce()


class Survey:
    """Everything that is held, and how large it is, as of one moment.

    Args:
        stop: called now and then; raises to stop.
        tell: told how many folders were read that no earlier survey had read, and of how many.
    """

    def __init__(
        self, context: Context, stop: Callable[[], None], tell: Callable[[int, int], None] | None = None
    ) -> None:
        self._context = context
        self._stop = stop
        path = context.home / "graph"
        self.graph = Graph.load(path)
        with context.catalog.read() as connection:
            self.held = [one for one in releasing.held(connection) if one.sure]
            self._names = _names(connection)
            self._packs = sum(pack.size for pack in blobs.all_packs(connection))
            self.graph.reach(
                context.store,
                Reached(),
                (one.manifest for one in self.held if one.manifest is not None),
                (tree for one in self.held for tree in one.trees),
                stop=stop,
                tell=tell,
            )
            self.sizes: Sizes = sizes(self.graph, connection)
        if self.graph.learned:
            self.graph.save(path)

    def frees(self, snapshot_ids: Iterable[int]) -> int:
        """Stored bytes that nothing would hold without these snapshots."""
        gone = set(snapshot_ids)
        return freed(self.graph, self.held, lambda one: one.snapshot in gone, self.sizes, self._stop)

    def report(self, order: UsageOrder) -> Usage:
        """What an order asks for."""
        by_space = self._alone(lambda one: one.space)
        by_instance = self._alone(lambda one: one.instance)
        total = sum(self.sizes.folders) + sum(self.sizes.contents) + self.sizes.unknown
        needed = sum(size for owner, size in by_space.items() if owner == SHARED or owner > 0)
        totals = Totals(self.graph, self.sizes)
        wanted = [one for one in self.held if order.space_id in (None, one.space)]
        if order.instance_id is not None:
            wanted = [one for one in wanted if one.instance == order.instance_id]
        spaces = []
        for space_id, of_space in sorted(_grouped(wanted, lambda one: one.space).items()):
            instances = [
                InstanceUsage(
                    instance=f"{self._names[space_id, 0]}/{self._names[space_id, instance_id]}",
                    snapshots=sum(one.snapshot is not None for one in of_instance),
                    held=totals.of(of_instance),
                    alone=by_instance.get(instance_id, 0),
                    details=self._details(of_instance, totals) if instance_id == order.instance_id else (),
                    paths=self._paths(of_instance, order.folder) if order.folder is not None else (),
                )
                for instance_id, of_instance in _grouped(of_space, lambda one: one.instance).items()
            ]
            spaces.append(
                SpaceUsage(
                    space=self._names[space_id, 0],
                    snapshots=sum(one.snapshots for one in instances),
                    held=totals.of(one for one in self.held if one.space == space_id),
                    alone=by_space.get(space_id, 0),
                    instances=tuple(sorted(instances, key=lambda one: (-one.held, one.instance))),
                )
            )
        frees = None
        if order.snapshot_ids:
            frees = Freed(order.states, self.frees(order.snapshot_ids))
        return Usage(self._packs, total, total - needed, tuple(spaces), frees)

    def _alone(self, of: Callable[[Held], int]) -> dict[int, int]:
        self._stop()
        return Owners(self.graph, ((of(one), one) for one in self.held), self._stop).alone(self.sizes)

    def _details(self, held: list[Held], totals: Totals) -> tuple[SnapshotUsage, ...]:
        # What was last distributed somewhere holds on its own: its labels lie above all snapshots'.
        above = max((one.snapshot or 0 for one in self.held), default=0)
        alone = self._alone(lambda one: one.snapshot if one.snapshot is not None else above + one.instance)
        found = [one for one in held if one.snapshot is not None][-MOST:]
        rows = self._rows([one.snapshot or 0 for one in found])
        details = []
        for count, one in enumerate(reversed(found)):
            if not count % 64:
                self._stop()
            row = rows[one.snapshot or 0]
            details.append(
                SnapshotUsage(
                    reference=f"{self._names[one.space, 0]}/{self._names[one.space, one.instance]}@{row.number}",
                    number=row.number,
                    name=row.name,
                    reason=Reason(row.reason),
                    created_at=datetime.datetime.fromtimestamp(row.created_at, datetime.UTC),
                    size=row.size,
                    held=totals.of([one]),
                    alone=alone.get(row.id, 0),
                    deleted=row.deleted_at is not None,
                )
            )
        return tuple(details)

    def _paths(self, held: list[Held], folder: str) -> tuple[PathUsage, ...]:
        paths = Paths(self._context.store, self.graph, folder, self._stop)
        ids = [one.snapshot for one in held if one.snapshot is not None]
        rows = self._rows(ids)
        for one in held:
            for root in one.trees:
                paths.add(root, None)
        for id_ in ids:
            paths.add(rows[id_].root, id_)
        instance = held[0].instance
        others = [one for one in self.held if one.instance != instance]
        elsewhere = reached_by(self.graph, self._context.store, others, self._stop)
        there = [id_ for id_ in ids if rows[id_].deleted_at is None]
        return measured(paths, elsewhere, self.sizes, self.frees, max(there, default=None))

    def _rows(self, ids: list[int]) -> dict[int, Row[Any]]:
        found: dict[int, Row[Any]] = {}
        with self._context.catalog.read() as connection:
            for start in range(0, len(ids), 1000):
                query = sa.select(t.snapshot).where(t.snapshot.c.id.in_(ids[start : start + 1000]))
                found.update((row.id, row) for row in connection.execute(query))
        return found


def _names(connection: Connection) -> dict[tuple[int, int], str]:
    """Names of spaces (id, 0) and instances (space's id, id)."""
    names = {(id_, 0): name for id_, name in connection.execute(sa.select(t.space.c.id, t.space.c.name))}
    query = sa.select(t.instance.c.space_id, t.instance.c.id, t.instance.c.name)
    return names | {(space, id_): name for space, id_, name in connection.execute(query)}


def _grouped(held: Iterable[Held], of: Callable[[Held], int]) -> dict[int, list[Held]]:
    groups: dict[int, list[Held]] = {}
    for one in held:
        groups.setdefault(of(one), []).append(one)
    return groups
