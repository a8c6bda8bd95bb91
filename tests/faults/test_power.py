"""Power that fails at any moment: what was reported as done is there, nothing is torn, and the work is completed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.workspace.temporaries import MARK
from tests.contract.disk import Tree, file, found_in, lay_out
from tests.engine.campus import Campus

from .conftest import Extent
from .power import Disks, NoPower
from .processes import KILLED, Executor, leases_run_out
from .test_killed import FIRST, PREPARE, Facts, Scene, check_store

STATES = 5


class Powered(Scene):
    """A scene on disks whose power can be cut."""

    def __init__(self, folder: Path, prepare: Callable[[Campus], int], *, compiled: bool) -> None:
        self.compiled = compiled
        self.disks = Disks(folder)
        self.place = self.disks.place
        campus = Campus(self.place)
        self.task = prepare(campus)
        campus.close()
        self.disks.save()

    def again(self) -> None:
        self.disks.restore()

    def check_tidy(self) -> None:
        """What is left lies where the mark is, by which the next change to that workspace clears it away."""
        left = [path for path in self.place.rglob("*") if ".~nuvo" in path.name]
        assert all(
            (self.place / Path(*path.relative_to(self.place).parts[:2], MARK)).exists() for path in left
        )

    def facts(self) -> Facts:
        found = super().facts()
        return found._replace(folders={name: without_ours(tree) for name, tree in found.folders.items()})

    def folders(self) -> dict[str, Tree]:
        """What instances' folders hold."""
        return {path.name: found_in(path) for path in (self.place / "intro").iterdir() if path.is_dir()}


def waiting(campus: Campus) -> int:
    """A space with a Master, of which snapshots will be taken."""
    campus.space()
    lay_out(campus.workspace("intro/master"), FIRST)
    campus.snapshot("intro/master")
    return 0


def without_ours(tree: Tree) -> Tree:
    """A tree without temporary files."""
    return {path: item for path, item in tree.items() if b".~nuvo" not in path}


def powered(folder: Path, prepare: Callable[[Campus], int], *, compiled: bool = False) -> Iterator[Powered]:
    folder.mkdir(exist_ok=True)
    try:
        made = Powered(folder, prepare, compiled=compiled)
    except NoPower as error:
        pytest.skip(str(error))
    try:
        yield made
    finally:
        made.disks.remove()
        shutil.rmtree(folder)


@pytest.fixture(scope="module", params=PREPARE)
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powered]:
    kills = PREPARE[request.param]
    yield from powered(tmp_path_factory.mktemp(request.param), kills.prepare, compiled=kills.compiled)


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Powered]:
    yield from powered(tmp_path / "keeping", waiting)


def check_untorn(before: Tree, after: Tree, found: Tree, note: str) -> None:
    """Each file is what it was or what it is to be."""
    for path, item in without_ours(found).items():
        if item.kind == "file":
            assert item.data in {tree[path].data for tree in (before, after) if path in tree}, (
                f"{path!r} {note}"
            )
    for path in before.keys() & after.keys():
        if before[path].kind == after[path].kind == "file":
            assert path in found, f"{path!r} {note}"


def test_power_fails_anywhere_and_the_next_process_completes_it(
    scene: Powered, executor: Executor, extent: Extent
) -> None:
    before = scene.folders()
    whole = scene.run(executor)
    assert whole.status == 0, executor.log()
    expected = scene.facts()
    after = scene.folders()
    restored = scene.restores()
    runs = extent.runs(4, 100)
    chance = extent.chance("power", len(before))
    for number in range(runs):
        die_at = int((number + chance.random()) * whole.effects / runs) + 1
        note = f"power cut at effect {die_at} of {whole.effects} (seed {extent.seed})"
        scene.again()
        scene.run(executor, die_at, scene.disks.mounts)
        scene.disks.again()
        campus = Campus(scene.place)
        check_store(campus)
        campus.close()
        for name, folder in scene.folders().items():
            check_untorn(before.get(name, {}), after.get(name, {}), folder, note)
        leases_run_out(scene.home)
        assert scene.run(executor).status == 0, executor.log()
        found = scene.facts()
        assert found.folders == expected.folders, note
        assert found.outcomes == expected.outcomes, note
        assert found.states == expected.states, note
        assert found.snapshots == expected.snapshots, note
    assert scene.restores() == restored
    print(f"power: {runs} cuts in {whole.effects} effects, seed {extent.seed}")


def test_no_snapshot_that_was_reported_is_lost(keeping: Powered, executor: Executor, extent: Extent) -> None:
    whole = executor.run(keeping.home, states=STATES)
    assert whole.status == 0, executor.log()
    runs = extent.runs(5, 150)
    chance = extent.chance("reported")
    reported = 0
    for number in range(runs):
        die_at = int((number + chance.random()) * whole.effects / runs) + 1
        note = f"power cut at effect {die_at} of {whole.effects} (seed {extent.seed})"
        keeping.again()
        ended = executor.run(keeping.home, states=STATES, die_at=die_at, disks=keeping.disks.mounts)
        # How many effects there are varies by a few; those after the end are none.
        said = ended.said if ended.status == KILLED else ended.said[:-1]
        keeping.disks.again()
        campus = Campus(keeping.place)
        check_store(campus)
        folder = campus.workspace("intro/master")
        for state in range(len(said)):
            reported += 1
            campus.run("restore", source=f"intro/master@{state + 2}")
            wanted = {**FIRST, b"changes.txt": file(f"{state}\n" * 100)}
            wanted |= {f"new{n}.txt".encode(): file(f"{n}") for n in range(state + 1)}
            assert without_ours(found_in(folder)) == wanted, note
        campus.close()
    assert reported > runs
    print(f"power: {runs} cuts, {reported} reported snapshots are there, seed {extent.seed}")
