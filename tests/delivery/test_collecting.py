"""Captures, deletions, distributions and collections, in two processes' worth of memory, broken off anywhere: what is
kept reads back as it was taken."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog, now
from nuvo_jupyter.catalog.roots import kept
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.orders import CollectOrder, SnapshotOrder
from nuvo_jupyter.delivery.results import read_details
from nuvo_jupyter.delivery.take import take_snapshot
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.model.tasks import TaskKind
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.collect import collect
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify
from tests.delivery.course import Course, write
from tests.delivery.test_kill import Killer

Make = Callable[..., Course]
STUDENTS = ("anna", "ben")
PATHS = ("a", "week1/b")
CONTENTS = tuple(f"{name} " * 200 for name in ("red", "green"))
STEPS = ("mark", "condemn", "free", "rewrite", "delete")


class Killed(BaseException):
    """Stands for the end of a process."""


def killer_at(calls: int) -> Callable[..., None]:
    """Something to call that ends the process at a number of calls; 0 never does."""
    counter = itertools.count(1)

    def count(*_: object) -> None:
        if next(counter) == calls:
            raise Killed

    return count


def held(context: Context, root: bytes) -> dict[str, bytes]:
    nodes = tree.flatten(context.store, root)
    return {path: context.store.read_file(node) for path, node in nodes.items() if node.kind is NodeKind.FILE}


class Life(RuleBasedStateMachine):
    """A course that lives through everything."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nuvo-life-"))
        self.course = Course(self.folder, STUDENTS)
        first = self.course.context
        catalog = Catalog(first.catalog.url)
        # What another process has: the same places, other memories of them.
        self.other = Context(
            catalog=catalog, store=Store.open(first.store.backend.url, catalog), home=first.home
        )
        self.contexts = (first, self.other)
        self.taken: dict[int, dict[str, bytes]] = {}
        for name in ("master", *STUDENTS):
            write(self.course.folder(name), {"a": CONTENTS[0]})

    def teardown(self) -> None:
        report = verify(self.course.context.store)
        assert report.ok, report
        self.collect(1, now_=True, until=0, memory=True, during="", who="")
        report = verify(self.course.context.store)
        assert report.ok, report
        assert report.unreferenced == 0
        for context in self.contexts:
            context.store.close()
            context.catalog.close()
        shutil.rmtree(self.folder)

    @rule(
        who=st.sampled_from(("master", *STUDENTS)),
        path=st.sampled_from(PATHS),
        text=st.sampled_from(CONTENTS),
    )
    def edit(self, who: str, path: str, text: str) -> None:
        write(self.course.folder(who), {path: text})

    @rule(
        who=st.sampled_from(("master", *STUDENTS)),
        process=st.integers(0, 1),
        meanwhile=st.integers(0, 2),
    )
    def snapshot(self, who: str, process: int, meanwhile: int) -> None:
        """Take a snapshot; while it reads, another process may collect."""
        left = meanwhile

        def during(_done: int, _total: int) -> None:
            nonlocal left
            if left:
                left -= 1
                self.collect(1 - process, now_=True, until=0, memory=False, during="", who="")

        taken = take_snapshot(
            self.contexts[process], self.course.ids[who], order=SnapshotOrder(), by="prof", progress=during
        )
        folder = self.course.folder(who)
        self.taken[taken] = {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    @precondition(lambda self: self.taken)
    @rule(
        chosen=st.one_of(st.just(tuple(range(200))), st.sets(st.integers(0, 8)).map(tuple)),
        long_ago=st.sampled_from((True, True, False)),
    )
    def delete(self, chosen: tuple[int, ...], long_ago: bool) -> None:
        numbers = [number for at, number in enumerate(sorted(self.taken)) if at in chosen]
        with self.course.context.catalog.write() as connection:
            c = t.snapshot.c
            connection.execute(
                sa.update(t.snapshot)
                .where(c.id.in_(numbers), kept(t.snapshot))
                .values(deleted_at=1.0 if long_ago else now(connection))
            )

    @precondition(lambda self: self.taken)
    @rule(which=st.integers(0, 100))
    def recover(self, which: int) -> None:
        number = sorted(self.taken)[which % len(self.taken)]
        with self.course.context.catalog.write() as connection:
            connection.execute(
                sa.update(t.snapshot)
                .where(t.snapshot.c.id == number, kept(t.snapshot))
                .values(deleted_at=None)
            )

    @rule(strategy=st.sampled_from((Strategy.OVERWRITE, Strategy.MERGE, Strategy.REPLACE)))
    def distribute(self, strategy: Strategy) -> None:
        self.course.distribute(STUDENTS, None, strategy, through=True)

    @rule(
        process=st.integers(0, 1),
        now_=st.booleans(),
        until=st.one_of(st.just(0), st.integers(0, 25)),
        memory=st.booleans(),
        during=st.sampled_from(("", *STEPS)),
        who=st.sampled_from(("master", *STUDENTS)),
    )
    def collect(self, process: int, now_: bool, until: int, memory: bool, during: str, who: str) -> None:
        """Collect; another process may take a snapshot in one of its steps, and it may end wherever it changes something."""
        pending = [during]

        def tell(step: str, _done: int, _total: int) -> None:
            count()
            if step in pending:
                pending.clear()
                self.snapshot(who, 1 - process, 0)

        context = self.contexts[process]
        count = killer_at(until)
        backend = context.store.backend
        put, delete = backend.put, backend.delete
        backend.put = lambda *args: (count(), put(*args), count())[1]  # type: ignore[method-assign]
        backend.delete = lambda *args: (count(), delete(*args), count())[1]  # type: ignore[method-assign]
        try:
            with contextlib.suppress(Killed):
                collect(
                    context.store,
                    memory=context.home / "graph" if memory else None,
                    grace=0.0 if now_ else 3600.0,
                    early=False,
                    alone=lambda _: now_,
                    progress=tell,
                    fence=count,
                )
        finally:
            backend.put, backend.delete = put, delete  # type: ignore[method-assign]

    @rule(
        who=st.sampled_from(("master", *STUDENTS)),
        process=st.integers(0, 1),
        during=st.sampled_from(STEPS),
        again=st.integers(0, 1),
    )
    def regret(self, who: str, process: int, during: str, again: int) -> None:
        """Delete everything, and take it again while it is being collected, and after."""
        self.snapshot(who, process, 0)
        self.delete(tuple(range(200)), True)
        self.collect(1 - process, now_=True, until=0, memory=True, during=during, who=who)
        self.what_is_kept_reads_back()
        self.delete(tuple(range(200)), True)
        self.collect(1 - process, now_=True, until=0, memory=True, during="", who=who)
        self.snapshot(who, process if again else 1 - process, 0)

    @rule()
    def time_passes(self) -> None:
        """What was condemned or doomed has been so for long."""
        with self.course.context.catalog.write() as connection:
            connection.execute(sa.update(t.condemned).values(at=1.0))
            connection.execute(sa.update(t.doomed).values(at=1.0))

    @invariant()
    def what_is_kept_reads_back(self) -> None:
        with self.other.catalog.read() as connection:
            rows = connection.execute(sa.select(t.snapshot).where(kept(t.snapshot))).all()
            bases = connection.scalars(
                sa.select(t.instance.c.base_root).where(t.instance.c.base_root.is_not(None))
            ).all()
        for context in self.contexts:
            context.store.trees.clear()
            for row in rows:
                found = held(context, bytes(row.root))
                if row.id in self.taken:
                    assert found == self.taken[row.id]
            for base in bases:
                held(context, bytes(base))


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=25,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def set_long_deleted(course: Course, ids: list[int]) -> None:
    """Snapshots were deleted so long ago that nobody can bring them back."""
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.snapshot).where(t.snapshot.c.id.in_(ids)).values(deleted_at=1.0))


