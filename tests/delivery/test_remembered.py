"""What was just delivered is not read again by the next backup, unless it was edited."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuvo_jupyter.delivery.take import look, open_workspace
from nuvo_jupyter.workspace.capture import Captured

from .course import Course, write

LONG_AGO = 1_700_000_000


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path, ["ann", "ben", "cem"])
    files = {f"week {n % 3}/{n}.txt": f"text {n}" for n in range(12)}
    write(course.folder("master"), files)
    for path in files:
        os.utime(course.folder("master") / path, (LONG_AGO, LONG_AGO))
    course.distribute(["ann", "ben", "cem"])
    return course


def seen(course: Course, name: str) -> Captured:
    with open_workspace(course.context, course.ids[name]) as root:
        return look(course.context, course.ids[name], root)


def test_nothing_of_it_is_read_again(course: Course) -> None:
    for name in ("ann", "ben", "cem"):
        found = seen(course, name)
        assert (found.files_read, found.manifest.files) == (0, 12)


def test_an_edit_at_once_that_keeps_the_size_is_seen(course: Course) -> None:
    before = seen(course, "ann").manifest_id
    (course.folder("ann") / "week 0" / "0.txt").write_text("TEXT 0")
    found = seen(course, "ann")
    assert found.files_read == 1
    assert found.manifest_id != before
    number = course.snapshot("ann")
    course.distribute(["ben"], source="ann", snapshot=number)
    assert (course.folder("ben") / "week 0" / "0.txt").read_text() == "TEXT 0"


def test_an_update_is_remembered_beside_what_was_there(course: Course) -> None:
    path = course.folder("master") / "week 1" / "1.txt"
    path.write_text("a longer text")
    os.utime(path, (LONG_AGO, LONG_AGO))
    course.distribute(["ann", "ben"])
    for name in ("ann", "ben"):
        found = seen(course, name)
        assert found.files_read == 0
        assert found.manifest.root == seen(course, "master").manifest.root


def test_a_file_that_was_changed_shortly_before_is_read(course: Course) -> None:
    (course.folder("master") / "week 1" / "1.txt").write_text("another text")
    course.distribute(["ann"])
    assert seen(course, "ann").files_read == 1
