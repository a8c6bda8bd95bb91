"""Background work as leased rows: insert, claim, renew, finish, cancel, retry.

Every change by an executor is fenced: it happens only while the row still carries the lease id the executor
was given. Times are the database's. Whoever finishes or cancels a task that has a parent calls
:func:`nuvo_jupyter.delivery.settle.settle` in the same transaction.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog, clock, now
from nuvo_jupyter.model.errors import Cancelled, LeaseLost, NotFound
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

ON_WORKSPACE = (TaskKind.SNAPSHOT.value, TaskKind.DELIVERY.value)
"""Kinds of tasks that work on an instance's folder: one instance's run one after the other, in the order of their ids."""
UNFINISHED = (TaskState.WAITING.value, TaskState.QUEUED.value, TaskState.RUNNING.value)

_WAITING, _QUEUED, _RUNNING = UNFINISHED
_c = t.task.c


class Claimed(msgspec.Struct, frozen=True):
    """A row that is ours until its lease runs out.

    Args:
        id: the task's.
        kind: what it does.
        lease: proves to the database that it is still ours.
        row: the whole row, as of the claim.
    """

    id: int
    kind: TaskKind
    lease: str
    row: Row[Any]


def insert_task(
    connection: Connection,
    *,
    kind: TaskKind,
    title: str,
    order: msgspec.Struct,
    created_by: str,
    state: TaskState | str = TaskState.QUEUED,
    parent_id: int | None = None,
    distribution_id: int | None = None,
    space_id: int | None = None,
    instance_id: int | None = None,
) -> int:
    """Insert a task and return its id; executors see it once the transaction is committed.

    Args:
        order: what to do; stored as msgpack.
        state: ``queued``, or ``waiting`` for a delivery whose distribution has to prepare first.
    """
    done = connection.execute(
        sa.insert(t.task).values(
            kind=TaskKind(kind).value,
            title=title,
            request=msgspec.msgpack.encode(order),
            created_by=created_by,
            created_at=now(connection),
            state=TaskState(state).value,
            parent_id=parent_id,
            distribution_id=distribution_id,
            space_id=space_id,
            instance_id=instance_id,
        )
    )
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def claim(
    catalog: Catalog,
    lease_seconds: float,
    kinds: Collection[TaskKind] | None = None,
    *,
    family: int | None = None,
) -> Claimed | None:
    """Take the oldest task that can run: one that is queued, or running with a lease that ran out.

    Args:
        lease_seconds: how long it is ours without renewal.
        kinds: take only these.
        family: take only this task or its children.
    """
    # Looking first takes no write lock, so idle executors do not disturb writers.
    with catalog.read() as connection:
        if _candidate(connection, kinds, family) is None:
            return None
    lease = secrets.token_hex(16)
    with catalog.write() as connection:
        task_id = _candidate(connection, kinds, family, lock=not catalog.is_sqlite)
        if task_id is None:
            return None
        moment = now(catalog)
        row = connection.execute(
            sa.update(t.task)
            .where(_c.id == task_id)
            .values(
                state=_RUNNING,
                lease_id=lease,
                lease_until=moment + lease_seconds,
                attempts=_c.attempts + 1,
                started_at=sa.func.coalesce(_c.started_at, moment),
            )
            .returning(t.task)
        ).one()
    return Claimed(row.id, TaskKind(row.kind), lease, row)


def _candidate(
    connection: Connection, kinds: Collection[TaskKind] | None, family: int | None, *, lock: bool = False
) -> int | None:
    wanted = None if kinds is None else tuple(TaskKind(kind).value for kind in kinds)
    queries = _candidates(connection.dialect.name == "sqlite", wanted, family is not None, lock)
    found: list[int] = []
    for query in queries:
        found.extend(connection.scalars(query, {"family": family} if family is not None else {}))
    return min(found, default=None)


# Building these costs more than running them.
@functools.lru_cache(64)
def _candidates(
    is_sqlite: bool, kinds: tuple[str, ...] | None, in_family: bool, lock: bool
) -> tuple[sa.Select[tuple[int]], ...]:
    moment = clock(is_sqlite)
    other = t.task.alias("other")
    # One index range per state, each cheap however many finished tasks the instance has.
    blocked = sa.or_(
        *(
            sa.exists().where(
                other.c.instance_id == _c.instance_id,
                other.c.state == state,
                other.c.kind.in_(ON_WORKSPACE),
                # A retried task has an older id than what may be running already.
                sa.or_(other.c.id < _c.id, other.c.lease_until >= moment) if state == _RUNNING else other.c.id < _c.id,
                other.c.id != _c.id,
            )
            for state in UNFINISHED
        )
    )
    free = sa.or_(_c.kind.not_in(ON_WORKSPACE), _c.instance_id.is_(None), ~blocked)
    abandoned = sa.select(_c.id).where(_c.state == _RUNNING, _c.lease_until < moment).order_by(_c.lease_until)
    queued = sa.select(_c.id).where(_c.state == _QUEUED).order_by(_c.id)
    queries = []
    for query in (abandoned, queued):
        query = query.where(free).limit(1)
        if kinds is not None:
            query = query.where(_c.kind.in_(kinds))
        if in_family:
            family = sa.bindparam("family", type_=sa.BigInteger)
            query = query.where(sa.or_(_c.id == family, _c.parent_id == family))
        queries.append(query.with_for_update(skip_locked=True, of=t.task) if lock else query)
    return tuple(queries)


def renew(catalog: Catalog, leases: Collection[str], lease_seconds: float) -> set[str]:
    """Prolong leases; returns those that are still ours."""
    if not leases:
        return set()
    with catalog.write() as connection:
        kept = connection.scalars(
            sa.update(t.task)
            .where(_c.lease_id.in_(list(leases)), _c.state == _RUNNING)
            .values(lease_until=now(catalog) + lease_seconds)
            .returning(_c.lease_id)
        )
        return {lease for lease in kept if lease is not None}


def update(connection: Connection, task_id: int, lease: str, **values: Any) -> None:
    """Change a task's row while it is ours.

    Raises:
        LeaseLost: somebody else has taken over.
    """
    # Without values the row is still locked, so that nobody takes over before the transaction ends.
    done = connection.execute(
        sa.update(t.task)
        .where(_c.id == task_id, _c.lease_id == lease, _c.state == _RUNNING)
        .values(**(values or {"lease_id": lease}))
    )
    if done.rowcount != 1:
        raise LeaseLost(f"Task {task_id} was taken over by another executor.")


def progress(connection: Connection, task_id: int, lease: str, step: str, done: int, total: int) -> bool:
    """Write how far a task is; returns whether it is to be cancelled. The caller limits how often.

    Raises:
        LeaseLost: somebody else has taken over.
    """
    update(connection, task_id, lease, step=step, done=done, total=total)
    return bool(connection.scalar(sa.select(_c.cancel_requested).where(_c.id == task_id)))


def begin(connection: Connection, task_id: int, lease: str, step: str) -> None:
    """Enter a step that cannot be cancelled any more, unless that was asked for already.

    Raises:
        Cancelled: it was.
        LeaseLost: somebody else has taken over.
    """
    update(connection, task_id, lease, step=step)
    if connection.scalar(sa.select(_c.cancel_requested).where(_c.id == task_id)):
        raise Cancelled("The task was cancelled before anything was changed.")


def finish(
    connection: Connection,
    task_id: int,
    lease: str,
    state: TaskState,
    *,
    result: bytes | None = None,
    problem: Problem | None = None,
) -> None:
    """End a task. What its end changes elsewhere belongs into the same transaction.

    Raises:
        LeaseLost: somebody else has taken over; nothing may be changed.
    """
    update(connection, task_id, lease, **_ended(connection, state, problem), result=result)


def close(
    connection: Connection,
    task_id: int,
    state: TaskState,
    *,
    result: bytes | None = None,
    problem: Problem | None = None,
) -> None:
    """End a task that nobody executes: a parent whose children are finished."""
    ended = _ended(connection, state, problem)
    connection.execute(sa.update(t.task).where(_c.id == task_id).values(**ended, result=result))


def _ended(connection: Connection, state: TaskState, problem: Problem | None) -> dict[str, Any]:
    return {
        "state": state.value,
        "lease_id": None,
        "lease_until": None,
        "error": None if problem is None else msgspec.msgpack.encode(problem),
        "finished_at": now(connection),
    }


def suspend(connection: Connection, task_id: int, lease: str, state: TaskState, **values: Any) -> None:
    """Give a task back without an end: ``waiting`` for its children, or ``queued`` for whoever comes next.

    Raises:
        LeaseLost: somebody else has taken over.
    """
    update(
        connection, task_id, lease, state=state.value, lease_id=None, lease_until=None, attempts=0, **values
    )


def release_waiting(connection: Connection, parent_id: int, only_instance: int | None = None) -> None:
    """Queue the waiting children of a task: all, or the one for an instance."""
    waiting = sa.update(t.task).where(_c.parent_id == parent_id, _c.state == _WAITING)
    if only_instance is not None:
        waiting = waiting.where(_c.instance_id == only_instance)
    connection.execute(waiting.values(state=_QUEUED))


def requeue(connection: Connection, task_id: int) -> bool:
    """Queue a task that waits; whether it did."""
    done = connection.execute(
        sa.update(t.task).where(_c.id == task_id, _c.state == _WAITING).values(state=_QUEUED)
    )
    return done.rowcount == 1


def cancel_waiting(
    connection: Connection, parent_id: int, problem: Problem, *, queued: bool = False
) -> list[int]:
    """End a task's children that wait (or are queued, too) as cancelled; returns their ids."""
    states = (_WAITING, _QUEUED) if queued else (_WAITING,)
    ended = _ended(connection, TaskState.CANCELLED, problem)
    ids = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == parent_id, _c.state.in_(states))
        .values(**ended, cancel_requested=True)
        .returning(_c.id)
    ).all()
    if ids:
        count_finished(connection, parent_id, len(ids))
    return [int(i) for i in ids]