def queue_collect(course: Course, **order: Any) -> int:
    with course.context.catalog.write() as connection:
        return queue.insert_task(
            connection, kind=TaskKind.COLLECT, title="Collect", order=CollectOrder(**order), created_by="prof"
        )


def aged(course: Course) -> tuple[int, dict[int, dict[str, bytes]]]:
    """A course with many snapshots, of which every other one was deleted long ago, and a queued collection."""
    for number in range(12):
        write(
            course.folder("master"),
            {"same": "same " * 2000, "often": f"{number} " * 3000, f"only{number % 3}": str(number)},
        )
        course.snapshot("master")
    course.distribute(STUDENTS, None, Strategy.MERGE, through=True)
    kept_states = {}
    with course.context.catalog.write() as connection:
        connection.execute(
            sa.update(t.snapshot)
            .where(t.snapshot.c.instance_id == course.ids["master"], t.snapshot.c.number % 2 == 0)
            .values(deleted_at=1.0)
        )
        rows = connection.execute(sa.select(t.snapshot).where(t.snapshot.c.deleted_at.is_(None))).all()
    for row in rows:
        kept_states[row.id] = held(course.context, bytes(row.root))
    return queue_collect(course, now=True), kept_states


def left(course: Course) -> dict[str, int]:
    with course.context.catalog.read() as connection:
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in (t.blob, t.condemned)
        }


