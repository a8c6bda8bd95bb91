"""Notifications at the end of a distribution: for whoever started it, and for the targets' users where asked."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import people, queue
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.notifications import insert_notification
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.delivery.results import read_result
from nuvo_jupyter.model.roles import Scope
from nuvo_jupyter.model.tasks import DistributionKind, Problem, TaskState

_LISTED = 20
"""Targets that a message names; it says how many more there are."""

_VERB = {
    DistributionKind.DISTRIBUTE: "Distribution",
    DistributionKind.PULL: "Pull",
    DistributionKind.RESTORE: "Restore",
    DistributionKind.RECALL: "Recall",
    DistributionKind.CREATE: "New instances",
}
_WATCHED = (DistributionKind.PULL, DistributionKind.RESTORE)
"""What people do to their own instance while they watch: told only when it went wrong."""

_WORDS = {
    "created": "new",
    "replaced": "replaced",
    "merged": "merged with your changes",
    "kept": "left as they were",
    "renamed": "put beside yours under another name",
    "deleted": "deleted",
    "conflict": "changed on both sides: yours was kept, the distributed version lies beside it or was left out",
    "failed": "failed",
}


def on_finish(context: Context, connection: Connection, task_id: int) -> None:
    """Insert the notifications of a finished distribution, in the transaction that finishes it.

    E-mail is queued where a mail server is configured and the person has an address; it never holds up work.
    """
    task = queue.get(connection, task_id)
    order = msgspec.msgpack.decode(task.request, type=DistributionOrder)
    distribution = connection.execute(
        sa.select(t.distribution, t.space.c.name.label("space"))
        .join(t.space, t.space.c.id == t.distribution.c.space_id)
        .where(t.distribution.c.id == task.distribution_id)
    ).one()
    deliveries = list(
        connection.execute(
            sa.select(t.task, t.instance.c.name.label("instance"))
            .join(t.instance, t.instance.c.id == t.task.c.instance_id)
            .where(t.task.c.parent_id == task_id)
            .order_by(t.instance.c.name)
        )
    )
    failed = task.state == TaskState.FAILED.value
    if failed or order.kind not in _WATCHED:
        subject, body = for_starter(task, order.kind, distribution, deliveries)
        _tell(context, connection, task, task.created_by, subject, body)
    if distribution.notify:
        done = {row.instance_id: row for row in deliveries if row.state == TaskState.DONE.value}
        told = {task.created_by}
        for holder in people.holders(connection, Scope.INSTANCE.value, list(done)):
            if holder.username not in told:
                told.add(holder.username)
                subject, body = for_user(order.kind, distribution, done[holder.scope_id])
                _tell(context, connection, task, holder.username, subject, body)


def for_starter(
    task: Row[Any], kind: DistributionKind, distribution: Row[Any], deliveries: list[Row[Any]]
) -> tuple[str, str]:
    """Subject and body for whoever started a distribution."""
    by_state: dict[str, list[str]] = {}
    for row in deliveries:
        by_state.setdefault(row.state, []).append(row.instance)
    total, done = len(deliveries), len(by_state.get("done", ()))
    if task.state == TaskState.DONE.value:
        subject = f"{_VERB[kind]} in {distribution.space}: {_instances(done)} done"
    elif task.state == TaskState.CANCELLED.value:
        subject = f"{_VERB[kind]} in {distribution.space} cancelled: {done} of {_instances(total)} done"
    else:
        subject = f"{_VERB[kind]} in {distribution.space} failed: {done} of {_instances(total)} done"
    lines = [task.title, ""]
    if distribution.message:
        lines += [f"Message: {distribution.message}", ""]
    for state in ("done", "failed", "cancelled"):
        if state in by_state:
            lines.append(f"{state}: {len(by_state[state])}")
    lines += _what_happened(deliveries)
    failures = [row for row in deliveries if row.state == "failed"]
    if failures:
        lines += ["", "Failed:"]
        for row in failures[:_LISTED]:
            problem = msgspec.msgpack.decode(row.error, type=Problem) if row.error else None
            lines.append(f"- {row.instance}: {problem.message if problem else 'for an unknown reason'}")
        if len(failures) > _LISTED:
            lines.append(f"- and {len(failures) - _LISTED} more")
    if task.error is not None and task.state != TaskState.DONE.value:
        problem = msgspec.msgpack.decode(task.error, type=Problem)
        lines += ["", problem.message]
        if problem.hint:
            lines.append(problem.hint)
    if any("conflict" in read_result(row.result).counts for row in deliveries):
        lines += [
            "",
            "Look at the deliveries with conflicts to see which objects were changed on both sides.",
        ]
    return subject, "\n".join(lines) + "\n"


def for_user(kind: DistributionKind, distribution: Row[Any], delivery: Row[Any]) -> tuple[str, str]:
    """Subject and body for somebody who works in a target."""
    space, instance = distribution.space, delivery.instance
    counts = read_result(delivery.result).counts
    if kind is DistributionKind.RECALL:
        subject = f"Material was recalled in {space}"
        lines = [
            f"{distribution.created_by} took back distributed material from your instance {instance} of {space}."
        ]
    else:
        subject = f"New material in {space}"
        lines = [f"{distribution.created_by} distributed material to your instance {instance} of {space}."]
    if distribution.message:
        lines += ["", distribution.message]
    lines += ["", *(f"- {counts[word]} {text}" for word, text in _WORDS.items() if counts.get(word))]
    if delivery.backup_id is not None:
        lines += ["", "A snapshot of your work was taken before; restore any file from it if you need to."]
    return subject, "\n".join(lines) + "\n"


def _what_happened(deliveries: list[Row[Any]]) -> list[str]:
    totals: dict[str, int] = {}
    for row in deliveries:
        for outcome, number in read_result(row.result).counts.items():
            totals[outcome] = totals.get(outcome, 0) + number
    if not totals:
        return []
    return ["", "Objects in all: " + ", ".join(f"{totals[word]} {word}" for word in _WORDS if word in totals)]


def _instances(number: int) -> str:
    return "1 instance" if number == 1 else f"{number} instances"


def _tell(
    context: Context, connection: Connection, task: Row[Any], username: str, subject: str, body: str
) -> None:
    person = people.find_person(connection, username)
    insert_notification(
        connection,
        username=username,
        subject=subject,
        body=body,
        space_id=task.space_id,
        task_id=task.id,
        mail=bool(context.mail.host and person is not None and person.email),
    )
