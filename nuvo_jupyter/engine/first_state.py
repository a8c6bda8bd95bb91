"""The first state of new instances: a delivery like any other, from a snapshot into an empty folder."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.distributions import preparing, was_shared
from nuvo_jupyter.catalog.families import expect_more
from nuvo_jupyter.catalog.queue import Child, insert_children, insert_task
from nuvo_jupyter.catalog.spaces import get_instances, of_kind
from nuvo_jupyter.delivery.orders import DeliveryOrder, DistributionOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_instance, find_snapshot, parse_state
from nuvo_jupyter.engine.sending import send
from nuvo_jupyter.model.changes import Strategies, Strategy
from nuvo_jupyter.model.errors import InvalidInput, NotFound, NotNow
from nuvo_jupyter.model.reference import LATEST
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import DistributionKind, TaskKind, TaskState


def start_instances(
    call: Call,
    connection: Connection,
    space: Row[Any],
    instance_ids: list[int],
    source: str | None,
    *,
    share_state: bool = False,
) -> int:
    """Queue the first delivery into new instances; the task to watch.

    Args:
        source: the state to start from; ``None`` for Distributed's latest snapshot if there is one, ``""`` for nothing.
        share_state: "invite and share state": a current state is allowed as source, and a snapshot of it is taken first.

    Raises:
        InvalidInput: a current state without ``share_state``, or a state with a path.
        NotNow: ``share_state`` of a current state of which a full snapshot was shared before.
    """
    instance_row, snapshot_row = _source(call, connection, space, source, share_state=share_state)
    title = (
        f"Start {len(instance_ids) or 'no'} instance{'s' if len(instance_ids) != 1 else ''} in {space.name}"
    )
    if not instance_ids:
        title += ": everybody has one already"
    elif instance_row is None:
        title += " with an empty folder" if len(instance_ids) == 1 else " with empty folders"
    if instance_row is None or not instance_ids:
        # Nothing to deliver, but callers always get a task to look at.
        task_id = insert_task(
            connection,
            kind=TaskKind.DISTRIBUTION,
            title=title,
            order=DistributionOrder(DistributionKind.CREATE, None),
            created_by=call.who,
            state=TaskState.DONE,
            space_id=space.id,
        )
        _make_folders(connection, instance_ids)
        if source is None:
            _join(connection, space, instance_ids)
        return task_id
    task_id = send(
        call,
        connection,
        order=DistributionOrder(DistributionKind.CREATE, None, Strategies.every(Strategy.MERGE)),
        title=title,
        space_id=space.id,
        source_instance=instance_row.id,
        source_snapshot=None if snapshot_row is None else snapshot_row.id,
        targets=get_instances(connection, instance_ids),
    )
    if source is None:
        _join(connection, space, instance_ids)
    return task_id


def _join(connection: Connection, space: Row[Any], instance_ids: list[int]) -> None:
    """Let new instances have what is on its way to all: Distributed, of which they start, does not hold it yet."""
    if not instance_ids:
        return
    for task in preparing(connection, space.id):
        if msgspec.msgpack.decode(task.request, type=DistributionOrder).through is None:
            continue
        joining = get_instances(connection, instance_ids)
        insert_children(
            connection,
            [
                Child(f"{task.title} → {row.space}/{row.name}", DeliveryOrder(), row.space_id, row.id)
                for row in joining
            ],
            parent_id=task.id,
            distribution_id=task.distribution_id,
            created_by=task.created_by,
            state=TaskState.WAITING,
        )
        expect_more(connection, task.id, len(joining))


def _source(
    call: Call, connection: Connection, space: Row[Any], source: str | None, *, share_state: bool
) -> tuple[Row[Any] | None, Row[Any] | None]:
    if source == "":
        return None, None
    if source is None:
        distributed = of_kind(connection, space.id, "distributed")
        try:
            return distributed, find_snapshot(connection, distributed, LATEST)
        except NotFound:
            return None, None
    reference = parse_state(source)
    if reference.path:
        raise InvalidInput(
            "New instances start from a whole state.", hint="Leave ':path' out, then distribute files."
        )
    access = call.access(connection)
    row = find_instance(connection, access, reference)
    access.require_instance(row, Need.VIEWER, "start instances from it")
    if not reference.is_current:
        return row, find_snapshot(connection, row, reference.snapshot)
    if not share_state:
        raise InvalidInput(
            f"{source!r} is a current state, which changes.",
            hint="Name a snapshot (…@latest), or choose 'invite and share state' (--share-state), which takes one first.",
        )
    if was_shared(connection, row.id):
        raise NotNow(
            f"A full snapshot of {row.space}/{row.name} was shared before.",
            hint=f"Share a snapshot of it instead, for example {row.space}/{row.name}@latest.",
        )
    return row, None


def _make_folders(connection: Connection, instance_ids: list[int]) -> None:
    from nuvo_jupyter.workspace.folder import make_folder

    for row in get_instances(connection, instance_ids):
        make_folder(row.workspace)
