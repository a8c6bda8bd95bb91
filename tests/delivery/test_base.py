"""What counts as last distributed: after recalls, restores, and deliveries that wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.locks import instance_lock
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.tasks import DistributionKind
from nuvo_jupyter.store.tree import flatten
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]


def never_captured(course: Course, objects: list[str] | None) -> int:
    """The id of a distribution to Anna whose source could not be captured."""
    folder = course.folder("master")
    folder.rename(folder.with_name("elsewhere"))
    failed = course.distribute(["anna"], objects)[""]
    folder.with_name("elsewhere").rename(folder)
    assert failed.state == "failed"
    return int(failed.distribution_id)


@pytest.mark.parametrize("objects", [None, ["a.txt"]])
def test_recalling_what_never_was_captured_takes_nothing(
    make_course: Make, objects: list[str] | None
) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    course.distribute(["anna"])
    failed = never_captured(course, objects)
    rows = course.distribute(["anna"], objects, kind=DistributionKind.RECALL, recalled=failed)
    assert rows["anna"].state == "done"
    assert read(course.folder("anna")) == {"a.txt": "A", "b.txt": "B"}
    assert course.outcomes(rows["anna"]) == {}


def test_recalling_an_older_distribution_leaves_the_newer_one_as_what_was_last_distributed(
    make_course: Make,
) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "1", "b.txt": "1"})
    older = course.distribute(["anna"])[""].distribution_id
    write(course.folder("master"), {"a.txt": "2"})
    course.distribute(["anna"], ["a.txt"])
    rows = course.distribute(["anna"], kind=DistributionKind.RECALL, recalled=older)
    assert course.outcomes(rows["anna"]) == {"a.txt": "kept", "b.txt": "deleted"}
    write(course.folder("master"), {"a.txt": "3"})
    rows = course.distribute(["anna"], ["a.txt"], Strategy.MERGE)
    assert course.outcomes(rows["anna"]) == {"a.txt": "replaced"}
    assert read(course.folder("anna")) == {"a.txt": "3"}


@pytest.mark.parametrize("strategy", ["extra", "overwrite", "rename"])
def test_only_a_restore_that_brings_back_the_whole_state_brings_back_what_was_last_distributed(
    make_course: Make, strategy: str
) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "1"})
    course.distribute(["anna"])
    early = course.snapshot("anna")
    write(course.folder("master"), {"a.txt": "2", "b.txt": "2"})
    course.distribute(["anna"])
    course.distribute(["anna"], None, strategy, kind=DistributionKind.RESTORE, source="anna", snapshot=early)
    before = read(course.folder("anna"))
    write(course.folder("master"), {"b.txt": "3"})
    rows = course.distribute(["anna"], ["b.txt"], Strategy.MERGE)
    assert before["b.txt"] == "2"
    assert course.outcomes(rows["anna"]) == {"b.txt": "replaced"}


def test_a_delivery_that_waited_for_another_builds_on_what_that_one_distributed(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    course.distribute(["anna"], ["a.txt"])
    with course.context.catalog.read() as connection:
        after = connection.scalar(sa.select(t.instance.c.base_root).where(t.instance.c.name == "anna"))
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.instance).values(base_root=None))
    write(course.folder("master"), {"b.txt": "B"})
    waiting = course.queue(["anna"], ["b.txt"])
    with instance_lock(course.context.home, course.ids["anna"]):
        # Somebody whose lease ran out still works here, and comes to an end while this delivery waits.
        work = threading.Thread(target=course.run, args=(waiting,))
        work.start()
        while not any(
            row.instance_id == course.ids["anna"] and row.state == "running" for row in course.rows(t.task)
        ):
            work.join(0.01)
        with course.context.catalog.write() as connection:
            connection.execute(
                sa.update(t.instance).where(t.instance.c.name == "anna").values(base_root=after)
            )
    work.join()
    row = next(row for row in course.rows(t.instance) if row.name == "anna")
    assert set(flatten(course.context.store, row.base_root)) == {"a.txt", "b.txt"}
