"""kill -9 at any point: whoever comes next completes the work once, and nothing is lost or half-written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

from nuvo_jupyter.model.store import VerifyReport
from nuvo_jupyter.model.tasks import Delivery
from tests.contract.disk import FOLDER, Item, Tree, file, found_in, lay_out, link, tree
from tests.engine.campus import Campus
from tests.released import expected, make_older, restored, unpack

from .conftest import Extent
from .processes import KILLED, Ended, Executor, leases_run_out

STUDENTS = [f"s{number}" for number in range(10)]


def notebook(*cells: str) -> Item:
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=text.split()[0]) for text in cells]
    )
    return file(json.dumps(made))


FIRST = tree(
    {
        "n.ipynb": notebook("a = 1", "b = 2", "c = 3"), "lines.txt": "1\n2\n3\n4\n5\n", "dropped/d.txt": "d",
        "run.sh": file("#!", 0o755), "data.bin": "data", "kind": "file", "week1/x.txt": "x",
    }
)  # fmt: skip
SECOND = tree(
    {
        "n.ipynb": notebook("a = 1", "b = 22", "c = 3", "d = 4"), "lines.txt": "1\n2\n3\n4\n5 new\n",
        "run.sh": file("#!!", 0o755), "data.bin": file(bytes(range(256)) * 5_000), "kind/inside": "folder now",
        "week1/x.txt": "x2", "week2/deep/y.txt": "y", "week2/link": link("../run.sh"), "week2/empty": FOLDER,
    }
)  # fmt: skip


def worked_on(number: int) -> Tree:
    """What a student made of it; each did something else."""
    found = dict(FIRST)
    found[b"n.ipynb"] = notebook("a = 1", f"b = 2 # {number}", "c = 3", f"own{number} = 1")
    found[b"lines.txt"] = file(f"{number}\n2\n3\n4\n5\n")
    found[b"own"], found[f"own/{number}.txt".encode()] = FOLDER, file("own")
    if number % 3 == 0:
        found[b"week1/x.txt"] = file("mine")
    if number % 4 == 0:
        del found[b"data.bin"]
    return found


class Facts(NamedTuple):
    """All that has to be the same, however often somebody was killed."""

    folders: dict[str, Tree]
    snapshots: list[tuple[str, int, str, str]]
    outcomes: dict[str, list[tuple[str, str, str]]]
    states: list[tuple[str, str]]


class Scene:
    """A home with a task that waits, which can be had again and again.

    Args:
        folder: empty.
        prepare: makes the home and queues the task, whose id it returns.
        compiled: whether files of new folders are made by what is compiled.
    """

    def __init__(self, folder: Path, prepare: Callable[[Campus], int], *, compiled: bool) -> None:
        self.compiled = compiled
        self.place, self.saved = folder / "place", folder / "saved"
        campus = Campus(self.place)
        self.task = prepare(campus)
        campus.close()
        shutil.copytree(self.place, self.saved, symlinks=True)

    @property
    def home(self) -> Path:
        return self.place / "home"

    def run(self, executor: Executor, die_at: int = 0, disks: Sequence[Path] = ()) -> Ended:
        """Let a process do the task, or be killed over it, and disks lose their power with it."""
        return executor.run(self.home, self.task, die_at=die_at, disks=disks, compiled=self.compiled)

    def again(self) -> None:
        """Everything as it was prepared."""
        shutil.rmtree(self.place)
        shutil.copytree(self.saved, self.place, symlinks=True)

    def facts(self) -> Facts:
        """What there is now; also checks what must hold of any home at rest."""
        campus = Campus(self.place)
        try:
            return self._facts(campus)
        finally:
            campus.close()

    def check_tidy(self) -> None:
        """No file of ours is left in any workspace."""
        left = [path for path in self.place.rglob("*") if ".~nuvo" in path.name]
        assert not left, "temporary files"

    def _facts(self, campus: Campus) -> Facts:
        self.check_tidy()
        with campus.catalog.read() as connection:

            def rows(text: str) -> list[Any]:
                return [tuple(row) for row in connection.exec_driver_sql(text)]

            instances = rows("SELECT name, workspace FROM instance")
            snapshots = rows(
                "SELECT i.name, s.number, s.reason, hex(s.root) FROM snapshot s JOIN instance i ON i.id = s.instance_id "
                "WHERE s.deleted_at IS NULL"
            )
            states = rows("SELECT title, state FROM task WHERE kind != 'verify'")
            deliveries = rows("SELECT id, instance_id FROM task WHERE kind = 'delivery'")
        outcomes: dict[str, list[tuple[str, str, str]]] = {}
        for id_, _ in deliveries:
            shown: Delivery = campus.call("delivery_show", id=id_)
            outcomes[shown.task.title] = [(one.path, one.outcome.value, one.at) for one in shown.outcomes]
        check_store(campus)
        return Facts(
            {name: found_in(Path(folder)) for name, folder in instances if Path(folder).exists()},
            sorted(snapshots),
            outcomes,
            sorted(states),
        )

    def restores(self) -> dict[tuple[str, int], Tree]:
        """Every snapshot, restored into a folder of its own."""
        campus = Campus(self.place)
        found = {}
        try:
            campus.call("instance_create", space="intro", name="scratch", source="")
            for name, number, _, _ in self._facts(campus).snapshots:
                campus.run("restore", source=f"intro/{name}@{number}", instance="intro/scratch")
                found[name, number] = found_in(campus.workspace("intro/scratch"))
        finally:
            campus.close()
        return found


def check_store(campus: Campus) -> None:
    report: VerifyReport = campus.call("verify_show", id=campus.run("verify").id)
    assert report.ok, report


def distribution(campus: Campus) -> int:
    """Ten students who have worked with what was distributed before; Master's next version waits to go to all."""
    campus.space()
    campus.run("roster_add", space="intro", people="\n".join(STUDENTS), source="")
    lay_out(campus.workspace("intro/master"), FIRST)
    campus.run("distribute", source="intro/master", whole=True, to=["all"], strategies={"file": "merge"})
    for number, name in enumerate(STUDENTS):
        lay_out(campus.workspace(f"intro/{name}"), worked_on(number))
    lay_out(campus.workspace("intro/master"), SECOND)
    asked = campus.call(
        "distribute", source="intro/master", whole=True, to=["all"], strategies={"file": "merge"}
    )
    return int(asked.id)


