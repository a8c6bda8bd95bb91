"""Background work as leased rows: insert, claim, renew, finish, cancel, retry.

Every change by an executor is fenced: it happens only while the row still carries the lease id the executor
was given. Times are the database's. Whoever finishes or cancels a task that has a parent calls
:func:`nuvo_jupyter.delivery.settle.settle` in the same transaction.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog, clock, now
from nuvo_jupyter.model.errors import Cancelled, LeaseLost, NotFound
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

ON_WORKSPACE = (TaskKind.SNAPSHOT.value, TaskKind.DELIVERY.value)
"""Kinds of tasks that work on an instance's folder: one instance's run one after the other, in the order of their ids."""
ON_STORE = (TaskKind.REPAIR.value, TaskKind.COLLECT.value)
"""Kinds of tasks that change what the index of the store says: one at a time."""
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
    begun: tuple[str, int] | None = None,
) -> int:
    """Insert a task and return its id; executors see it once the transaction is committed.

    Args:
        order: what to do; stored as msgpack.
        state: ``queued``, or ``waiting`` for a delivery whose distribution has to prepare first.
        begun: step and total of one that has nothing to do before its children.
    """
    values = {
        "kind": TaskKind(kind).value,
        "title": title,
        "request": msgspec.msgpack.encode(order),
        "created_by": created_by,
        "state": TaskState(state).value,
        "parent_id": parent_id,
        "distribution_id": distribution_id,
        "space_id": space_id,
        "instance_id": instance_id,
    }
    if begun is not None:
        values |= {"step": begun[0], "total": begun[1]}
    done = connection.execute(_insert(connection.dialect.name == "sqlite", begun is not None), values)
    return int(done.inserted_primary_key[0])  # type: ignore[index]


class Child(NamedTuple):
    """A task of a family that is inserted at once.

    Args:
        order: what to do; stored as msgpack.
    """

    title: str
    order: msgspec.Struct
    space_id: int
    instance_id: int


def insert_children(
    connection: Connection,
    children: Sequence[Child],
    *,
    parent_id: int,
    distribution_id: int,
    created_by: str,
    state: TaskState,
) -> None:
    """Insert the deliveries of a distribution, in their order.

    Args:
        state: ``queued``, or ``waiting`` where it has to prepare first.
    """
    if children:
        rows = [
            {
                "kind": TaskKind.DELIVERY.value,
                "title": child.title,
                "request": msgspec.msgpack.encode(child.order),
                "created_by": created_by,
                "state": state.value,
                "parent_id": parent_id,
                "distribution_id": distribution_id,
                "space_id": child.space_id,
                "instance_id": child.instance_id,
            }
            for child in children
        ]
        connection.execute(_insert(connection.dialect.name == "sqlite"), rows)


# Building statements costs more than running them: those of every task are built once.
@functools.cache
def _insert(is_sqlite: bool, begun: bool = False) -> sa.Insert:
    moment = clock(is_sqlite)
    query = sa.insert(t.task).values(created_at=moment)
    return query.values(started_at=moment) if begun else query


@functools.cache
def _claiming(is_sqlite: bool) -> sa.UpdateBase:
    moment = clock(is_sqlite)
    return (
        sa.update(t.task)
        .where(_c.id == sa.bindparam("of_id"))
        .values(
            state=_RUNNING,
            lease_until=moment + sa.bindparam("seconds", type_=sa.Float),
            attempts=_c.attempts + 1,
            started_at=sa.func.coalesce(_c.started_at, moment),
        )
        .returning(t.task)
    )


_OURS = sa.update(t.task).where(
    _c.id == sa.bindparam("of_id"), _c.lease_id == sa.bindparam("of_lease"), _c.state == _RUNNING
)
_ENTERING = _OURS.returning(_c.cancel_requested)
_GET = sa.select(t.task).where(_c.id == sa.bindparam("of_id"))
_LOCK = _GET.with_for_update()


@functools.cache
def _ending(is_sqlite: bool) -> sa.UpdateBase:
    return _OURS.values(finished_at=clock(is_sqlite)).returning(t.task)


def claim(
    catalog: Catalog,
    lease_seconds: float,
    kinds: Collection[TaskKind] | None = None,
    *,
    family: int | None = None,
    expected: bool = False,
) -> Claimed | None:
    """Take the oldest task that can run: one that is queued, or running with a lease that ran out.

    Args:
        lease_seconds: how long it is ours without renewal.
        kinds: take only these.
        family: take only this task or its children.
        expected: whether there probably is one.
    """
    if not expected:
        # Looking first takes no write lock, so idle executors do not disturb writers.
        with catalog.read() as connection:
            if _candidate(connection, kinds, family) is None:
                return None
    lease = secrets.token_hex(16)
    with catalog.write() as connection:
        task_id = _candidate(connection, kinds, family, lock=not catalog.is_sqlite)
        if task_id is None:
            return None
        values = {"of_id": task_id, "lease_id": lease, "seconds": lease_seconds}
        row = connection.execute(_claiming(catalog.is_sqlite), values).one()
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
                sa.or_(other.c.id < _c.id, other.c.lease_until >= moment)
                if state == _RUNNING
                else other.c.id < _c.id,
                other.c.id != _c.id,
            )
            for state in UNFINISHED
        )
    )
    free = sa.or_(_c.kind.not_in(ON_WORKSPACE), _c.instance_id.is_(None), ~blocked)
    held = sa.exists().where(
        other.c.state == _RUNNING,
        other.c.kind.in_(ON_STORE),
        other.c.lease_until >= moment,
        other.c.id != _c.id,
    )
    free = sa.and_(free, sa.or_(_c.kind.not_in(ON_STORE), ~held))
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
    done = connection.execute(_OURS, {"of_id": task_id, "of_lease": lease, **(values or {"lease_id": lease})})
    if done.rowcount != 1:
        raise _lost(task_id)


def _lost(task_id: int) -> LeaseLost:
    return LeaseLost(f"Task {task_id} was taken over by another executor.")


def _enter(connection: Connection, task_id: int, lease: str, **values: Any) -> bool:
    """:func:`update`, and whether the task is to be cancelled."""
    wanted = connection.execute(_ENTERING, {"of_id": task_id, "of_lease": lease, **values}).one_or_none()
    if wanted is None:
        raise _lost(task_id)
    return bool(wanted.cancel_requested)


def progress(connection: Connection, task_id: int, lease: str, step: str, done: int, total: int) -> bool:
    """Write how far a task is; returns whether it is to be cancelled. The caller limits how often.

    Raises:
        LeaseLost: somebody else has taken over.
    """
    return _enter(connection, task_id, lease, step=step, done=done, total=total)


def begin(connection: Connection, task_id: int, lease: str, step: str) -> None:
    """Enter a step that cannot be cancelled any more, unless that was asked for already.

    Raises:
        Cancelled: it was.
        LeaseLost: somebody else has taken over.
    """
    if _enter(connection, task_id, lease, step=step):
        raise Cancelled("The task was cancelled before anything was changed.")


def finish(
    connection: Connection,
    task_id: int,
    lease: str,
    state: TaskState,
    *,
    result: bytes | None = None,
    problem: Problem | None = None,
) -> Row[Any]:
    """End a task, and return its row. What its end changes elsewhere belongs into the same transaction.

    Raises:
        LeaseLost: somebody else has taken over; nothing may be changed.
    """
    values = {
        "of_id": task_id,
        "of_lease": lease,
        "state": state.value,
        "lease_id": None,
        "lease_until": None,
        "error": None if problem is None else msgspec.msgpack.encode(problem),
        "result": result,
    }
    row = connection.execute(_ending(connection.dialect.name == "sqlite"), values).one_or_none()
    if row is None:
        raise _lost(task_id)
    return row


def close(
    connection: Connection,
    task_id: int,
    state: TaskState,
    *,
    result: bytes | None = None,
    problem: Problem | None = None,
) -> None:
    """End a task that nobody executes: a parent whose children are finished."""
    ended = ended_columns(connection, state, problem)
    connection.execute(sa.update(t.task).where(_c.id == task_id).values(**ended, result=result))


def ended_columns(connection: Connection, state: TaskState, problem: Problem | None) -> dict[str, Any]:
    """The columns of a row that has come to its end."""
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


def get(connection: Connection, task_id: int) -> Row[Any]:
    """One task.

    Raises:
        NotFound: there is none with this id.
    """
    row = connection.execute(_GET, {"of_id": task_id}).first()
    if row is None:
        raise NotFound(f"There is no task {task_id}.")
    return row


def get_many(connection: Connection, ids: Collection[int]) -> list[Row[Any]]:
    """Those of several tasks that there are, by id."""
    return list(connection.execute(sa.select(t.task).where(_c.id.in_(ids)).order_by(_c.id)))


def lock(connection: Connection, task_id: int) -> Row[Any]:
    """One task, held against others' changes until the transaction ends."""
    query = _GET if connection.dialect.name == "sqlite" else _LOCK
    return connection.execute(query, {"of_id": task_id}).one()


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