def count_finished(connection: Connection, parent_id: int, number: int) -> None:
    """Note that so many more children of a task are finished; locks its row."""
    connection.execute(sa.update(t.task).where(_c.id == parent_id).values(done=_c.done + number))


def request_cancel(connection: Connection, task_id: int, problem: Problem) -> list[int]:
    """Cancel a task and its children: at once where nobody executes them, else at their next step.

    Returns:
        Ids of the rows that changed. A finished task is left alone.

    Raises:
        NotFound: there is no such task.
    """
    row = get(connection, task_id)
    if TaskState(row.state).finished:
        return []
    changed = cancel_waiting(connection, task_id, problem, queued=True)
    running = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == task_id, _c.state == _RUNNING)
        .values(cancel_requested=True)
        .returning(_c.id)
    ).all()
    changed.extend(running)
    connection.execute(sa.update(t.task).where(_c.id == task_id).values(cancel_requested=True))
    has_children = bool(changed) or _count_children(connection, task_id) > 0
    if row.state != _RUNNING and not has_children:
        close(connection, task_id, TaskState.CANCELLED, problem=problem)
        if row.parent_id is not None:
            count_finished(connection, row.parent_id, 1)
    return [*changed, task_id]


def retry_failed(connection: Connection, parent_id: int) -> list[int]:
    """Let the failed and cancelled children of a task run again; the others stay as they are.

    Returns:
        Ids of those children; ``[]`` if there is nothing to repeat.
    """
    again = (TaskState.FAILED.value, TaskState.CANCELLED.value)
    fresh = {
        "step": "",
        "done": 0,
        "total": 0,
        "attempts": 0,
        "cancel_requested": False,
        "result": None,
        "error": None,
        "started_at": None,
        "finished_at": None,
    }
    ids = connection.scalars(
        sa.update(t.task)
        .where(_c.parent_id == parent_id, _c.state.in_(again))
        # A fresh backup: what its user did since is theirs.
        .values(state=_WAITING, backup_id=None, **fresh)
        .returning(_c.id)
    ).all()
    if ids:
        count_finished(connection, parent_id, -len(ids))
        # A running parent releases what waits when it is through; a waiting or finished one has to run again.
        connection.execute(
            sa.update(t.task)
            .where(_c.id == parent_id, _c.state.in_((_WAITING, TaskState.DONE.value, *again)))
            .values(
                state=_QUEUED,
                **{key: fresh[key] for key in fresh if key not in ("done", "total", "started_at")},
            )
        )
    return [int(i) for i in ids]


