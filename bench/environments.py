"""An environment of some dozen packages, re-created for a class on one machine."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, run, settle
from bench.scales import Scale
from bench.states import Say
from bench.tools.base import Tool
from bench.tools.environments import PIP, installed_by_pip, make_wheels
from bench.tools.ours import MASTER, OURS, SPACE, Product
from bench.trees import size_of

CORPUS = "E"
_LOOK_SECONDS = 0.02


def measure_environments(
    scale: Scale, tools: Sequence[Tool], runs: int, slow_runs: int, folder: Path, figures: Figures, say: Say
) -> None:
    """Measure ours, and an environment of its own for each student by pip.

    Args:
        folder: emptied again after each tool.
    """
    present = [tool for tool in (OURS, PIP) if tool in tools]
    for number in range(runs):
        turn = number % max(1, len(present))
        for tool in [*present[turn:], *present[:turn]]:
            if tool.slow and number >= slow_runs:
                continue
            say(f"{CORPUS}: run {number + 1} of {runs}, {tool.name}")
            folder.mkdir()
            try:
                _one(tool, scale, folder, figures)
            except CommandFailed as error:
                figures.failures[tool.name] = f"{CORPUS}: {error}"
            shutil.rmtree(folder)


def _one(tool: Tool, scale: Scale, folder: Path, figures: Figures) -> None:
    wheels = make_wheels(folder / "wheels", scale.packages)
    settle()
    if tool is OURS:
        _ours(scale, wheels, folder, figures)
        return
    cost, size = installed_by_pip(wheels, scale.students, scale.sample, folder)
    figures.add(f"{CORPUS} re-created for all", tool.name, cost)
    figures.sizes[f"{CORPUS} environments of all", tool.name] = size * scale.students


def _ours(scale: Scale, wheels: list[Path], folder: Path, figures: Figures) -> None:
    import uv

    program, environment, course = uv.find_uv_bin(), folder / "environment", folder / "course"
    # A cache of its own: nothing is known of these packages before, and nothing of them stays.
    cache = {
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_OFFLINE": "1",
        "JUPYTER_DATA_DIR": str(folder / "data"),
    }
    run([program, "venv", "-q", environment], env=cache)
    run([program, "pip", "install", "-q", "--no-deps", "--python", environment, *wheels], env=cache)
    course.mkdir()
    before = {name: os.environ.get(name) for name in cache}
    os.environ.update(cache)
    try:
        product = Product(folder / "nuvo" / "home")
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    figures.idle[OURS.name] = product.idle

    def measured(work: str, operation: str, **request: Any) -> None:
        settle()
        figures.add(f"{CORPUS} {work}", OURS.name, product.call(operation, **request)[1])

    try:
        product.call("space_create", name=SPACE, kind="course", workspace=str(course))
        students = [folder / "home" / f"student-{number:03d}" for number in range(scale.students)]
        for student in students:
            student.mkdir(parents=True)
            product.call("instance_create", space=SPACE, name=student.name, workspace=str(student), source="")
        asked = {
            "instance": MASTER,
            "name": "science",
            "prefix": str(environment),
            "seal": True,
            "offline": True,
        }
        measured("captured", "application_add", **asked)
        product.call("snapshot_create", instance=MASTER)
        measured("no change", "snapshot_create", instance=MASTER)
        settle()
        started = time.perf_counter()
        cost = product.call(
            "distribute", source=MASTER, whole=True, to=[student.name for student in students]
        )[1]
        while product.call("task_list", active=True, limit=1)[0]:
            # The engine builds them by itself; nothing tells this process when it is done.
            time.sleep(_LOOK_SECONDS)
        figures.add(f"{CORPUS} re-created for all", OURS.name, Cost(time.perf_counter() - started, cost.peak))
        figures.sizes[f"{CORPUS} environments of all", OURS.name] = size_of(
            folder / "nuvo" / "home" / "environments"
        )
        figures.check(f"{CORPUS} re-created for all", OURS.name, _not_built(product, students, scale))
    finally:
        product.close()


def _not_built(product: Product, students: list[Path], scale: Scale) -> list[str]:
    wrong = []
    for student in (students[0], students[-1]):
        shown = product.call("application_show", instance=f"{SPACE}/{student.name}", name="science")[0]
        there = list(
            Path(shown["prefix"] or student / "missing").glob("lib/python*/site-packages/*.dist-info")
        )
        if shown["pending"] or len(there) != scale.packages:
            wrong.append(student.name)
    return wrong
