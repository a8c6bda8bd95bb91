"""How long the command takes where there is next to nothing to do."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench import corpora
from bench.figures import Figures
from bench.measuring import run, settle
from bench.tools.ours import OURS_CLI, environment, program

FILES = 50


def measure_startup(runs: int, folder: Path, figures: Figures) -> None:
    """Measure ``nuvo --help``, and ``nuvo snapshot`` of an unchanged small folder."""
    small = folder / "small"
    corpora.make("course", small, FILES, 500_000)
    env = environment(folder / "home")
    run([program(), "snapshot", "--yes"], cwd=small, env=env)
    settle()
    for _ in range(2 * runs + 1):
        figures.add("start: nuvo --help", OURS_CLI.name, run([program(), "--help"], cwd=small, env=env))
        cost = run([program(), "snapshot"], cwd=small, env=env)
        figures.add(f"start: nuvo snapshot, {FILES} files unchanged", OURS_CLI.name, cost)
    shutil.rmtree(folder)
