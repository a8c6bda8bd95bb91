"""What background work did to an instance, in the audit trail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import audit, queue, snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.results import read_result
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState


def note_end(
    connection: Connection, task_id: int, state: TaskState, result: bytes | None, problem: Problem | None
) -> None:
    """Tell the audit trail how a snapshot or delivery ended, in the transaction of its end.

    The entry is of whoever asked for it and about the target; its state is the snapshot taken, for a delivery the
    backup. Other tasks change no instance and are not told of.
    """
    row = queue.get(connection, task_id)
    if row.kind not in (TaskKind.SNAPSHOT.value, TaskKind.DELIVERY.value):
        return
    instance = connection.execute(
        sa.select(t.instance.c.name, t.instance.c.space_id, t.space.c.name.label("space"))
        .join(t.space, t.space.c.id == t.instance.c.space_id)
        .where(t.instance.c.id == row.instance_id)
    ).one()
    found = read_result(result)
    reference = f"{instance.space}/{instance.name}"
    taken = row.backup_id if row.kind == TaskKind.DELIVERY.value else found.snapshot_id
    if taken is not None:
        reference += f"@{snapshots.get_snapshot(connection, taken).number}"
    detail: dict[str, Any] = {"task": task_id, **found.counts}
    if row.distribution_id is not None:
        detail["distribution"] = row.distribution_id
    if problem is not None:
        detail |= {"code": problem.code, "message": problem.message}
    audit.append(
        connection,
        who=row.created_by,
        action=row.kind,
        outcome="ok" if state is TaskState.DONE else "failed",
        space_id=instance.space_id,
        instance_id=row.instance_id,
        state=reference,
        detail=detail,
    )
