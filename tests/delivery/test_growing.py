"""Usage that comes true, rules that take away what they should, and snapshots by the clock."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import queue, retention, schedule
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.orders import CollectOrder, ForgetOrder, UsageOrder
from nuvo_jupyter.delivery.results import read_details
from nuvo_jupyter.delivery.scheduling import COLLECTED, THINNED, queue_due
from nuvo_jupyter.delivery.timetable import Timetable
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.growth import ForgetReport, Usage
from nuvo_jupyter.model.retention import Keep
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.model.tasks import TaskKind
from tests.delivery.course import Course, write

Make = Callable[..., Course]
T = TypeVar("T")
STUDENTS = ("anna", "ben")


def run(course: Course, kind: TaskKind, order: msgspec.Struct, report: type[T]) -> T:
    with course.context.catalog.write() as connection:
        task = queue.insert_task(connection, kind=kind, title="", order=order, created_by="prof")
    row = course.run(task)
    assert row.state == "done", row.error
    found = read_details(row.result, report)
    assert found is not None
    return found


def usage(course: Course, **order: Any) -> Usage:
    return run(course, TaskKind.USAGE, UsageOrder(**order), Usage)


def collect(course: Course) -> CollectReport:
    return run(course, TaskKind.COLLECT, CollectOrder(now=True), CollectReport)


def stored(course: Course) -> int:
    with course.context.catalog.read() as connection:
        return connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(t.blob.c.length), 0))) or 0


def set_deleted(course: Course, ids: list[int]) -> None:
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.snapshot).where(t.snapshot.c.id.in_(ids)).values(deleted_at=1.0))


def busy_course(make_course: Make) -> Course:
    """Some students with a history, sharing much."""
    course = make_course(*STUDENTS)
    chance = random.Random(7)
    write(course.folder("master"), {f"week{n}/task{m}": f"{n}{m} " * 900 for n in range(3) for m in range(3)})
    course.snapshot("master")
    course.distribute(STUDENTS, None, Strategy.MERGE, through=True)
    for number in range(12):
        who = chance.choice(("master", *STUDENTS))
        write(course.folder(who), {f"week{chance.randrange(3)}/own{chance.randrange(3)}": f"{number} " * 700})
        course.snapshot(who)
    return course


@pytest.mark.parametrize("seed", range(4))
def test_what_deleting_frees_is_what_deleting_and_collecting_then_frees(make_course: Make, seed: int) -> None:
    course = busy_course(make_course)
    chance = random.Random(seed)
    collect(course)
    with course.context.catalog.read() as connection:
        ids = list(connection.scalars(sa.select(t.snapshot.c.id).order_by(t.snapshot.c.id)))
    chosen = tuple(sorted(chance.sample(ids, chance.randrange(1, len(ids)))))
    said = usage(course, snapshot_ids=chosen, states=("some",))
    assert said.frees is not None
    assert said.unheld == 0
    before = stored(course)
    assert said.size == before
    set_deleted(course, list(chosen))
    done = collect(course)
    assert before - stored(course) == said.frees.size == done.size
    assert usage(course).unheld == 0


def test_one_snapshot_alone_frees_what_it_holds_alone(make_course: Make) -> None:
    course = busy_course(make_course)
    said = usage(course, space_id=course.space, instance_id=course.ids["master"])
    (space,) = said.spaces
    (instance,) = space.instances
    assert instance.snapshots == len(instance.details) > 2
    assert [one.number for one in instance.details] == sorted(
        (one.number for one in instance.details), reverse=True
    )
    for one in instance.details:
        assert 0 <= one.alone <= one.held <= instance.held <= space.held
        with course.context.catalog.read() as connection:
            id_ = connection.scalar(
                sa.select(t.snapshot.c.id).where(
                    t.snapshot.c.instance_id == course.ids["master"], t.snapshot.c.number == one.number
                )
            )
        again = usage(course, snapshot_ids=(id_,), states=(one.reference,))
        assert again.frees is not None
        assert again.frees.size == one.alone
    assert sum(one.alone for one in instance.details) <= instance.alone
    everything = usage(course)
    (whole,) = everything.spaces
    assert {one.instance for one in whole.instances} == {
        f"Intro/{name}" for name in ("master", "distributed", *STUDENTS)
    }
    assert whole.held == whole.alone == everything.size - everything.unheld


def rule(course: Course, **keep: Any) -> None:
    with course.context.catalog.write() as connection:
        retention.set_rule(connection, course.space, Keep(**keep), "prof")


def reasons(course: Course) -> list[tuple[str, str, bool]]:
    names = {id_: name for name, id_ in course.ids.items()}
    return [
        (names[row.instance_id], row.reason, row.deleted_at is None)
        for row in sorted(course.rows(t.snapshot), key=lambda row: int(row.id))
    ]


def test_a_rule_takes_backups_but_nothing_made_by_hand_or_handed_out(make_course: Make) -> None:
    course = make_course(*STUDENTS)
    write(course.folder("master"), {"a": "a"})
    for number in range(3):
        write(course.folder("master"), {"a": f"{number} " * 500})
        write(course.folder("anna"), {"own": f"{number}"})
        course.distribute(("anna",), None, Strategy.OVERWRITE, through=True)
    course.snapshot("anna", name="mine")
    rule(course, last=1)
    foreseen = run(course, TaskKind.FORGET, ForgetOrder(course.space, dry_run=True), ForgetReport)
    assert all(kept for _, _, kept in reasons(course))
    done = run(course, TaskKind.FORGET, ForgetOrder(course.space), ForgetReport)
    assert done.forgotten == foreseen.forgotten > 0
    assert [(one.reference, one.why) for one in done.snapshots] == [
        (one.reference, one.why) for one in foreseen.snapshots
    ]
    after = reasons(course)
    assert [kept for who, reason, kept in after if (who, reason) == ("anna", "before_distribution")] == [
        False,
        False,
        True,
    ]
    assert all(kept for _, reason, kept in after if reason in ("manual", "distributed"))
    entry = [row for row in course.rows(t.audit) if row.action == "forget"]
    assert [json.loads(row.detail)["forgotten"] for row in entry] == [done.forgotten]
    before = stored(course)
    with course.context.catalog.write() as connection:
        connection.execute(
            sa.update(t.snapshot).where(t.snapshot.c.deleted_at.is_not(None)).values(deleted_at=1.0)
        )
    collect(course)
    assert before - stored(course) == foreseen.frees
    assert run(course, TaskKind.FORGET, ForgetOrder(course.space), ForgetReport).forgotten == 0


def clock_says(course: Course) -> None:
    """Time has passed for everything that is done by the clock."""
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.schedule).values(looked_at=1.0))
        connection.execute(
            sa.update(t.setting).where(t.setting.c.key.in_((THINNED, COLLECTED))).values(value="1.0")
        )


def look(course: Course) -> list[str]:
    """What the clock queued, done."""
    clock_says(course)
    before = {row.id for row in course.rows(t.task)}
    queue_due(course.context)
    queued = [row for row in course.rows(t.task) if row.id not in before]
    for row in queued:
        assert course.run(row.id).state == "done"
    return [row.title for row in queued]


def test_a_snapshot_is_taken_by_the_clock_only_where_something_changed(make_course: Make) -> None:
    course = make_course(*STUDENTS)
    for who in STUDENTS:
        write(course.folder(who), {"a": "a"})
        course.snapshot(who)
    with course.context.catalog.write() as connection:
        schedule.set_minutes(connection, course.ids["anna"], 10)
    write(course.folder("ben"), {"a": "changed, but nobody asked"})
    assert look(course) == []
    write(course.folder("anna"), {"a": "b"})
    queue_due(course.context)
    assert len(course.rows(t.snapshot)) == 2, "not before ten minutes are over"
    assert look(course) == ["Snapshot of Intro/anna by the clock"]
    assert look(course) == []
    assert reasons(course)[-1] == ("anna", "scheduled", True)


def test_the_servers_setting_holds_for_all_that_say_nothing_and_have_a_snapshot(make_course: Make) -> None:
    course = make_course(*STUDENTS, snapshot_every=10)
    write(course.folder("anna"), {"a": "a"})
    course.snapshot("anna")
    write(course.folder("anna"), {"a": "b"})
    write(course.folder("ben"), {"a": "b"})
    assert look(course) == ["Snapshot of Intro/anna by the clock"]
    with course.context.catalog.write() as connection:
        schedule.set_minutes(connection, course.ids["anna"], 0)
    write(course.folder("anna"), {"a": "c"})
    assert look(course) == []


def test_a_folder_that_is_not_there_today_keeps_nobody_else_from_being_looked_at(make_course: Make) -> None:
    course = make_course(*STUDENTS, snapshot_every=10)
    for who in STUDENTS:
        write(course.folder(who), {"a": "a"})
        course.snapshot(who)
        write(course.folder(who), {"a": "b"})
    course.folder("anna").rename(course.tmp / "elsewhere")
    assert look(course) == ["Snapshot of Intro/ben by the clock"]


def test_what_the_clock_takes_the_rule_thins(make_course: Make) -> None:
    course = make_course("anna", snapshot_every=10)
    write(course.folder("anna"), {"a": "first"})
    course.snapshot("anna")
    rule(course, last=2)
    for number in range(5):
        write(course.folder("anna"), {"a": str(number)})
        assert len(look(course)) == 1
    assert [kept for _, _, kept in reasons(course)] == [True, False, False, False, True, True]


def test_in_idle_time_what_nothing_holds_is_collected(make_course: Make) -> None:
    course = make_course("anna", collect_every=60.0)
    queue_due(course.context)
    assert look(course) == ["Collect what nothing holds"]
    queue_due(course.context)
    assert len(course.rows(t.task)) == 1, "not again before its time"


def test_the_timetable_looks_once_in_a_while(make_course: Make) -> None:
    course = make_course("anna", collect_every=60.0)

    def looked() -> bool:
        with course.context.catalog.read() as connection:
            return {THINNED, COLLECTED} <= set(connection.scalars(sa.select(t.setting.c.key)))

    Timetable(course.context).look(lambda: False)
    assert not looked()
    Timetable(course.context, seconds=0.0).look(lambda: False)
    assert looked()
