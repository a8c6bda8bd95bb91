"""Who holds how much of the store, and freeing what nobody does."""

from __future__ import annotations

from nuvo_jupyter.catalog.spaces import get_space
from nuvo_jupyter.delivery.orders import CollectOrder, UsageOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import (
    find_instance,
    find_snapshot,
    find_space,
    parse_state,
    parse_whole_state,
)
from nuvo_jupyter.engine.reports import queue_report, read_report
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.growth import Usage
from nuvo_jupyter.model.paths import parse_path
from nuvo_jupyter.model.reference import CURRENT
from nuvo_jupyter.model.requests import Collect, OfTask, UsageMeasure
from nuvo_jupyter.model.roles import Need
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.model.tasks import Task, TaskKind


def usage(call: Call, request: UsageMeasure) -> Task:
    """Queue a measurement of who holds how much; read it with ``usage_show``.

    It tells whether content is also held elsewhere, so it is for admins: of the space concerned, or managers for all.

    Raises:
        InvalidInput: a space and an instance of another one, a state that is no snapshot, or a folder of no instance.
        Refused: the caller is no admin of it.
    """
    space_id: int | None = None
    instance_id: int | None = None
    folder = parse_path(request.folder) if request.folder else request.folder
    if folder is not None and not request.instance:
        raise InvalidInput("A folder is in an instance, and none was named.", hint="Name one.")
    with call.read() as connection:
        access = call.access(connection)
        if request.space:
            space = find_space(connection, access, request.space)
            access.require_in_space(space, Need.ADMIN)
            space_id = space.id
        if request.instance:
            row = find_instance(connection, access, parse_state(request.instance))
            access.require_in_space(get_space(connection, row.space_id), Need.ADMIN)
            if space_id not in (None, row.space_id):
                raise InvalidInput(f"{request.instance} is in another space.", hint="Leave the space out.")
            space_id, instance_id = row.space_id, row.id
        ids = []
        for text in request.states:
            reference = parse_whole_state(text)
            if reference.snapshot == CURRENT:
                raise InvalidInput(
                    f"{text!r} is a current state, not a snapshot.", hint="Add @NUMBER or @NAME."
                )
            row = find_instance(connection, access, reference)
            access.require_in_space(get_space(connection, row.space_id), Need.ADMIN)
            ids.append(find_snapshot(connection, row, reference.snapshot).id)
            space_id = row.space_id if space_id is None else space_id
        if space_id is None:
            access.require_organization(Need.MANAGER)
        else:
            call.space = get_space(connection, space_id)
    order = UsageOrder(space_id, instance_id, tuple(ids), request.states, folder)
    return queue_report(call, TaskKind.USAGE, "Measure who holds how much", order, request.wait, space_id)


def usage_show(call: Call, request: OfTask) -> Usage:
    """What a measurement found.

    Raises:
        NotFound: there is no such measurement.
        NotNow: it is not finished.
    """
    return read_report(call, request.id, TaskKind.USAGE, Usage, "measurement")


def collect(call: Call, request: Collect) -> Task:
    """Queue a collection of what nothing holds; read what it freed with ``collect_show``."""
    title = "See what collecting would free" if request.dry_run else "Collect what nothing holds"
    return queue_report(
        call, TaskKind.COLLECT, title, CollectOrder(request.dry_run, request.now), request.wait
    )


def collect_show(call: Call, request: OfTask) -> CollectReport:
    """What a collection freed.

    Raises:
        NotFound: there is no such collection.
        NotNow: it is not finished.
    """
    return read_report(call, request.id, TaskKind.COLLECT, CollectReport, "collection")