def snapshot(campus: Campus) -> int:
    """A snapshot of something that changed since the last one waits."""
    campus.space()
    lay_out(campus.workspace("intro/master"), FIRST)
    campus.snapshot("intro/master")
    lay_out(campus.workspace("intro/master"), {**SECOND, **tree({f"many/{n}": f"{n}" for n in range(200)})})
    return int(campus.call("snapshot_create", instance="intro/master", name="second").id)


def restore(campus: Campus) -> int:
    """A restore of everything waits."""
    campus.space()
    lay_out(campus.workspace("intro/master"), FIRST)
    campus.snapshot("intro/master")
    lay_out(campus.workspace("intro/master"), {**SECOND, **tree({f"many/{n}": f"{n}" for n in range(50)})})
    return int(campus.call("restore", source="intro/master@1").id)


def unfolding(campus: Campus) -> int:
    """A restore into an empty instance waits, of folders that are written out of sight by what is compiled."""
    campus.space()
    many: dict[str | bytes, Item | str] = {f"many/{n % 7}/{n}": f"{n}" for n in range(300)}
    lay_out(campus.workspace("intro/master"), {**SECOND, **tree(many)})
    campus.snapshot("intro/master")
    campus.call("instance_create", space="intro", name="copy", source="")
    return int(campus.call("restore", source="intro/master@1", instance="intro/copy").id)


def large_files(campus: Campus) -> int:
    """New folders with large files wait to go to five, which are written past the page cache where the disk is known for it."""
    campus.space()
    campus.run("roster_add", space="intro", people="\n".join(STUDENTS[:5]), source="")
    some: dict[str | bytes, Item | str] = {
        f"data/{n % 3}/{n}": file(bytes((n + 1, n + 2, n + 3)) * (n * 50_000 + n)) for n in range(12)
    }
    lay_out(campus.workspace("intro/master"), {**FIRST, **tree(some)})
    return int(campus.call("distribute", source="intro/master", whole=True, to=["all"]).id)


def collecting(campus: Campus) -> int:
    """What a deleted snapshot held waits to be freed; the others share packs and content with it."""
    campus.space()
    lay_out(campus.workspace("intro/master"), FIRST)
    campus.snapshot("intro/master")
    lay_out(
        campus.workspace("intro/master"), {**SECOND, **tree({f"many/{n}": f"{n}" * 500 for n in range(50)})}
    )
    campus.snapshot("intro/master")
    lay_out(campus.workspace("intro/master"), SECOND)
    campus.snapshot("intro/master")
    campus.call("snapshot_delete", state="intro/master@2")
    return int(campus.call("collect", now=True).id)


