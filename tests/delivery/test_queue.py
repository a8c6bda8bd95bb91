"""The queue on SQLite and PostgreSQL: none twice, in order per instance, fenced by leases."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import families, queue, spaces
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import Cancelled, LeaseLost, NotFound
from nuvo_jupyter.model.tasks import Problem, TaskKind, TaskState

CANCELLED = Problem("cancelled", "It was cancelled.")


class Order(msgspec.Struct):
    what: str = ""


class Tasks:
    """A catalog with some instances, and short ways to ask its queue."""

    def __init__(self, url: str) -> None:
        self.catalog = Catalog(url)
        with self.catalog.write() as connection:
            organization = spaces.ensure_organization(connection, "test")
            space = spaces.add_space(
                connection, organization_id=organization, name="s", kind="course", created_by="p"
            )
            self.instances = [
                spaces.add_instance(
                    connection,
                    space_id=space,
                    name=f"i{n}",
                    kind="personal",
                    workspace=f"/nowhere/{n}",
                    created_by="p",
                )
                for n in range(4)
            ]

    def add(
        self,
        kind: str = "delivery",
        instance: int | None = None,
        state: str = "queued",
        parent: int | None = None,
    ) -> int:
        with self.catalog.write() as connection:
            return queue.insert_task(
                connection,
                kind=TaskKind(kind),
                title="t",
                order=Order(),
                created_by="p",
                state=state,
                parent_id=parent,
                instance_id=None if instance is None else self.instances[instance],
            )

    def claim(self, lease: float = 60, **more: Any) -> queue.Claimed | None:
        return queue.claim(self.catalog, lease, **more)

    def claimed(self, **more: Any) -> int | None:
        found = self.claim(**more)
        return None if found is None else found.id

    def finish(self, claimed: queue.Claimed, state: TaskState = TaskState.DONE) -> None:
        with self.catalog.write() as connection:
            queue.finish(connection, claimed.id, claimed.lease, state)

    def get(self, task: int) -> Row[Any]:
        with self.catalog.read() as connection:
            return queue.get(connection, task)

    def expire(self, task: int) -> None:
        """Let a lease run out, as if its time had passed."""
        with self.catalog.write() as connection:
            connection.execute(sa.update(t.task).where(t.task.c.id == task).values(lease_until=0.0))

    def cancel(self, task: int) -> list[int]:
        with self.catalog.write() as connection:
            return families.request_cancel(connection, task, CANCELLED)


@pytest.fixture
def tasks(catalog_url: str) -> Iterator[Tasks]:
    made = Tasks(catalog_url)
    yield made
    made.catalog.close()


def test_the_oldest_comes_first_and_only_once(tasks: Tasks) -> None:
    first, second = tasks.add(), tasks.add()
    assert [tasks.claimed(), tasks.claimed(), tasks.claimed()] == [first, second, None]


def test_waiting_tasks_are_not_claimed(tasks: Tasks) -> None:
    parent = tasks.add("distribution", state="waiting")
    child = tasks.add(parent=parent, state="waiting")
    assert tasks.claimed() is None
    with tasks.catalog.write() as connection:
        families.release_waiting(connection, parent)
    assert tasks.claimed() == child


def test_one_instance_is_worked_on_by_one_task_at_a_time_in_their_order(tasks: Tasks) -> None:
    first, second, other = tasks.add(instance=0), tasks.add(instance=0), tasks.add(instance=1)
    running = tasks.claim()
    assert running is not None
    assert running.id == first
    assert tasks.claimed() == other
    assert tasks.claimed() is None
    tasks.finish(running)
    assert tasks.claimed() == second


def test_a_waiting_delivery_keeps_its_place(tasks: Tasks) -> None:
    parent = tasks.add("distribution", state="waiting")
    early = tasks.add(instance=0, parent=parent, state="waiting")
    tasks.add("snapshot", instance=0)
    assert tasks.claimed() is None
    with tasks.catalog.write() as connection:
        families.release_waiting(connection, parent)
    assert tasks.claimed() == early


def test_what_does_not_work_on_the_folder_is_not_held_up(tasks: Tasks) -> None:
    tasks.add("distribution", instance=0, state="waiting")
    preview, snapshot = tasks.add("preview", instance=0), tasks.add("snapshot", instance=0)
    assert [tasks.claimed(), tasks.claimed()] == [preview, snapshot]


def test_a_retried_task_waits_for_a_younger_one_that_runs(tasks: Tasks) -> None:
    parent = tasks.add("distribution", state="waiting")
    old = tasks.add(instance=0, parent=parent)
    claimed = tasks.claim()
    assert claimed is not None
    tasks.finish(claimed, TaskState.FAILED)
    young = tasks.add(instance=0)
    running = tasks.claim()
    assert running is not None
    assert running.id == young
    with tasks.catalog.write() as connection:
        assert families.retry_failed(connection, parent) == [old]
        families.release_waiting(connection, parent)
    assert tasks.claimed(kinds=[TaskKind.DELIVERY]) is None
    tasks.finish(running)
    assert tasks.claimed(kinds=[TaskKind.DELIVERY]) == old


def test_kinds_and_families_can_be_asked_for(tasks: Tasks) -> None:
    delivery, parent = tasks.add(), tasks.add("distribution")
    child = tasks.add(parent=parent)
    assert tasks.claimed(kinds=[TaskKind.VERIFY]) is None
    assert tasks.claimed(family=parent) == parent
    assert tasks.claimed(family=parent) == child
    assert tasks.claimed(kinds=[TaskKind.DELIVERY]) == delivery


def test_work_of_a_dead_executor_is_taken_over_and_the_dead_cannot_finish_it(tasks: Tasks) -> None:
    tasks.add()
    dead = tasks.claim()
    assert dead is not None
    assert tasks.claim() is None
    tasks.expire(dead.id)
    successor = tasks.claim()
    assert successor is not None
    assert (successor.id, successor.row.attempts) == (dead.id, 2)
    with pytest.raises(LeaseLost):
        tasks.finish(dead)
    with tasks.catalog.write() as connection, pytest.raises(LeaseLost):
        queue.progress(connection, dead.id, dead.lease, "apply", 1, 2)
    with tasks.catalog.write() as connection, pytest.raises(LeaseLost):
        queue.begin(connection, dead.id, dead.lease, "apply")
    assert tasks.get(dead.id).state == "running"
    tasks.finish(successor)
    with pytest.raises(LeaseLost):
        tasks.finish(successor)
    assert tasks.get(dead.id).state == "done"


def test_renewing_tells_which_leases_are_still_ours(tasks: Tasks) -> None:
    tasks.add()
    tasks.add()
    mine, lost = tasks.claim(), tasks.claim()
    assert mine is not None
    assert lost is not None
    tasks.expire(lost.id)
    assert tasks.claimed() == lost.id
    assert queue.renew(tasks.catalog, [mine.lease, lost.lease], 60) == {mine.lease}
    assert queue.renew(tasks.catalog, [], 60) == set()


def test_cancelling_ends_what_nobody_executes_and_asks_the_others(tasks: Tasks) -> None:
    parent = tasks.add("distribution", state="waiting")
    running = tasks.add(instance=0, parent=parent)
    queued, waiting = (
        tasks.add(instance=1, parent=parent),
        tasks.add(instance=2, parent=parent, state="waiting"),
    )
    claimed = tasks.claim()
    assert claimed is not None
    assert claimed.id == running
    assert set(tasks.cancel(parent)) == {parent, running, queued, waiting}
    assert [tasks.get(task).state for task in (parent, running, queued, waiting)] == [
        "waiting",
        "running",
        "cancelled",
        "cancelled",
    ]
    assert tasks.get(parent).done == 2
    with tasks.catalog.write() as connection, pytest.raises(Cancelled):
        queue.begin(connection, claimed.id, claimed.lease, "apply")
    tasks.finish(claimed, TaskState.CANCELLED)
    assert tasks.cancel(running) == []


def test_retrying_takes_only_what_failed_or_was_cancelled(tasks: Tasks) -> None:
    parent = tasks.add("distribution", state="waiting")
    children = [tasks.add(instance=n, parent=parent) for n in range(3)]
    for state in (TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED):
        claimed = tasks.claim()
        assert claimed is not None
        tasks.finish(claimed, state)
    with tasks.catalog.write() as connection:
        families.count_finished(connection, parent, 3)
        assert sorted(families.retry_failed(connection, parent)) == children[1:]
        assert families.retry_failed(connection, parent) == []
    assert [tasks.get(child).state for child in children] == ["done", "waiting", "waiting"]
    assert (tasks.get(parent).state, tasks.get(parent).done) == ("queued", 1)


def test_a_missing_task_is_named(tasks: Tasks) -> None:
    with tasks.catalog.read() as connection, pytest.raises(NotFound, match="4711"):
        queue.get(connection, 4711)


def test_two_processes_do_every_task_once_and_each_instance_in_order(tasks: Tasks, catalog_url: str) -> None:
    number = 200
    with tasks.catalog.write() as connection:
        for n in range(number):
            queue.insert_task(
                connection,
                kind=TaskKind.DELIVERY,
                title="t",
                order=Order(),
                created_by="p",
                instance_id=tasks.instances[n % 4] if n % 2 else None,
            )
    script = str(Path(__file__).with_name("claimer.py"))
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, script, catalog_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    done: list[list[str]] = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        done.append(output.splitlines())
    ids = [int(line.split()[0]) for lines in done for line in lines]
    assert len(ids) == len(set(ids)) == number
    with tasks.catalog.read() as connection:
        rows = queue.list_tasks(connection, limit=1000)
    assert {row.state for row in rows} == {"done"}
    assert {row.attempts for row in rows} == {1}
    for instance in tasks.instances:
        mine = sorted((row for row in rows if row.instance_id == instance), key=lambda row: row.id)
        assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(mine))


def test_claiming_does_not_read_the_whole_queue(tmp_path: Path) -> None:
    tasks = Tasks(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    statements: list[tuple[str, Any]] = []
    tasks.add(instance=0)
    sa.event.listen(
        tasks.catalog.engine,
        "before_cursor_execute",
        lambda c, cur, sql, args, ctx, many: statements.append((sql, args)),
    )
    assert tasks.claim() is not None
    with tasks.catalog.read() as connection:
        plans = [
            row[3]
            for sql, args in statements
            if sql.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", args)
        ]
    assert plans
    assert not [line for line in plans if line.startswith("SCAN") and "CONSTANT" not in line]
    assert not [line for line in plans if "TEMP B-TREE" in line]
    tasks.catalog.close()
