"""Past distributions and their deliveries: list, show, retry."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import families
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.distributions import Reader, get_distribution, list_distributions
from nuvo_jupyter.catalog.spaces import get_instances, get_space
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.delivery.results import read_outcomes
from nuvo_jupyter.delivery.settle import retry
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_space, instance_of, state_text
from nuvo_jupyter.engine.tasks import answer, present_tasks, visible_task
from nuvo_jupyter.model.errors import NotFound, NotNow
from nuvo_jupyter.model.requests import DistributionList, OfTask, TaskShow
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.tasks import Delivery, Distribution, DistributionKind, TaskKind


def distribution_list(call: Call, request: DistributionList) -> tuple[Distribution, ...]:
    """Past distributions the caller may know of, newest first, without their deliveries."""
    with call.read() as connection:
        access = call.access(connection)
        space_id = instance_id = None
        if request.space:
            space = find_space(connection, access, request.space)
            access.require_in_space(space, Need.ANYONE)
            space_id = space.id
        if request.instance:
            instance = instance_of(connection, access, request.instance)
            access.require_instance(instance, Need.VIEWER, "see its distributions")
            instance_id = instance.id
        rows = list_distributions(
            connection,
            space_id=space_id,
            instance_id=instance_id,
            limit=request.limit,
            # Viewers of an instance may know of all that concerns it.
            reader=Reader(call.who, access.administered(), access.edited()) if instance_id is None else None,
        )
        return tuple(_present(connection, row, with_deliveries=False, who=None) for row in rows)


def distribution_show(call: Call, request: OfTask) -> Distribution:
    """One distribution with its deliveries; editors of a target see their own delivery only.

    Raises:
        NotFound: there is none, or none of the caller's business.
    """
    with call.read() as connection:
        row = _find(call, connection, request.id)
        access = call.access(connection)
        everything = row.created_by == call.who or Need.ADMIN in access.space(row.space_id)
        return _present(connection, row, with_deliveries=True, who=None if everything else access.edited())


def distribution_retry(call: Call, request: TaskShow) -> Any:
    """Deliver again to the targets that failed or were cancelled; the others are not touched.

    Raises:
        NotNow: no delivery failed or was cancelled, or a target takes none any more.
        Refused: the caller is not, or no longer, editor of a target.
    """
    with call.write() as connection:
        row = _find(call, connection, request.id)
        space = get_space(connection, row.space_id)
        call.space = space
        if row.created_by != call.who:
            call.access(connection).require_in_space(space, Need.ADMIN)
        parent = _parent(connection, row.id)
        _require_targets(call, connection, parent.id)
        again = retry(call.engine.context, connection, parent.id)
        if not again:
            raise NotNow(
                f"No delivery of distribution {row.id} failed or was cancelled.",
                hint="Look at it with `nuvo distributions show`.",
            )
        call.detail |= {"deliveries": again, "task": parent.id}
    return answer(call, parent.id, request.wait)


def delivery_show(call: Call, request: OfTask) -> Delivery:
    """What a delivery did to each object.

    Raises:
        NotFound: there is no such delivery.
    """
    with call.read() as connection:
        row = visible_task(call, connection, request.id)
        if row.kind != TaskKind.DELIVERY:
            raise NotFound(f"Task {request.id} is no delivery.")
        task = present_tasks(connection, [row])[0]
        return Delivery(task=task, outcomes=read_outcomes(row.result), review=task.instance or "")


def _require_targets(call: Call, connection: Connection, parent_id: int) -> None:
    # Roles may have been taken away, and instances archived or deleted, since it was first asked for.
    access = call.access(connection)
    unfinished = [
        child for child in families.children(connection, parent_id) if child.state in ("failed", "cancelled")
    ]
    for target in get_instances(connection, [child.instance_id for child in unfinished]):
        access.require_instance(target, Need.EDITOR, "deliver into it again")
        if target.archived or target.space_archived:
            raise NotNow(
                f"{target.space}/{target.name} is archived.", hint="Take it out of the archive first."
            )
        if target.deleted_at is not None or target.space_deleted_at is not None:
            raise NotNow(
                f"{target.space}/{target.name} was deleted.", hint="Recover it first, or distribute anew."
            )


def _find(call: Call, connection: Connection, distribution_id: int) -> Row[Any]:
    row = get_distribution(connection, distribution_id)
    if row is None or not _visible(connection, call.access(connection), row, call.who):
        raise NotFound(
            f"There is no distribution {distribution_id}.", hint="List them with `nuvo distributions`."
        )
    return row


def _visible(connection: Connection, access: Access, row: Row[Any], who: str) -> bool:
    if row.created_by == who or Need.ADMIN in access.space(row.space_id):
        return True
    mine = access.edited()
    if not mine:
        return False
    query = sa.select(t.task.c.id).where(t.task.c.distribution_id == row.id, t.task.c.instance_id.in_(mine))
    return connection.execute(query.limit(1)).first() is not None


def _parent(connection: Connection, distribution_id: int) -> Row[Any]:
    query = sa.select(t.task).where(t.task.c.distribution_id == distribution_id, t.task.c.parent_id.is_(None))
    return connection.execute(query).one()


def _present(
    connection: Connection, row: Row[Any], *, with_deliveries: bool, who: set[int] | None
) -> Distribution:
    order = msgspec.msgpack.decode(row.request, type=DistributionOrder)
    parent = _parent(connection, row.id)
    children = families.children(connection, parent.id) if with_deliveries else []
    shown = [child for child in children if who is None or child.instance_id in who]
    task, *deliveries = present_tasks(connection, [parent, *shown])
    return Distribution(
        id=row.id,
        kind=DistributionKind(row.kind),
        space=get_space(connection, row.space_id).name,
        source=None
        if row.source_instance_id is None
        else state_text(connection, row.source_instance_id, row.source_snapshot_id),
        objects=order.objects,
        strategies=order.strategies,
        message=row.message,
        task=task,
        deliveries=tuple(deliveries),
    )
