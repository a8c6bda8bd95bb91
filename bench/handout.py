"""Handing a course out to a class, by each tool in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import corpora
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, settle
from bench.scales import Scale
from bench.tools.base import Courier, Tool
from bench.trees import differences

Say = Callable[[str], None]
CORPUS = "D"


def measure_handout(
    scale: Scale, tools: Sequence[Tool], runs: int, folder: Path, figures: Figures, say: Say
) -> None:
    """Measure the first hand-out, that of an update of four files, and one with nothing new.

    Args:
        folder: for the course, targets and stores; emptied again after each tool, for a class takes much room.
    """
    course = folder / "course"
    corpora.make("course", course, *scale.course)
    version = 0
    couriers = [tool for tool in tools if tool.courier is not None]
    for number in range(runs):
        turn = number % max(1, len(couriers))
        for tool in [*couriers[turn:], *couriers[:turn]]:
            say(f"{CORPUS}: run {number + 1} of {runs}, {tool.name}")
            version += 1
            try:
                _one(scale, tool, course, version, folder / "class", figures)
            except CommandFailed as error:
                figures.failures[tool.name] = f"{CORPUS}: {error}"
            shutil.rmtree(folder / "class", ignore_errors=True)


def _one(scale: Scale, tool: Tool, course: Path, version: int, folder: Path, figures: Figures) -> None:
    targets = [folder / "home" / f"student-{number:03d}" for number in range(scale.targets)]
    store = folder / "store"
    for made in (store, folder / "home"):
        made.mkdir(parents=True)
    assert tool.courier is not None
    if tool.courier.holds:
        for number, target in enumerate(targets):
            target.mkdir()
            corpora.held(target, scale.held, number)
    courier = tool.courier(course, targets, store, scale.sample)
    if courier.idle:
        figures.idle[tool.name] = courier.idle
    try:
        _measure("preview for all", tool, courier.preview, figures)
        _measure("first hand-out", tool, courier.deliver, figures)
        _check("first hand-out", tool, courier, figures)
        corpora.make("update", course, scale.course[0], version)
        _measure("4 files updated", tool, courier.deliver, figures)
        _check("4 files updated", tool, courier, figures)
        _measure("nothing new", tool, courier.deliver, figures)
        if (size := courier.size()) is not None:
            figures.sizes[f"{CORPUS} store", tool.name] = size
    finally:
        courier.close()


def _measure(work: str, tool: Tool, do: Callable[[], Cost | None], figures: Figures) -> None:
    settle()
    figures.add(f"{CORPUS} {work}", tool.name, do())


def _check(work: str, tool: Tool, courier: Courier, figures: Figures) -> None:
    reached = courier.reached
    # Each alike: the first, the last and one between.
    for target in {reached[0], reached[len(reached) // 2], reached[-1]}:
        wrong = differences(courier.course, target, more=courier.holds, ignore=(".git",))
        figures.check(f"{CORPUS} {work}", tool.name, wrong)