def get(connection: Connection, task_id: int) -> Row[Any]:
    """One task.

    Raises:
        NotFound: there is none with this id.
    """
    row = connection.execute(sa.select(t.task).where(_c.id == task_id)).first()
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def lock(connection: Connection, task_id: int) -> Row[Any]:
    """One task, held against others' changes until the transaction ends."""
    query = sa.select(t.task).where(_c.id == task_id)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).one()


def children(connection: Connection, parent_id: int) -> list[Row[Any]]:
    """A task's children in the order of their ids."""
    return list(connection.execute(sa.select(t.task).where(_c.parent_id == parent_id).order_by(_c.id)))


def child_for(connection: Connection, parent_id: int, instance_id: int) -> Row[Any] | None:
    """A task's child for one instance."""
    query = sa.select(t.task).where(_c.parent_id == parent_id, _c.instance_id == instance_id)
    return connection.execute(query.order_by(_c.id)).first()


def _count_children(connection: Connection, parent_id: int) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).where(_c.parent_id == parent_id)) or 0)


def child_states(connection: Connection, parent_id: int) -> dict[str, int]:
    """How many of a task's children are in which state."""
    query = sa.select(_c.state, sa.func.count()).where(_c.parent_id == parent_id).group_by(_c.state)
    return {state: int(number) for state, number in connection.execute(query)}


