"""A store that is full at the worst moment: when everything was delivered and only the report is missing."""

from __future__ import annotations

import contextlib
from pathlib import Path

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.settle import retry
from nuvo_jupyter.store.tree import flatten
from tests.conftest import missing
from tests.delivery.course import Course, read, write
from tests.faults import disks


def test_what_was_delivered_but_could_not_be_noted_says_so_and_is_noted_by_a_retry(tmp_path: Path) -> None:
    (tmp_path / "probe").mkdir()
    if not disks.may_mount(tmp_path / "probe"):
        missing("a disk of one's own to fill: only root may mount one")
    store = tmp_path / "home" / "store"
    filler = store / "filler"
    courses: list[Course] = []

    def fill(task: int) -> None:
        row = next(row for row in courses[0].rows(t.task) if row.id == task)
        if row.kind == "delivery" and row.step == "apply" and not filler.exists():
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 512)

    with disks.small(store):
        course = Course(tmp_path, ["anna"], announce=fill)
        courses.append(course)
        write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
        rows = course.distribute(["anna"], ["a.txt"])
        problem = course.problem(rows["anna"])
        assert problem["code"] == "storage_full"
        assert "were delivered" in problem["hint"]
        assert read(course.folder("anna")) == {"a.txt": "A"}
        filler.unlink()
        filler.touch()
        with course.context.catalog.write() as connection:
            assert retry(course.context, connection, rows[""].id) == 1
        course.run(rows[""].id)
        assert course.deliveries(rows[""].id)["anna"].state == "done"
        anna = next(row for row in course.rows(t.instance) if row.name == "anna")
        assert set(flatten(course.context.store, anna.base_root)) == {"a.txt"}
        course.close()
