"""Which automatic snapshots a space keeps."""

from __future__ import annotations

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.retention import read_keep, rule_of, set_rule
from nuvo_jupyter.delivery.orders import ForgetOrder
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.present import optional_moment
from nuvo_jupyter.engine.reports import queue_report, read_report
from nuvo_jupyter.model.growth import ForgetReport, Retention
from nuvo_jupyter.model.requests import Forget, OfSpace, OfTask, RetentionSet
from nuvo_jupyter.model.retention import Keep, check_keep, in_words
from nuvo_jupyter.model.tasks import Task, TaskKind


def retention_show(call: Call, _request: OfSpace) -> Retention:
    """A space's rule."""
    assert call.space is not None
    with call.read() as connection:
        return _present(connection, call.space)


def retention_set(call: Call, request: RetentionSet) -> Retention:
    """Give a space a rule in place of the one it has; it is applied by the clock, and by ``forget``.

    Raises:
        InvalidInput: a period that cannot be understood.
    """
    assert call.space is not None
    fields = msgspec.structs.asdict(request)
    del fields["space"]
    keep = check_keep(Keep(**fields))
    with call.write() as connection:
        set_rule(connection, call.space.id, keep, call.who)
    with call.read() as connection:
        return _present(connection, call.space)


def forget(call: Call, request: Forget) -> Task:
    """Queue the deletion of what a space's rule does not keep; read what it says with ``forget_show``."""
    assert call.space is not None
    title = f"{'See what' if request.dry_run else 'Delete what'} the rule of {call.space.name} does not keep"
    order = ForgetOrder(call.space.id, request.dry_run)
    return queue_report(call, TaskKind.FORGET, title, order, request.wait, call.space.id)


def forget_show(call: Call, request: OfTask) -> ForgetReport:
    """What a rule says of every snapshot.

    Raises:
        NotFound: there is no such task.
        NotNow: it is not finished.
    """
    return read_report(call, request.id, TaskKind.FORGET, ForgetReport, "application of a rule")


def _present(connection: Connection, space: Row[tuple[object, ...]]) -> Retention:
    row = rule_of(connection, space.id)
    keep = read_keep(row)
    return Retention(
        space=space.name,
        keep=keep,
        text=in_words(keep),
        changed_at=None if row is None else optional_moment(row.changed_at),
        changed_by="" if row is None else row.changed_by,
    )
