"""A disk that refuses at any single call: an error of ours or an outcome that says so, nothing lost, and the next try succeeds."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.catalog import queue
from nuvo_jupyter.delivery.orders import CollectOrder
from nuvo_jupyter.delivery.worker import _Leases
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.tasks import Task, TaskKind
from nuvo_jupyter.workspace.temporaries import MARK
from tests.contract.disk import FOLDER, Tree, file, found_in, lay_out, link, tree
from tests.engine.campus import Campus

from .conftest import Extent
from .injected import Injector, Site
from .processes import leases_run_out

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES)
OURS = {
    "storage_full", "service_unavailable", "workspace_unavailable", "store_damaged", "some_objects_failed", "catalog_damaged",
}  # fmt: skip
"""What a task may say that failed because of it."""

BEFORE = tree(
    {
        "a.txt": "mine\n", "own.txt": "own\n", "kind": "a file", "week1/x.txt": "x\n", "week1/l": link("x.txt"),
        "gone/d.txt": "d\n",
    }
)  # fmt: skip
SENT = tree(
    {
        "a.txt": "new\n", "big.bin": file(bytes(range(256)) * 5000), "kind/inside.txt": "in a folder\n", "week1/x.txt": "x2\n",
        "week1/l": link("../a.txt"), "week2/deep/y.txt": "y\n", "week2/empty": FOLDER, "run.sh": file("#!", 0o755),
    }
)  # fmt: skip


class Work:
    """Something to be done again and again on the same home.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self.place, self.saved = folder / "place", folder / "saved"
        campus = Campus(self.place)
        campus.space()
        lay_out(campus.workspace("intro/master"), BEFORE)
        campus.snapshot("intro/master")
        self.prepare(campus)
        self.earlier = states(campus)
        campus.close()
        shutil.copytree(self.place, self.saved, symlinks=True)
        self.before = self.folders()

    def prepare(self, campus: Campus) -> None:
        """What comes before it."""

    def ask(self, campus: Campus, before: Task | None) -> Task:
        """Queue it; again, if it failed before."""
        raise NotImplementedError

    def again(self) -> Campus:
        """Everything as it was prepared."""
        shutil.rmtree(self.place)
        shutil.copytree(self.saved, self.place, symlinks=True)
        return Campus(self.place)

    def folders(self) -> dict[str, Tree]:
        """What instances' folders hold."""
        return {path.name: found_in(path) for path in (self.place / "intro").iterdir()}


class Capture(Work):
    def prepare(self, campus: Campus) -> None:
        lay_out(campus.workspace("intro/master"), SENT)

    def ask(self, campus: Campus, before: Task | None) -> Task:
        task: Task = campus.call("snapshot_create", instance="intro/master")
        return task


class Restore(Capture):
    def ask(self, campus: Campus, before: Task | None) -> Task:
        task: Task = campus.call("restore", source="intro/master@1")
        return task


class Delivery(Work):
    def prepare(self, campus: Campus) -> None:
        campus.run("roster_add", space="intro", people="anna\nben", source="")
        for name in ("anna", "ben"):
            lay_out(campus.workspace(f"intro/{name}"), BEFORE)
        lay_out(campus.workspace("intro/master"), SENT)

    def ask(self, campus: Campus, before: Task | None) -> Task:
        if before is not None and before.distribution is not None:
            task: Task = campus.call("distribution_retry", id=before.distribution)
        else:
            strategies = {"file": "replace"}
            task = campus.call(
                "distribute", source="intro/master", whole=True, to=["all"], strategies=strategies
            )
        return task


class Collect(Work):
    def prepare(self, campus: Campus) -> None:
        lay_out(campus.workspace("intro/master"), SENT)
        campus.snapshot("intro/master", name="later")
        lay_out(campus.workspace("intro/master"), BEFORE)
        campus.snapshot("intro/master")
        campus.call("snapshot_delete", state="intro/master@2")
        campus.sql("UPDATE snapshot SET deleted_at = 1 WHERE deleted_at IS NOT NULL")

    def ask(self, campus: Campus, before: Task | None) -> Task:
        with campus.catalog.write() as connection:
            id_ = queue.insert_task(
                connection,
                kind=TaskKind.COLLECT,
                title="Collect",
                order=CollectOrder(now=True),
                created_by=campus.owner,
            )
        task: Task = campus.call("task_show", id=id_)
        return task


def states(campus: Campus) -> dict[str, str]:
    """Every snapshot that is not deleted, by its reference, with its root."""
    with campus.catalog.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT i.name, s.number, hex(s.root) FROM snapshot s JOIN instance i ON i.id = s.instance_id WHERE s.deleted_at IS NULL"
        ).all()
    return {f"{name}@{number}": root for name, number, root in rows}


def attempt(campus: Campus, task: Task) -> Task:
    """Do a task and what belongs to it as far as one comes without waiting for anything."""
    with _Leases(campus.engine.context) as leases:
        while (claimed := queue.claim(campus.catalog, 30.0, family=task.id)) is not None:
            leases.run(claimed, threading.Event())
    campus.engine.context.spools.clear()
    found: Task = campus.call("task_show", id=task.id)
    return found