@pytest.mark.slow
def test_killed_anywhere_it_goes_on_and_nothing_is_lost(make_course: Make) -> None:
    killer = Killer()
    course, (task, _) = (made := make_course(*STUDENTS)), aged(made)
    ended, calls = killer.work(course, task).split()
    assert ended == "finished"
    expected = left(course)
    assert expected["condemned"] == 0
    killed = 0
    for number in range(10):
        course, (task, states) = (made := make_course(*STUDENTS)), aged(made)
        first = int(calls) * (number + 1) // 11
        killed += killer.work(course, task, first) == "killed"
        report = verify(course.context.store)
        assert report.ok, report
        killed += killer.work(course, task, 1 + (int(calls) - first) * (number % 4 + 1) // 6) == "killed"
        assert killer.work(course, task).startswith("finished")
        # What a killed run had made durable, but not entered, is seen as garbage by the next.
        course.run(queue_collect(course, now=True))
        report = verify(course.context.store)
        assert report.ok, report
        assert report.unreferenced == 0
        assert left(course) == expected, f"killed at call {first} of {calls}"
        for snapshot in course.rows(t.snapshot):
            if snapshot.id in states:
                assert held(course.context, bytes(snapshot.root)) == states[snapshot.id]
    assert killed >= 10
    killer.process.communicate()


def test_a_dry_run_says_what_the_collection_then_does(make_course: Make) -> None:
    course = make_course(*STUDENTS)
    task, _ = aged(course)
    foreseen = course.run(queue_collect(course, now=True, dry_run=True))
    said = read_details(foreseen.result, CollectReport)
    done = read_details(course.run(task).result, CollectReport)
    assert said is not None
    assert done is not None
    assert said.dry_run
    assert done.snapshots == said.snapshots == 6
    assert (done.blobs, done.size) == (said.blobs, said.size)
    assert (done.freed, done.written, done.store_size) == (said.freed, said.written, said.store_size)


def test_repair_and_collection_wait_for_each_other(make_course: Make) -> None:
    course = make_course()
    catalog = course.context.catalog
    first = queue_collect(course)
    second = queue_collect(course)
    claimed = queue.claim(catalog, 30.0)
    assert claimed is not None
    assert claimed.id == first
    assert queue.claim(catalog, 30.0) is None
    with catalog.write() as connection:
        _finish(connection, claimed)
    following = queue.claim(catalog, 30.0)
    assert following is not None
    assert following.id == second


def _finish(connection: Connection, claimed: queue.Claimed) -> None:
    queue.update(connection, claimed.id, claimed.lease, state="done", lease_id=None)