def has_unfinished_children(connection: Connection, parent_id: int) -> bool:
    """Whether any child of a task is not finished."""
    query = sa.select(_c.id).where(_c.parent_id == parent_id, _c.state.in_(UNFINISHED)).limit(1)
    return connection.scalar(query) is not None


def is_busy(connection: Connection, *, space_id: int | None = None, instance_id: int | None = None) -> bool:
    """Whether anything is still to be done in a space or with an instance."""
    query = sa.select(_c.id).where(_c.state.in_(UNFINISHED)).limit(1)
    if space_id is not None:
        query = query.where(_c.space_id == space_id)
    if instance_id is not None:
        query = query.where(_c.instance_id == instance_id)
    return connection.scalar(query) is not None


def is_executed(connection: Connection, task_id: int) -> bool:
    """Whether somebody executes the task or one of its children right now."""
    query = sa.select(_c.id).where(
        sa.or_(_c.id == task_id, _c.parent_id == task_id),
        _c.state == _RUNNING,
        _c.lease_until >= now(connection),
    )
    return connection.scalar(query.limit(1)) is not None


def list_tasks(
    connection: Connection,
    *,
    space_ids: Collection[int] | None = None,
    created_by: str | None = None,
    within: int | None = None,
    active: bool = False,
    top: bool = True,
    limit: int = 100,
) -> list[Row[Any]]:
    """Tasks, newest first.

    Args:
        space_ids: of these spaces; with ``created_by`` given as well, tasks that meet either.
        created_by: of this user.
        within: of those, only this space's.
        active: only unfinished ones.
        top: only those without a parent.
    """
    query = sa.select(t.task).order_by(_c.id.desc()).limit(limit)
    either: list[sa.ColumnElement[bool]] = []
    if space_ids is not None:
        either.append(_c.space_id.in_(list(space_ids)))
    if created_by is not None:
        either.append(_c.created_by == created_by)
    if either:
        query = query.where(sa.or_(*either))
    if within is not None:
        query = query.where(_c.space_id == within)
    if active:
        query = query.where(_c.state.in_(UNFINISHED))
    if top:
        query = query.where(_c.parent_id.is_(None))
    return list(connection.execute(query))
