"""Queue a distribution: its row, the task that prepares it, and a delivery per target."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.distributions import add_distribution
from nuvo_jupyter.catalog.queue import Child, insert_children, insert_task
from nuvo_jupyter.delivery.orders import DELIVER, DeliveryOrder, DistributionOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.model.tasks import TaskKind, TaskState


def send(
    call: Call,
    connection: Connection,
    *,
    order: DistributionOrder,
    title: str,
    space_id: int,
    source_instance: int | None,
    source_snapshot: int | None,
    targets: list[Row[Any]],
    message: str = "",
    notify: bool = False,
) -> int:
    """Insert everything a distribution needs, in the caller's transaction.

    Args:
        source_snapshot: id; ``None`` for the current state, of which a snapshot is taken first.
        targets: instance rows, authorised by the caller; Distributed among them if ``order.through`` says so.

    Returns:
        The id of the task to watch.
    """
    # A snapshot is fixed already: there is nothing to prepare, and the deliveries can begin.
    ready = bool(targets) and order.through is None and source_snapshot is not None
    distribution_id = add_distribution(
        connection,
        space_id=space_id,
        kind=order.kind.value,
        source_instance_id=source_instance,
        source_snapshot_id=source_snapshot,
        request=msgspec.msgpack.encode(order),
        message=message,
        notify=notify,
        created_by=call.who,
    )
    task_id = insert_task(
        connection,
        kind=TaskKind.DISTRIBUTION,
        title=title,
        order=order,
        created_by=call.who,
        distribution_id=distribution_id,
        space_id=space_id,
        state=TaskState.WAITING if ready else TaskState.QUEUED,
        begun=(DELIVER, len(targets)) if ready else None,
    )
    insert_children(
        connection,
        [
            Child(
                f"{title} → {target.space}/{target.name}",
                DeliveryOrder(first=target.id == order.through),
                target.space_id,
                target.id,
            )
            for target in targets
        ],
        parent_id=task_id,
        distribution_id=distribution_id,
        created_by=call.who,
        state=TaskState.QUEUED if ready else TaskState.WAITING,
    )
    call.detail |= {"distribution": distribution_id, "task": task_id}
    return task_id
