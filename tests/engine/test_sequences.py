"""Any sequence of operations on a home: snapshots stay what they were, and collecting frees what nothing holds."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import HealthCheck, note, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.roots import kept
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.tasks import Task
from nuvo_jupyter.store import tree

from .campus import PROFESSOR, Campus

INSTANCES = ("intro/master", "intro/anna", "intro/ben", "other/master")
STUDENTS = INSTANCES[1:3]
PATHS = ("a", "w/b", "w/c/d", "tables/t.parquet")
CONTENTS = (
    *((f"{word} " * 300).encode() for word in ("red", "green", "blue")),
    # Of several chunks.
    random.Random(1).randbytes(3_000_000),
)
STRATEGIES = tuple(strategy.value for strategy in Strategy if strategy is not Strategy.SKIP)
OUR_FAULT = ("internal", "store_damaged", "damaged")
LATER = ("restore", "distribute", "recall", "pull", "snapshot_create")
"""What may be asked for now and done after other things have happened."""

any_one = st.integers(0, 50)


class Home(RuleBasedStateMachine):
    """A home with two spaces, beside a record of what each of its snapshots held when it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nuvo-sequences-"))
        self.campus = Campus(self.folder)
        self.campus.space("intro")
        self.campus.space("other")
        self.campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben")
        self.folders = {name: self.campus.workspace(name) for name in INSTANCES}
        self.taken: dict[int, dict[str, bytes]] = {}
        self.waiting: list[Task] = []
        self.later = False
        for name in INSTANCES:
            self.campus.write(name, {"a": CONTENTS[0]})

    @rule(name=st.sampled_from(INSTANCES), path=st.sampled_from(PATHS), content=st.integers(-1, 3))
    def edit(self, name: str, path: str, content: int) -> None:
        file = self.folders[name] / path
        if content < 0:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(CONTENTS[content])

    @rule(name=st.sampled_from(INSTANCES))
    def snapshot(self, name: str) -> None:
        if self.do("snapshot_create", instance=name):
            assert self.taken[max(self.taken)] == on_disk(self.folders[name])

    @rule(number=any_one, back=st.booleans())
    def delete_or_recover(self, number: int, back: bool) -> None:
        if state := self.pick(number, deleted=back):
            self.ask("snapshot_recover" if back else "snapshot_delete", state=state)

    @rule(name=st.sampled_from(STUDENTS), back=st.booleans())
    def delete_or_recover_an_instance(self, name: str, back: bool) -> None:
        self.ask("instance_recover" if back else "instance_delete", instance=name)

    @rule(back=st.booleans())
    def delete_or_recover_a_space(self, back: bool) -> None:
        self.ask("space_recover" if back else "space_delete", space="other")

    @rule(
        number=any_one,
        to=st.sampled_from(["all", "anna", "ben"]),
        strategy=st.sampled_from(STRATEGIES),
        path=st.sampled_from(["", *PATHS]),
        space=st.sampled_from(["", "intro", "other"]),
    )
    def distribute(self, number: int, to: str, strategy: str, path: str, space: str) -> None:
        if source := self.pick(number):
            what: dict[str, Any] = {"objects": [{"path": path}]} if path else {"whole": True}
            self.do(
                "distribute", source=source, to=[to], space=space, strategies=for_all_kinds(strategy), **what
            )

    @rule(
        number=any_one,
        strategy=st.sampled_from(["", *STRATEGIES]),
        path=st.sampled_from(["", *PATHS]),
        to=st.sampled_from(["", *INSTANCES]),
    )
    def restore(self, number: int, strategy: str, path: str, to: str) -> None:
        if not (source := self.pick(number)):
            return
        held = self.taken[self.row(source).id]
        done = self.do(
            "restore", source=source, instance=to, strategy=strategy or None, paths=[path] if path else []
        )
        target = to or source.partition("@")[0]
        if done and not strategy and not path and target in self.folders:
            assert on_disk(self.folders[target]) == held

    @rule(
        number=any_one,
        scope=st.sampled_from(["others", "students", "all"]),
        path=st.sampled_from(["", *PATHS]),
    )
    def recall(self, number: int, scope: str, path: str) -> None:
        with self.campus.catalog.read() as connection:
            ids = list(connection.scalars(sa.select(t.distribution.c.id)))
        if path:
            self.do("recall", space="intro", objects=[{"path": path}], scope=scope)
        elif ids:
            self.do("recall", space="intro", distribution=ids[number % len(ids)], scope=scope)

    @rule(name=st.sampled_from(STUDENTS), strategy=st.sampled_from(["merge", "overwrite", "extra"]))
    def pull(self, name: str, strategy: str) -> None:
        self.do("pull", instance=name, strategies=for_all_kinds(strategy))

    @rule(number=any_one, name=st.sampled_from(INSTANCES))
    def export_and_import(self, number: int, name: str) -> None:
        if not (state := self.pick(number)):
            return
        source, crate = self.row(state), self.folders[name] / "x.zip"
        crate.write_bytes(b"".join(self.campus.call("crate_export", None, state=state).body))
        done = self.do("crate_import", instance=name, path="x.zip")
        crate.unlink()
        if done:
            imported = max(self.taken)
            assert self.taken[imported] == self.taken[source.id]
            with self.campus.catalog.read() as connection:
                manifest = connection.scalar(
                    sa.select(t.snapshot.c.manifest).where(t.snapshot.c.id == imported)
                )
            assert manifest == source.manifest

    @rule(last=st.integers(0, 2), manual=st.booleans())
    def forget(self, last: int, manual: bool) -> None:
        self.ask("retention_set", space="intro", last=last, manual=manual)
        self.do("forget", space="intro")

    @rule()
    def repair(self) -> None:
        self.do("repair")
        self.verify()

    @rule(later=st.booleans())
    def do_at_once_or_later(self, later: bool) -> None:
        self.later = later

    @precondition(lambda self: self.waiting)
    @rule(number=any_one, cancel=st.sampled_from([False, False, True]))
    def work(self, number: int, cancel: bool) -> None:
        task = self.waiting.pop(number % len(self.waiting))
        if cancel:
            self.ask("task_cancel", id=task.id)
        self.finish(task)

    @rule(now=st.booleans(), told=st.booleans())
    def collect(self, now: bool, told: bool) -> None:
        said = self.collected(now=now, dry_run=True) if told else None
        done = self.collected(now=now)
        if said and now and not self.waiting:
            assert freed(said) == freed(done)
        if now:
            assert freed(self.collected(now=True))[:4] == (0, 0, 0, 0)

    @precondition(lambda self: not self.waiting)
    @rule(numbers=st.sets(any_one, min_size=1, max_size=5))
    def usage_is_what_deleting_frees(self, numbers: set[int]) -> None:
        self.collected(now=True)
        states = sorted({state for number in numbers if (state := self.pick(number))})
        if not states:
            return
        task = self.campus.run("usage", states=states)
        usage = self.campus.call("usage_show", None, id=task.id)
        assert usage.unheld == 0
        for state in states:
            self.campus.call("snapshot_delete", None, state=state)
        assert self.collected(now=True).size == usage.frees.size

    @invariant()
    def every_snapshot_is_what_it_was(self) -> None:
        self.campus.engine.store.trees.clear()
        with self.campus.catalog.read() as connection:
            rows = connection.execute(sa.select(t.snapshot).where(kept(t.snapshot))).all()
            base = t.instance.c.base_root
            bases = list(connection.scalars(sa.select(base).where(base.is_not(None))))
        for row in rows:
            assert self.held(row.root) == self.taken[row.id]
        for root in (*bases, *(row.base_root for row in rows if row.base_root)):
            self.held(root)

    def teardown(self) -> None:
        try:
            for task in self.waiting:
                self.finish(task)
            self.waiting.clear()
            self.verify()
            self.collect(True, True)
            assert self.verify().unreferenced == 0
            for space in ("intro", "other"):
                self.ask("space_delete", space=space)
            self.collected(now=True)
            self.collected(now=True)
            with self.campus.catalog.read() as connection:
                assert connection.scalar(sa.select(sa.func.count()).select_from(t.blob)) == 0
        finally:
            self.campus.close()
            shutil.rmtree(self.folder)

    def ask(self, operation: str, **fields: Any) -> Any:
        """Call what may be refused."""
        try:
            return self.campus.call(operation, None, **fields)
        except NuvoError as error:
            note(f"  refused: {operation}: {error.message}")
            return None

    def do(self, operation: str, **fields: Any) -> bool:
        """Call what makes a task, and work it off now or later; whether it was done."""
        task = self.ask(operation, **fields)
        if task is None:
            return False
        if self.later and operation in LATER:
            self.waiting.append(task)
            return False
        return self.finish(task)

    def finish(self, task: Task) -> bool:
        done = self.campus.finish(task)
        with self.campus.catalog.read() as connection:
            snapshot = t.snapshot.c
            new = connection.execute(
                sa.select(snapshot.id, snapshot.root).where(snapshot.id.not_in(list(self.taken)))
            )
            self.taken |= {row.id: self.held(row.root) for row in new}
        note(f"  {done.title}: {done.state} {done.problem}")
        assert done.problem is None or done.problem.code not in OUR_FAULT
        return done.state == "done"

    def collected(self, **fields: Any) -> Any:
        task = self.campus.run("collect", **fields)
        return self.campus.call("collect_show", None, id=task.id)

    def verify(self) -> Any:
        report = self.campus.call("verify_show", None, id=self.campus.run("verify").id)
        assert report.ok, report
        return report

    def held(self, root: bytes) -> dict[str, bytes]:
        store = self.campus.engine.store
        nodes = tree.flatten(store, bytes(root))
        return {path: store.read_file(node) for path, node in nodes.items() if node.kind is NodeKind.FILE}

    def pick(self, number: int, *, deleted: bool = False) -> str:
        """One of the snapshots that are there (or of all, deleted ones too); ``""`` if there is none."""
        found = self.rows(deleted=deleted)
        return reference(found[number % len(found)]) if found else ""

    def row(self, state: str) -> Any:
        return next(row for row in self.rows() if reference(row) == state)

    def rows(self, *, deleted: bool = False) -> list[Any]:
        query = (
            sa.select(t.snapshot, t.instance.c.name.label("of"), t.space.c.name.label("space"))
            .join(t.instance, t.instance.c.id == t.snapshot.c.instance_id)
            .join(t.space, t.space.c.id == t.instance.c.space_id)
        )
        if not deleted:
            query = query.where(
                *(table.c.deleted_at.is_(None) for table in (t.snapshot, t.instance, t.space))
            )
        with self.campus.catalog.read() as connection:
            return list(connection.execute(query.order_by(t.snapshot.c.id)))


def reference(row: Any) -> str:
    return f"{row.space}/{row.of}@{row.number}"


def for_all_kinds(strategy: str) -> dict[str, str]:
    return dict.fromkeys(("file", "table", "application"), strategy)


def freed(report: Any) -> tuple[int, ...]:
    return (
        report.freed,
        report.size,
        report.snapshots,
        report.blobs,
        report.written,
        report.store_size,
    )


def on_disk(folder: Path) -> dict[str, bytes]:
    return {
        os.path.relpath(path, folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".nuvo")
    }


TestSequences = Home.TestCase
TestSequences.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
