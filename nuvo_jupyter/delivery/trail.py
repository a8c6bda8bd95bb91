"""What background work did to an instance, in the audit trail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import audit
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.results import read_result
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

_NAMES = (
    sa.select(t.instance.c.name, t.instance.c.space_id, t.space.c.name.label("space"), t.snapshot.c.number)
    .select_from(
        t.instance.join(t.space, t.space.c.id == t.instance.c.space_id).outerjoin(
            t.snapshot, t.snapshot.c.id == sa.bindparam("taken", type_=sa.BigInteger)
        )
    )
    .where(t.instance.c.id == sa.bindparam("instance"))
)


def note_end(connection: Connection, row: Row[Any], problem: Problem | None) -> None:
    """Tell the audit trail how a snapshot or delivery ended, in the transaction of its end.

    The entry is of whoever asked for it and about the target; its state is the snapshot taken, for a delivery the
    backup. Other tasks change no instance and are not told of.

    Args:
        row: the task's, as of its end.
    """
    if row.kind not in (TaskKind.SNAPSHOT.value, TaskKind.DELIVERY.value):
        return
    found = read_result(row.result)
    taken = row.backup_id if row.kind == TaskKind.DELIVERY.value else found.snapshot_id
    names = connection.execute(_NAMES, {"instance": row.instance_id, "taken": taken}).one()
    reference = f"{names.space}/{names.name}"
    if taken is not None:
        reference += f"@{names.number}"
    detail: dict[str, Any] = {"task": row.id, **found.counts}
    if row.distribution_id is not None:
        detail["distribution"] = row.distribution_id
    if problem is not None:
        detail |= {"code": problem.code, "message": problem.message}
    audit.append(
        connection,
        who=row.created_by,
        action=row.kind,
        outcome="ok" if row.state == TaskState.DONE.value else "failed",
        space_id=names.space_id,
        instance_id=row.instance_id,
        state=reference,
        detail=detail,
    )
