"""One delivery: prepare, back up, plan, apply, report. Killed anywhere and claimed again, the end is the same."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import holding, snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery import bases
from nuvo_jupyter.delivery.applications import build_what_came
from nuvo_jupyter.delivery.base import after_delivery, after_recall, arrived
from nuvo_jupyter.delivery.bases import SameBase
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.guard import guarded
from nuvo_jupyter.delivery.locks import instance_lock
from nuvo_jupyter.delivery.orders import DeliveryOrder, SnapshotOrder
from nuvo_jupyter.delivery.planning import Planned, plan_delivery
from nuvo_jupyter.delivery.results import pack_outcomes, problem_of
from nuvo_jupyter.delivery.sources import Source, is_held, read_source, state_of
from nuvo_jupyter.delivery.tables import in_turn
from nuvo_jupyter.delivery.take import begun_again, take_locked
from nuvo_jupyter.delivery.turns import turn
from nuvo_jupyter.merge.recall import recalled_paths
from nuvo_jupyter.merge.scope import Scope
from nuvo_jupyter.merge.simulate import simulate
from nuvo_jupyter.model.changes import Action, Change, ObjectOutcome, Strategy
from nuvo_jupyter.model.errors import StorageFull
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.spaces import InstanceKind
from nuvo_jupyter.model.tasks import DistributionKind, TaskState
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.chunks import content_ids
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.folder import make_folder
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.scan import Fingerprint

PLANNING = "plan"
APPLYING = "apply"
"""The step in which the target is changed; a delivery found in it goes on from its backup."""

NOT_NOTED = (
    "The objects were delivered, but there was no room left to note it. Free some space, then retry: "
    "what is there already is recognised."
)


_INSTANCE = sa.select(t.instance).where(t.instance.c.id == sa.bindparam("of_id"))


class _Target(msgspec.Struct):
    """The target before the delivery.

    Args:
        nodes: its content, by the backup.
        fingerprints: how its files looked; empty when resuming, then contents are compared.
        memory: what its next capture need not read; ``None`` when resuming.
    """

    nodes: Mapping[str, Node]
    fingerprints: Mapping[str, Fingerprint]
    memory: Memory | None = None


def deliver(execution: Execution) -> None:
    """Deliver to one target.

    What its user changes between backup and apply is kept and reported. When the executor is killed while it
    applies, the next one makes the same plan from the same backup, and finds what is done already by its content.

    Raises:
        Cancelled: nothing was changed.
        WorkspaceUnavailable, StoreDamaged: nothing was changed.
        StorageFull: nothing was changed; or all was, and only its report found no room, as the hint says then.
        LeaseLost: somebody else has taken over.
    """
    context, row = execution.context, execution.row
    order = msgspec.msgpack.decode(row.request, type=DeliveryOrder)
    with context.catalog.read() as connection:
        source = read_source(connection, row.distribution_id, first=order.first)
    resumed = row.step == APPLYING
    if not resumed:
        execution.check()
        if context.prepare is not None and source.order.kind is not DistributionKind.CREATE:
            execution.progress("prepare")
            context.prepare(row.instance_id)
    with instance_lock(context.home, row.instance_id, None if resumed else execution.check):
        # Not before: whoever held the lock may have changed what was last distributed.
        with context.catalog.read() as connection:
            instance = connection.execute(_INSTANCE, {"of_id": row.instance_id}).one()
        # A folder that was there before and is not now may just not be mounted: never begin anew in its place.
        if source.order.kind is DistributionKind.CREATE or (order.first and instance.next_number == 1):
            make_folder(instance.workspace)
        with Root(instance.workspace) as root:
            target = _resume(execution, resumed) or _back_up(execution, root, source)
            if not resumed and execution.step != PLANNING:
                execution.progress(PLANNING)
            base = state_of(context.store, instance.base_root)
            with turn():
                planned = plan_delivery(
                    context.store,
                    source,
                    target.nodes,
                    base,
                    into_distributed=order.first,
                    read=context.store.read_file,
                )
            planned = guarded(context.store, planned)
            if all(change.action is Action.KEEP for change in planned.changes):
                outcomes = [_as_planned(change) for change in planned.changes]
            else:
                if not resumed:
                    execution.begin(APPLYING)
                outcomes = _apply(execution, root, target, planned)
            # The merge into Distributed of what goes to all is followed by a snapshot of the distribution's own.
            kept = (
                None if order.first or instance.kind != InstanceKind.DISTRIBUTED else _keep(execution, root)
            )
        try:
            begun_again(lambda: _report(execution, source, instance, target, planned, outcomes, kept))
        except StorageFull as error:
            raise StorageFull(error.message, hint=NOT_NOTED) from error
    execution.announce()


def _resume(execution: Execution, resumed: bool) -> _Target | None:
    """The target as it was when a killed executor began to change it."""
    if not resumed:
        return None
    context, backup_id = execution.context, execution.row.backup_id
    if backup_id is None:
        # A new instance's folder was empty.
        return _Target({}, {})
    with context.catalog.read() as connection:
        backup = snapshots.get_snapshot(connection, backup_id)
    return _Target(state_of(context.store, backup.root), {})


def _back_up(execution: Execution, root: Root, source: Source) -> _Target:
    context, row, kind = execution.context, execution.row, source.order.kind
    if kind is DistributionKind.CREATE and not os.listdir(root.fd):
        return _Target({}, {}, Memory())
    same_as = None
    if row.backup_id is not None:
        # Killed after its backup: if nothing has changed since, no second one is needed.
        with context.catalog.read() as connection:
            same_as = (row.backup_id, snapshots.get_snapshot(connection, row.backup_id).manifest)

    def record(connection: Connection, snapshot_id: int) -> None:
        execution.fence(connection, backup_id=snapshot_id, step=PLANNING)

    execution.progress("back up")
    reason = Reason.BEFORE_RESTORE if kind is DistributionKind.RESTORE else Reason.BEFORE_DISTRIBUTION
    taken = take_locked(
        context,
        root,
        row.instance_id,
        order=SnapshotOrder(reason=reason),
        by=row.created_by,
        record=record,
        cancelled=execution.cancelled,
        same_as=same_as,
    )
    if same_as is None or taken.id != same_as[0]:
        execution.entered(PLANNING)
    return _Target(taken.captured.nodes, taken.captured.fingerprints, taken.captured.remembered)


def _apply(execution: Execution, root: Root, target: _Target, planned: Planned) -> list[ObjectOutcome]:
    context, row = execution.context, execution.row
    memory = target.memory
    remembered = False

    def published(path: str, seen: Fingerprint, node: Node) -> None:
        # It came from the store: the next backup need not read it.
        nonlocal remembered
        remembered = True
        assert memory is not None
        memory.remember(path, seen, node.content)

    changed = [change for change in planned.changes if change.action is not Action.KEEP]
    with in_turn(root, changed) as (changes, while_visible):
        applied = apply(
            root,
            context.store,
            changes,
            target.fingerprints,
            progress=lambda done, total: execution.progress(APPLYING, done, total),
            spool=context.spools.of(row.distribution_id, context.home),
            published=None if memory is None else published,
            while_visible=while_visible,
        )
    if memory is not None and remembered:
        memory.save(context.home / "memory" / str(row.instance_id))
    came = iter(applied)
    return [_as_planned(change) if change.action is Action.KEEP else next(came) for change in planned.changes]


def _as_planned(change: Change) -> ObjectOutcome:
    """What comes of a change that changes nothing."""
    at = change.at if change.at != change.path else ""
    return ObjectOutcome(change.path, change.outcome, at, change.detail, change.kind)


def _keep(execution: Execution, root: Root) -> int | None:
    """Snapshot what Distributed holds now: late joiners start from its latest, which must not be the backup."""
    row = execution.row
    with execution.context.catalog.read() as connection:
        latest = snapshots.latest_snapshot(connection, row.instance_id)
    taken = take_locked(
        execution.context,
        root,
        row.instance_id,
        order=SnapshotOrder(reason=Reason.DISTRIBUTED),
        by=row.created_by,
        record=lambda connection, _: execution.fence(connection),
        same_as=None if latest is None else (latest.id, latest.manifest),
    )
    return None if latest is not None and taken.id == latest.id else taken.id


def _report(
    execution: Execution,
    source: Source,
    instance: Row[Any],
    target: _Target,
    planned: Planned,
    outcomes: list[ObjectOutcome],
    kept: int | None,
) -> None:
    """Note outcomes and what counts as last distributed, and finish: all in one fenced transaction."""
    context = execution.context
    problem = problem_of(outcomes)
    state = TaskState.DONE if problem is None else TaskState.FAILED
    base_root = instance.base_root
    same: SameBase | None = None
    known: bases.Base | None = None
    with contextlib.ExitStack() as stack:
        writer = None
        if source.order.kind is DistributionKind.RESTORE:
            own = source.snapshot is not None and source.snapshot.instance_id == instance.id
            if own and source.exact and problem is None and source.snapshot is not None:
                base_root = source.snapshot.base_root
        elif not _is_base(execution, source, instance, planned):
            same = _all_arrived(source, instance, target, planned, outcomes)
            known = None if same is None else bases.known(context.store, same)
            if known is not None:
                base_root = known.root
            else:
                base = _new_base(execution, source, instance, target, planned, outcomes)
                # Mostly nothing changes when nothing is new.
                if base != state_of(context.store, base_root):
                    writer = stack.enter_context(context.store.writer())
                    base_root = tree.build(base, writer)
                    writer.flush()
        with context.catalog.write() as connection:
            standing = None
            if writer is not None:
                writer.commit(connection)
            if same is not None:
                standing = holding.enter(connection)
                if known is not None:
                    bases.require(context.store, same, known, standing)
            if base_root != instance.base_root:
                connection.execute(
                    sa.update(t.instance).where(t.instance.c.id == instance.id).values(base_root=base_root)
                )
            if kept is not None:
                snapshots.change_snapshot(connection, kept, base_root=base_root)
            if instance.kind != InstanceKind.DISTRIBUTED:
                build_what_came(connection, execution.row, outcomes)
            execution.finish(connection, state, result=pack_outcomes(outcomes), problem=problem)
        if same is not None and standing is not None and base_root is not None:
            bases.remember(context.store, same, base_root, standing)


def _all_arrived(
    source: Source,
    instance: Row[Any],
    target: _Target,
    planned: Planned,
    outcomes: list[ObjectOutcome],
) -> SameBase | None:
    """What the new base depends on where all that is distributed arrived, and nothing left; ``None`` elsewhere."""
    chosen = source.strategies
    if source.snapshot is None or source.order.kind is DistributionKind.RECALL:
        return None
    if Strategy.SKIP in (chosen.file, chosen.table, chosen.application):
        # Not all of what is distributed is delivered.
        return None
    for before, change, outcome in zip(planned.before_merging, planned.changes, outcomes, strict=True):
        wanted = planned.source.get(change.path)
        if change.action is Action.REMOVE or wanted is None or not arrived(before, change, outcome, wanted):
            return None
    put = {change.at for change in planned.changes if change.action is Action.PUT}
    for path in Scope(planned.source, source.paths).paths:
        if planned.source[path].kind is NodeKind.FOLDER and path not in put:
            there = target.nodes.get(path)
            if there is None or there.kind is not NodeKind.FOLDER:
                return None
    return SameBase(instance.base_root, source.snapshot.root, source.paths)


def _is_base(execution: Execution, source: Source, instance: Row[Any], planned: Planned) -> bool:
    """Whether what counts as last distributed is the same after a delivery, whatever came of its objects."""
    if source.snapshot is None or instance.base_root is None:
        return False
    if any(change.action is not Action.KEEP for change in planned.before_merging):
        return False
    return is_held(execution.context.store, source.snapshot.root, source.paths, instance.base_root)


def _new_base(
    execution: Execution,
    source: Source,
    instance: Row[Any],
    target: _Target,
    planned: Planned,
    outcomes: list[ObjectOutcome],
) -> dict[str, Node]:
    base = state_of(execution.context.store, instance.base_root)
    if source.order.kind is DistributionKind.RECALL:
        taken = {path: planned.source[path] for path in recalled_paths(planned.source, source.paths)}
        return after_recall(base, taken, outcomes)
    carried_out = [
        change
        for change, outcome in zip(planned.changes, outcomes, strict=True)
        if outcome.outcome is change.outcome
    ]
    # Of the target only the folders that the source has too are asked for below.
    folders = {
        path: there
        for path, node in planned.source.items()
        if node.kind is NodeKind.FOLDER and (there := target.nodes.get(path)) is not None
    }
    now = simulate(folders, carried_out, content_ids)
    return after_delivery(
        base,
        planned.source,
        source.paths,
        planned.before_merging,
        planned.changes,
        outcomes,
        (path for path, node in now.items() if node.kind is NodeKind.FOLDER),
    )
