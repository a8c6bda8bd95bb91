"""Handing a course out to a class, by each tool in turn."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import corpora
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, make_room, settle
from bench.scales import Scale
from bench.targets import MANY
from bench.tools.base import Courier, Tool
from bench.tools.ours import OURS
from bench.trees import differences

Say = Callable[[str], None]
CORPUS = "D"


def measure_handout(
    scale: Scale, tools: Sequence[Tool], runs: int, slow_runs: int, folder: Path, figures: Figures, say: Say
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
            if tool.slow and number >= slow_runs:
                continue
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
        make_room(scale.course[1] * len(courier.reached))
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


def measure_preview(scale: Scale, folder: Path, figures: Figures, say: Say) -> None:
    """Measure ours alone: the preview for many targets, whose own files were never looked at before."""
    say(f"{CORPUS}: preview for {scale.watched:,} targets")
    course = folder / "course"
    corpora.make("course", course, *scale.course)
    targets = [folder / "home" / f"student-{number:05d}" for number in range(scale.watched)]
    for number, target in enumerate(targets):
        corpora.held(target, scale.held, number)
    (folder / "store").mkdir()
    assert OURS.courier is not None
    courier = OURS.courier(course, targets, folder / "store", scale.sample)
    try:
        settle()
        figures.add(MANY, OURS.name, courier.preview())
    finally:
        courier.close()
        shutil.rmtree(folder)


def _measure(work: str, tool: Tool, do: Callable[[], Cost | None], figures: Figures) -> None:
    settle()
    figures.add(f"{CORPUS} {work}", tool.name, do())


def _check(work: str, tool: Tool, courier: Courier, figures: Figures) -> None:
    reached = courier.reached
    # Each alike: the first, the last and one between.
    for target in {reached[0], reached[len(reached) // 2], reached[-1]}:
        wrong = differences(courier.course, target, more=courier.holds, ignore=(".git",))
        figures.check(f"{CORPUS} {work}", tool.name, wrong)
