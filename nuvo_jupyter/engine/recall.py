"""Recall: delete distributed objects again, where they are still as distributed."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.distributions import get_distribution
from nuvo_jupyter.catalog.spaces import list_instances
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.distribute import what_of
from nuvo_jupyter.engine.sending import send
from nuvo_jupyter.engine.stage import checked_objects
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.model.errors import InvalidInput, NotFound, NotNow
from nuvo_jupyter.model.requests import Recall
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject, Task, TaskKind, TaskState
from nuvo_jupyter.store import tree

_KINDS = {
    "others": ("personal", "group"),
    "students": ("distributed", "personal", "group"),
    "all": ("master", "distributed", "personal", "group"),
}
_WHOM = {"others": "all others", "students": "all students", "all": "all instances"}


def recall(call: Call, request: Recall) -> Task:
    """Queue a recall. It follows the distribution it takes back; copies that somebody edited stay and are listed.

    Raises:
        InvalidInput: neither a distribution nor objects.
        NotFound: the distribution is not one of this space, or nothing of that path was distributed.
        NotNow: the distribution was a restore, pull or recall itself.
    """
    assert call.space is not None
    space = call.space
    if request.distribution is None and not request.objects:
        raise InvalidInput("Say what to recall.", hint="Give a distribution's number, or paths.")
    if space.archived:
        raise NotNow(f"The space {space.name!r} is archived.", hint="Take it out of the archive first.")
    objects = checked_objects(request.objects) if request.objects else None
    unknown: set[str] = set()
    if request.distribution is None and objects is not None:
        unknown = _not_distributed(call, request, objects)
    with call.write() as connection:
        if request.distribution is not None:
            recalled = _recallable(connection, space, request.distribution)
            if objects is None:
                objects = recalled.objects
        targets = _targets(call, connection, request)
        if not targets:
            raise NotFound(f"The space {space.name!r} has no instances to recall from.")
        # What is still on its way is noted by its own end.
        if unknown and not _under_way(connection, space):
            raise NotFound(
                f"Nothing called {min(unknown)!r} is distributed in {space.name}, or it was recalled already.",
                hint="Check the path; it starts at the instance's folder. "
                "`nuvo distributions` lists what was sent.",
            )
        what = (
            f"distribution {request.distribution}" if request.distribution is not None else what_of(objects)
        )
        task_id = send(
            call,
            connection,
            order=DistributionOrder(DistributionKind.RECALL, objects, recalled=request.distribution),
            title=f"Recall {what} from {_WHOM[request.scope]} of {space.name}",
            space_id=space.id,
            source_instance=None,
            source_snapshot=None,
            targets=targets,
        )
    return answer(call, task_id, request.wait)


def _recallable(connection: Connection, space: Row[Any], distribution_id: int) -> DistributionOrder:
    row = get_distribution(connection, distribution_id)
    if row is None or row.space_id != space.id:
        raise NotFound(
            f"The space {space.name!r} has no distribution {distribution_id}.",
            hint="List them with `nuvo distributions`.",
        )
    if row.kind not in ("distribute", "create"):
        raise NotNow(f"Distribution {distribution_id} is a {row.kind}, which cannot be recalled.")
    return msgspec.msgpack.decode(row.request, type=DistributionOrder)


def _targets(call: Call, connection: Connection, request: Recall) -> list[Row[Any]]:
    assert call.space is not None
    mine = call.access(connection).edited()
    return [
        row
        for row in list_instances(connection, call.space.id)
        if row.kind in _KINDS[request.scope]
        and not row.archived
        and not (request.scope == "others" and row.id in mine)
    ]


def _not_distributed(call: Call, request: Recall, objects: tuple[StagedObject, ...]) -> set[str]:
    """Those of the objects that were distributed to nobody: a mistyped path is not recalled from a class."""
    with call.read() as connection:
        roots = {row.base_root for row in _targets(call, connection, request)} - {None}
    missing = {item.path for item in objects}
    for root in roots:
        if missing:
            missing = {path for path in missing if tree.find(call.engine.store, root, path) is None}
    return missing


def _under_way(connection: Connection, space: Row[Any]) -> bool:
    c = t.task.c
    query = (
        sa.select(c.id)
        .where(c.space_id == space.id, c.kind == TaskKind.DELIVERY.value)
        .where(c.state.in_([TaskState.WAITING.value, TaskState.QUEUED.value, TaskState.RUNNING.value]))
        .limit(1)
    )
    return connection.execute(query).first() is not None
