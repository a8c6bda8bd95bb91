"""A process is killed (SIGKILL) at many points of a distribution; whoever comes next brings it to the same end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.store.verify import verify
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]
KILLS = 16
STUDENTS = ("anna", "ben", "cleo")
OLD = {"a.txt": "one\ntwo\nthree\nfour\n", "week1/b.txt": "B", "c": "a file", "gone.txt": "x", "d/x.txt": "x"}
NEW = {
    "a.txt": "one\ntwo\nthree\nfour!\n",
    "week1/b.txt": "B2",
    "c/now/a/folder.txt": "C",
    "d": "now a file",
    "week2/e.txt": "E" * 5000,
    "week2/f.txt": "F",
}


class Killer:
    """Runs a course's task in processes of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killed.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            # Forking beside threads that do not exist yet is fine; warnings would only clutter the output.
            env={"PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def work(self, course: Course, task: int, calls: int = 0) -> str:
        """Work until the task is finished, or until a number of calls; returns how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{course.context.home} {task} {calls}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    made = Killer()
    yield made
    made.process.communicate()


def prepare(make_course: Make) -> tuple[Course, int]:
    """A course whose students have worked on what they got, and a second distribution that is queued."""
    course = make_course(*STUDENTS)
    write(course.folder("master"), OLD)
    course.distribute(STUDENTS, None, Strategy.MERGE, through=True)
    write(course.folder("anna"), {"a.txt": "one!\ntwo\nthree\nfour\n", "own.txt": "own", "c": "changed"})
    write(course.folder("ben"), {"a.txt": "one\ntwo\nthree\nmine\n", "d/y.txt": "kept"})
    for path in ("a.txt", "week1/b.txt", "c", "gone.txt", "d/x.txt"):
        (course.folder("master") / path).unlink()
    (course.folder("master") / "d").rmdir()
    write(course.folder("master"), NEW)
    return course, course.queue(STUDENTS, None, Strategy.MERGE, through=True, notify=True)


def result(course: Course, task: int) -> dict[str, Any]:
    """Everything the distribution left behind, without times and ids."""
    rows = course.deliveries(task)
    return {
        "states": {name: row.state for name, row in rows.items()},
        "counted": (rows[""].done, rows[""].total),
        "outcomes": {name: course.outcomes(row) for name, row in rows.items() if name},
        "files": {name: read(course.folder(name)) for name in (*STUDENTS, "master", "distributed")},
        "bases": {row.name: row.base_root is not None for row in course.rows(t.instance)},
        "backups": {name: row.backup_id is not None for name, row in rows.items()},
        "told": sorted((row.username, row.subject) for row in course.rows(t.notification)),
    }


@pytest.mark.slow
def test_killed_anywhere_the_end_is_the_same(make_course: Make, killer: Killer) -> None:
    course, task = prepare(make_course)
    ended, calls = killer.work(course, task).split()
    assert ended == "finished"
    expected = result(course, task)
    assert set(expected["states"].values()) == {"done"}
    assert "merged" in expected["outcomes"]["anna"].values()
    assert "conflict" in expected["outcomes"]["ben"].values()
    killed = 0
    for number in range(KILLS):
        course, task = prepare(make_course)
        # Evenly over the whole distribution, the second kill while the first is being made good.
        first = int(calls) * (number + 1) // (KILLS + 1)
        killed += killer.work(course, task, first) == "killed"
        killed += killer.work(course, task, 1 + (int(calls) - first) * (number % 4 + 1) // 6) == "killed"
        ended = killer.work(course, task)
        assert ended.startswith("finished"), ended
        assert result(course, task) == expected, f"killed at call {first} of {calls}"
        assert not [path for path in course.tmp.rglob("*") if path.name.startswith(".~")]
        reasons = [row.reason for row in course.rows(t.snapshot)]
        assert reasons.count("distributed") == 4
        assert reasons.count("before_distribution") == 2 * (len(STUDENTS) + 1)
        assert not verify(course.context.store).damage
    assert killed >= KILLS
