"""Workers: cancelling, stopping, retrying, losing a lease, and doing what others left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery import execution as execution_module
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import VerifyOrder
from nuvo_jupyter.delivery.results import read_details, read_result
from nuvo_jupyter.delivery.run import MAX_ATTEMPTS, execute
from nuvo_jupyter.delivery.settle import request_cancel, retry
from nuvo_jupyter.delivery.worker import Worker, run_until_finished
from nuvo_jupyter.model.store import VerifyReport
from nuvo_jupyter.model.tasks import TaskKind
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]


def announce(course: Course, heard: Callable[[int], None]) -> None:
    object.__setattr__(course.context, "announce", heard)


def get(course: Course, task: int) -> Any:
    with course.context.catalog.read() as connection:
        return queue.get(connection, task)


def test_a_worker_does_what_is_queued_and_tells(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    finished, heard = threading.Event(), set[int]()
    task = 0

    def told(changed: int) -> None:
        heard.add(changed)
        if changed == task and get(course, task).state == "done":
            finished.set()

    announce(course, told)
    worker = Worker(course.context)
    worker.start()
    task = course.queue(["anna", "ben"], through=True)
    course.context.wake.set()
    finished.wait()
    worker.stop()
    assert read(course.folder("ben")) == {"a.txt": "A"}
    assert heard == {task, *(row.id for row in course.deliveries(task).values())}


def test_cancelling_before_the_start_changes_nothing(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    task = course.queue(["anna"], through=True)
    request_cancel(course.context, task)
    rows = course.deliveries(task)
    assert {row.state for row in rows.values()} == {"cancelled"}
    assert read_result(rows[""].result).counts == {"cancelled": 2}
    request_cancel(course.context, task)
    assert read(course.folder("anna")) == {}


@pytest.mark.parametrize("step", ["back up", "plan"])
def test_cancelling_before_the_target_is_changed_leaves_it(
    make_course: Make, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is done this quickly tells of no step otherwise.
    monkeypatch.setattr(execution_module, "TELL_SECONDS", 0.0)
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    task = course.queue(["anna", "ben"])

    def told(changed: int) -> None:
        row = get(course, changed)
        if row.step == step and row.state == "running" and not row.cancel_requested:
            request_cancel(course.context, task)

    announce(course, told)
    assert course.run(task).state == "cancelled"
    assert {row.state for row in course.deliveries(task).values()} == {"cancelled"}
    assert read(course.folder("anna")) == read(course.folder("ben")) == {}


def test_an_apply_that_has_begun_is_completed(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    task = course.queue(["anna", "ben"])

    def told(changed: int) -> None:
        row = get(course, changed)
        if row.step == "apply" and row.state == "running" and not row.cancel_requested:
            request_cancel(course.context, task)

    announce(course, told)
    assert course.run(task).state == "cancelled"
    rows = course.deliveries(task)
    assert (rows["anna"].state, rows["ben"].state) == ("done", "cancelled")
    assert read(course.folder("anna")) == {"a.txt": "A", "b.txt": "B"}
    assert read(course.folder("ben")) == {}


def test_a_cancelled_distribution_can_be_retried_and_only_where_it_was_not_done(make_course: Make) -> None:
    course = make_course("anna", "ben", "cleo")
    write(course.folder("master"), {"a.txt": "A"})
    course.folder("ben").rmdir()
    rows = course.distribute(["anna", "ben", "cleo"], through=True)
    assert (rows[""].state, rows[""].done) == ("failed", 4)
    taken = len(course.rows(t.snapshot))
    course.folder("ben").mkdir()
    (course.folder("anna") / "a.txt").unlink()
    write(course.folder("master"), {"a.txt": "changed meanwhile"})
    with course.context.catalog.write() as connection:
        assert retry(course.context, connection, rows[""].id) == 1
    again = course.run(rows[""].id)
    assert (again.state, again.done, again.total) == ("done", 4, 4)
    assert read(course.folder("ben")) == {"a.txt": "A"}
    assert read(course.folder("anna")) == {}
    assert len(course.rows(t.snapshot)) == taken + 1


def test_an_executor_that_lost_its_lease_changes_nothing_more(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    task = course.queue(["anna"])

    def stolen(changed: int) -> None:
        row = get(course, changed)
        if row.kind == "delivery" and row.step == "plan":
            with course.context.catalog.write() as connection:
                connection.execute(sa.update(t.task).where(t.task.c.id == changed).values(lease_id="another"))

    parent = queue.claim(course.context.catalog, 60)
    assert parent is not None
    execute(Execution(course.context, parent))
    announce(course, stolen)
    mine = queue.claim(course.context.catalog, 60)
    assert mine is not None
    execution = Execution(course.context, mine)
    execute(execution)
    assert execution.lost
    rows = course.deliveries(task)
    assert (rows["anna"].state, rows["anna"].lease_id, rows["anna"].result) == ("running", "another", None)
    assert rows[""].done == 0
    assert read(course.folder("anna")) == {}
    announce(course, lambda _: None)
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.task).where(t.task.c.id == mine.id).values(lease_until=0.0))
    assert course.run(task).state == "done"
    assert read(course.folder("anna")) == {"a.txt": "A"}
    assert len([row for row in course.rows(t.snapshot) if row.reason == "before_distribution"]) == 1


def test_stopping_gives_work_back_for_whoever_comes_next(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    task = course.queue(["anna"])
    stopping = threading.Event()
    announce(course, lambda _: stopping.set())
    claimed = queue.claim(course.context.catalog, 60)
    assert claimed is not None
    execution = Execution(course.context, claimed, stopping)
    execution.announce()
    execute(execution)
    row = get(course, task)
    assert (row.state, row.lease_id, row.attempts) == ("queued", None, 0)
    assert course.run(task).state == "done"


def test_what_kills_every_executor_is_given_up(make_course: Make) -> None:
    course = make_course("anna")
    task = course.queue(["anna"])
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.task).where(t.task.c.id == task).values(attempts=MAX_ATTEMPTS))
    row = course.run(task)
    assert (row.state, course.problem(row)["code"]) == ("failed", "gave_up")
    assert course.deliveries(task)["anna"].state == "cancelled"


def test_work_is_done_that_the_wanted_task_waits_for(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    first, second = course.queue(["anna"]), course.queue(["anna"])
    assert course.run(second).state == "done"
    assert get(course, first).state == "done"


def test_progress_is_told_while_it_runs(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    task = course.queue(["anna"])
    rows: list[Any] = []
    assert run_until_finished(course.context, task, rows.append).state == "done"
    assert (rows[0].state, rows[-1].state) == ("queued", "done")
    assert (rows[-1].done, rows[-1].total) == (1, 1)


def test_snapshots_follow_the_state_and_its_descriptions(make_course: Make) -> None:
    course = make_course()
    write(course.folder("master"), {"a.txt": "A"})
    course.snapshot("master", name="first", description="begun", next_description="going on", final=True)
    course.snapshot("master")
    one, two = course.rows(t.snapshot)
    assert (one.number, one.name, one.description) == (1, "first", "begun")
    assert (two.number, two.name, two.description) == (2, None, "going on")
    assert one.manifest == two.manifest
    with pytest.raises(AssertionError, match="already_exists"):
        course.snapshot("master", name="first")
    assert len(course.rows(t.snapshot)) == 2


def test_the_store_inside_a_workspace_and_instances_inside_it_are_left_out(make_course: Make) -> None:
    course = make_course("anna")
    with course.context.catalog.write() as connection:
        connection.execute(
            sa.update(t.instance)
            .where(t.instance.c.id == course.ids["master"])
            .values(workspace=str(course.tmp))
        )
    write(course.tmp, {"a.txt": "A"})
    write(course.folder("anna"), {"secret.txt": "S"})
    taken = course.snapshot("master")
    row = next(row for row in course.rows(t.snapshot) if row.id == taken)
    manifest = course.context.store.manifest(row.manifest)
    assert {item.path: item.reason for item in manifest.excluded} == {
        "home": "Nuvo's own store",
        "work/anna": "another instance",
        "work/distributed": "another instance",
    }
    assert row.files == 1


def test_verifying_is_a_task(make_course: Make) -> None:
    course = make_course()
    write(course.folder("master"), {"a.txt": "A"})
    course.snapshot("master")
    with course.context.catalog.write() as connection:
        task = queue.insert_task(
            connection, kind=TaskKind.VERIFY, title="Verify", order=VerifyOrder(), created_by="prof"
        )
    row = course.run(task)
    report = read_details(row.result, VerifyReport)
    assert row.state == "done"
    assert report is not None
    assert not report.damage
