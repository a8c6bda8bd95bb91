"""How ours grows with files, targets and snapshots."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import corpora
from bench.curves import Curve
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, make_room, settle
from bench.scales import Scale
from bench.tools.ours import MASTER, SPACE, Product

Say = Callable[[str], None]
FILE_BYTES = 3_000
_COURSE_FILES = 10
_COURSE_BYTES = 50_000
_HELD = 3
_COPIES = 100
_PAGE = 50
_REPEAT = 3


def measure_growth(scale: Scale, folder: Path, figures: Figures, say: Say) -> None:
    """Measure time and memory against 1,000 to 100,000 files, 10 to 10,000 targets and 10 to 10,000 snapshots.

    Args:
        folder: emptied again.
    """
    noted = _Noted(figures)
    for count in scale.growth_files:
        say(f"growth: {count:,} files")
        _files(count, folder, noted)
        shutil.rmtree(folder)
    for count in scale.growth_targets:
        say(f"growth: {count:,} targets")
        _targets(count, folder, noted)
        shutil.rmtree(folder)
    say(f"growth: {', '.join(f'{count:,}' for count in scale.growth_snapshots)} snapshots")
    _snapshots(scale.growth_snapshots, folder, noted)
    shutil.rmtree(folder)


class _Noted:
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def __call__(self, of: str, work: str, size: int, cost: Cost, idle: int, *, flat: bool = False) -> None:
        curve = self._figures.curves.setdefault((of, work), Curve(work, of, flat))
        curve.points.append((size, cost.seconds, max(0, cost.peak - idle)))


def _files(count: int, folder: Path, noted: _Noted) -> None:
    live, target = folder / "live", folder / "restored"
    corpora.make("tiny", live, count, count * FILE_BYTES)
    target.mkdir()
    product = Product(folder / "nuvo" / "home")
    try:
        product.call("space_create", name=SPACE, kind="research", workspace=str(live))
        product.call("instance_create", space=SPACE, name="restored", workspace=str(target), source="")

        def measured(work: str, operation: str, **request: Any) -> None:
            settle()
            make_room(count * FILE_BYTES)
            noted("files", work, count, product.call(operation, **request)[1], product.idle)

        measured("first snapshot", "snapshot_create", instance=MASTER)
        measured("no change", "snapshot_create", instance=MASTER)
        path = min(live.rglob("module_*.py"))
        path.write_bytes(b"spoiled by mistake\n")
        one = str(path.relative_to(live))
        measured("one file restored", "restore", source=f"{MASTER}@1", paths=[one])
        measured("full restore", "restore", source=f"{MASTER}@latest", instance=f"{SPACE}/restored")
    finally:
        product.close()


def _targets(count: int, folder: Path, noted: _Noted) -> None:
    course = folder / "course"
    corpora.make("course", course, _COURSE_FILES, _COURSE_BYTES)
    names = [f"student-{number:05d}" for number in range(count)]
    product = Product(folder / "nuvo" / "home")
    try:
        product.call("space_create", name=SPACE, kind="course", workspace=str(course))
        for number, name in enumerate(names):
            workspace = folder / "home" / name
            corpora.held(workspace, _HELD, number)
            product.call("instance_create", space=SPACE, name=name, workspace=str(workspace), source="")
        request = {"source": MASTER, "whole": True, "to": names}
        for work, operation in (
            ("preview", "distribute_preview"),
            ("first hand-out", "distribute"),
            ("nothing new", "distribute"),
        ):
            settle()
            answer, cost = product.call(operation, **request)
            if operation == "distribute" and answer["counts"] != {"done": count}:
                raise CommandFailed(f"Not every delivery succeeded: {answer['counts']}")
            noted("targets", work, count, cost, product.idle)
    finally:
        product.close()


def _snapshots(counts: tuple[int, ...], folder: Path, noted: _Noted) -> None:
    live = folder / "live"
    corpora.make("held", live, 200, 0)
    path = min(live.rglob("*.txt"))
    product = Product(folder / "nuvo" / "home")
    try:
        product.call("space_create", name=SPACE, kind="research", workspace=str(live))
        taken = 0

        def take() -> Cost:
            nonlocal taken
            taken += 1
            path.write_bytes(b"version %d\n" % taken * 20)
            return product.call("snapshot_create", instance=MASTER)[1]

        for count in counts:
            while taken < count:
                take()
            settle()
            _against(count, live, path, product, take, noted)
    finally:
        product.close()


def _against(
    count: int, live: Path, path: Path, product: Product, take: Callable[[], Cost], noted: _Noted
) -> None:
    def measured(work: str, do: Callable[[], Cost]) -> None:
        best = min((do() for _ in range(_REPEAT)), key=lambda cost: cost.seconds)
        noted("snapshots", work, count, best, product.idle, flat=True)

    def listed() -> Cost:
        return product.call("snapshot_list", instance=MASTER, limit=_PAGE)[1]

    def one_file() -> Cost:
        path.write_bytes(b"spoiled by mistake\n")
        return product.call("restore", source=f"{MASTER}@5", paths=[str(path.relative_to(live))])[1]

    def known() -> Cost:
        # Every one of the copies' contents is looked up in the store and found.
        copies = live / "copies"
        shutil.copytree(live / "own-01", copies)
        for number, copy in enumerate(sorted(copies.iterdir())[:_COPIES]):
            copy.rename(copies / f"copy-{count}-{number}")
        cost = product.call("snapshot_create", instance=MASTER)[1]
        shutil.rmtree(copies)
        product.call("snapshot_create", instance=MASTER)
        return cost

    measured(f"listing {_PAGE}", listed)
    measured("one snapshot", take)
    measured("copies of what is kept", known)
    measured("one file restored", one_file)
    requests: dict[str, dict[str, Any]] = {"usage": {"instance": MASTER}, "collect": {}}
    for operation, request in requests.items():
        noted("snapshots", operation, count, product.call(operation, **request)[1], product.idle)