def check_nothing_torn(before: dict[str, Tree], after: dict[str, Tree], found: dict[str, Tree]) -> None:
    for name, now in found.items():
        old, new = before.get(name, {}), after.get(name, {})
        for path, item in now.items():
            if b".~nuvo" not in path:
                assert item in (old.get(path), new.get(path)) or item.kind == "folder", f"{name} {path!r}"
        for path in old.keys() & new.keys():
            # What was a folder is first removed; its content is in the backup.
            assert old[path].kind != new[path].kind or path in now, f"{name} {path!r}"


@pytest.fixture(scope="module", params=[Capture, Restore, Delivery, Collect])
def work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    made: Callable[[Path], Work] = request.param
    folder = tmp_path_factory.mktemp("errors")
    yield made(folder)
    shutil.rmtree(folder)


def without_mark(folder: Tree) -> Tree:
    """A folder without the mark, which may stay: the next change to that workspace clears it away."""
    return {path: item for path, item in folder.items() if path != MARK.encode()}


def one(work: Work, injector: Injector, after: dict[str, Tree], wanted: set[str]) -> bool:
    """Let one fault happen, look what came of it, and try again; whether it made the work fail."""
    campus = work.again()
    task: Task | None = None
    problem = ""
    try:
        with injector.active():
            try:
                task = work.ask(campus, None)
                task = attempt(campus, task)
            except NuvoError as error:
                problem = error.code
        if task is not None:
            assert task.state in ("done", "failed", "running", "waiting")
            if task.state == "failed":
                assert task.problem is not None
                problem = task.problem.code
                for delivery in campus.deliveries(task).values() if task.distribution else ():
                    assert delivery.task.problem is None or delivery.task.problem.code in OURS, (
                        delivery.task.problem
                    )
        assert problem in OURS | {"", "some_deliveries_failed"}, f"{problem} {task and task.problem}"
        check_nothing_torn(work.before, after, work.folders())
        found = states(campus)
        assert all(found[state] == root for state, root in work.earlier.items())
        # Once the fault is gone:
        failed = task is None or task.state != "done"
        if task is not None and not task.state.finished:
            leases_run_out(campus.home)
            task = attempt(campus, task)
        if task is None or task.state == "failed":
            task = attempt(campus, work.ask(campus, task))
        assert task.state == "done", task.problem
        folders = {name: without_mark(folder) for name, folder in work.folders().items()}
        assert folders == after, {name: folders[name].keys() ^ after[name].keys() for name in after}
        assert set(states(campus).values()) >= wanted
        report = campus.call("verify_show", id=campus.run("verify").id)
        assert report.ok, report.damage
        left = list((campus.home / "store" / "tmp").iterdir())
        assert not left or injector.call == "unlink", left
        return failed
    finally:
        campus.close()


def test_every_call_that_fails(work: Work, extent: Extent) -> None:
    injector = Injector()
    campus = work.again()
    with injector.active():
        done = attempt(campus, work.ask(campus, None))
    assert done.state == "done", done.problem
    after, wanted = work.folders(), states(campus)
    campus.close()
    sites = dict(injector.seen)
    chance = extent.chance("errors", type(work).__name__)
    faults: list[tuple[Site, int, int, bool]] = []
    for index, (site, count) in enumerate(sorted(sites.items())):
        for turn, error in enumerate(ERRORS if extent.long else (ERRORS[index % len(ERRORS)],)):
            faults.append((site, chance.randint(1, count), error, (index + turn) % 2 == 0))
    if not extent.long:
        faults = chance.sample(faults, min(len(faults), 14))
    happened = failed = 0
    wrong: list[str] = []
    for site, number, error, always in faults:
        injector.fail(site, number, error, always=always)
        try:
            failed += one(work, injector, after, set(wanted.values()))
        except AssertionError as problem:
            note = f"{site} call {number} {errno.errorcode[error]}{' and on' if always else ''}"
            wrong.append(f"{note}\n    {str(problem)[:600]}")
        happened += bool(injector.failed)
    assert not wrong, f"seed {extent.seed}\n" + "\n".join(wrong)
    print(
        f"errors: {type(work).__name__}: {len(sites)} places, {happened} of {len(faults)} faults happened, "
        f"{failed} tries failed, seed {extent.seed}"
    )
    assert happened > len(faults) * 2 // 3


def test_a_disk_of_which_nothing_can_be_looked_at(tmp_path: Path) -> None:
    """Not even its root says that it is a folder: an error, and an end."""
    made = Capture(tmp_path)
    campus = made.again()
    injector = Injector(reading=True)
    with injector.active():
        attempt(campus, made.ask(campus, None))
    campus.close()
    sites = [
        site for site in injector.seen if site.call == "stat" and site.where[0].startswith("store/folder.py")
    ]
    assert sites
    for site in sites:
        injector.fail(site, 1, errno.EIO, always=True)
        campus = made.again()
        with injector.active():
            assert attempt(campus, made.ask(campus, None)).state in ("done", "failed", "running")
        assert injector.failed
        campus.close()