class Kills(NamedTuple):
    """How often a process is killed over something, in the short and in the long form."""

    prepare: Callable[[Campus], int]
    short: int
    long: int
    compiled: bool = False


PREPARE = {
    "distribution": Kills(distribution, 16, 180),
    "snapshot": Kills(snapshot, 8, 90),
    "restore": Kills(restore, 10, 100),
    "unfolding": Kills(unfolding, 10, 100, compiled=True),
    "large files": Kills(large_files, 8, 80, compiled=True),
    "collecting": Kills(collecting, 8, 80),
}


@pytest.fixture(scope="module", params=PREPARE)
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, extent: Extent
) -> Iterator[tuple[Scene, int]]:
    kills = PREPARE[request.param]
    made = Scene(tmp_path_factory.mktemp(request.param), kills.prepare, compiled=kills.compiled)
    yield made, extent.runs(kills.short, kills.long)
    shutil.rmtree(made.place)
    shutil.rmtree(made.saved)


def backups_of(facts: Facts) -> list[str]:
    return sorted(name for name, _, reason, _ in facts.snapshots if reason.startswith("before"))


def test_killed_anywhere_the_next_process_completes_it_once(
    scene: tuple[Scene, int], executor: Executor, extent: Extent
) -> None:
    made, kills = scene
    whole = made.run(executor)
    assert whole.status == 0, executor.log()
    expected = made.facts()
    assert {state for _, state in expected.states} == {"done"}
    restored = made.restores()
    chance = extent.chance("kill", kills)
    killed = 0
    for number in range(kills):
        # One in each stretch, so that all of the work is covered.
        die_at = int((number + chance.random()) * whole.effects / kills) + 1
        made.again()
        ended = made.run(executor, die_at)
        killed += ended.status == KILLED
        leases_run_out(made.home)
        assert made.run(executor).status == 0, executor.log()
        found = made.facts()
        note = f"killed at effect {die_at} of {whole.effects} (seed {extent.seed})"
        assert found.folders == expected.folders, note
        assert found.outcomes == expected.outcomes, note
        assert found.states == expected.states, note
        assert backups_of(found) == backups_of(expected), note
        assert found.snapshots == expected.snapshots, note
    # With two threads the last ones may come after the end.
    assert killed >= kills * 9 // 10 - 2
    assert made.restores() == restored
    print(f"kill -9: {killed} of {kills}, at effects of {whole.effects}, seed {extent.seed}")


def test_killed_again_and_again(scene: tuple[Scene, int], executor: Executor, extent: Extent) -> None:
    made, _ = scene
    made.again()
    whole = made.run(executor)
    expected = made.facts()
    made.again()
    chance = extent.chance("again and again")
    killed = 0
    # Fewer than the deaths after which a task is given up.
    while killed < 15:
        ended = made.run(executor, chance.randrange(whole.effects // 20, whole.effects // 2))
        leases_run_out(made.home)
        if ended.status == 0:
            break
        assert ended.status == KILLED, executor.log()
        killed += 1
    assert killed > 1
    assert made.run(executor).status == 0, executor.log()
    found = made.facts()
    assert found == expected, f"seed {extent.seed}"


def test_killed_while_a_home_is_made_or_brought_up(
    executor: Executor, extent: Extent, tmp_path: Path
) -> None:
    """The next one makes it, or brings it up; what was in it is still there."""
    place = tmp_path / "place"

    def again(name: str) -> Path:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        if name == "older":
            make_older(unpack("0.1.0", place))
        return place / "home"

    for name in ("fresh", "older"):
        whole = executor.run(again(name), opening=True, states=-1)
        assert whole.status == 0, executor.log()
        runs = extent.runs(6, 50)
        chance = extent.chance("opening", name)
        killed = 0
        for number in range(runs):
            die_at = int((number + chance.random()) * whole.effects / runs) + 1
            ended = executor.run(again(name), opening=True, states=-1, die_at=die_at)
            killed += ended.status == KILLED
            campus = Campus(place)
            check_store(campus)
            if name == "fresh":
                campus.space()
                lay_out(campus.workspace("intro/master"), FIRST)
                campus.snapshot("intro/master")
            else:
                assert restored(campus) == expected("0.1.0")
            campus.close()
        assert killed
        print(
            f"kill -9 while opening ({name}): {killed} of {runs}, at effects of {whole.effects}, seed {extent.seed}"
        )
