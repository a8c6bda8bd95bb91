"""A table of millions of rows: kept, changed, and given to a class."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figures
from bench.measuring import CommandFailed, make_room, settle
from bench.scales import Scale
from bench.states import Say
from bench.tools.base import Tool
from bench.tools.databases import COLUMNS, DUCKDB_FILE, PG_DUMP, copied_files, dumped_and_restored, rows_of
from bench.tools.ours import MASTER, OURS, SPACE, Product
from bench.trees import differences, size_of

CORPUS = "T"
_BYTES_PER_ROW = 16


def measure_tables(
    scale: Scale, tools: Sequence[Tool], runs: int, slow_runs: int, folder: Path, figures: Figures, say: Say
) -> None:
    """Measure ours and, for the hand-out, a DuckDB file for each target, and a PostgreSQL database for each.

    Args:
        folder: emptied again after each tool.
    """
    present = [tool for tool in (OURS, DUCKDB_FILE, PG_DUMP) if tool in tools]
    for number in range(runs):
        turn = number % max(1, len(present))
        for tool in [*present[turn:], *present[:turn]]:
            if tool.slow and number >= slow_runs:
                continue
            say(f"{CORPUS}: run {number + 1} of {runs}, {tool.name}")
            # Where it is another user's program that works there, it has to get in.
            folder.mkdir(mode=0o755)
            try:
                _one(tool, scale, folder, figures)
            except CommandFailed as error:
                figures.failures[tool.name] = f"{CORPUS}: {error}"
            shutil.rmtree(folder)


def _one(tool: Tool, scale: Scale, folder: Path, figures: Figures) -> None:
    settle()
    if tool is OURS:
        _ours(scale, folder, figures)
        return
    make_room(scale.rows * _BYTES_PER_ROW * scale.targets)
    if tool is DUCKDB_FILE:
        cost, size = copied_files(scale.rows, scale.targets, folder)
    else:
        cost, size = dumped_and_restored(scale.rows, scale.targets, scale.sample, folder)
    figures.add(f"{CORPUS} hand-out", tool.name, cost)
    figures.sizes[f"{CORPUS} one target", tool.name] = size


def _ours(scale: Scale, folder: Path, figures: Figures) -> None:
    course = folder / "course"
    course.mkdir()
    _sql(course, COLUMNS, f"INSERT INTO readings {rows_of(scale.rows)}")
    product = Product(folder / "nuvo" / "home")
    figures.idle[OURS.name] = product.idle

    def measured(work: str, operation: str, **request: object) -> None:
        settle()
        figures.add(f"{CORPUS} {work}", OURS.name, product.call(operation, **request)[1])

    try:
        product.call("space_create", name=SPACE, kind="course", workspace=str(course))
        targets = [folder / "home" / f"student-{number:03d}" for number in range(scale.targets)]
        for target in targets:
            target.mkdir(parents=True)
            product.call("instance_create", space=SPACE, name=target.name, workspace=str(target), source="")
        request = {"source": MASTER, "whole": True, "to": [target.name for target in targets]}
        measured("first snapshot", "snapshot_create", instance=MASTER)
        measured("no change", "snapshot_create", instance=MASTER)
        make_room(scale.rows * _BYTES_PER_ROW * scale.targets)
        measured("hand-out", "distribute", **request)
        figures.sizes[f"{CORPUS} one target", OURS.name] = size_of(targets[0])
        figures.sizes[f"{CORPUS} store", OURS.name] = product.size()
        _sql(course, "INSERT INTO readings VALUES (-1, 0, 0.5)")
        measured("one row added", "snapshot_create", instance=MASTER)
        measured("one row added, handed out", "distribute", **request)
        for target in {targets[0], targets[-1]}:
            figures.check(f"{CORPUS} hand-out", OURS.name, differences(course, target, more=True))
    finally:
        product.close()


def _sql(folder: Path, *statements: str) -> None:
    """Change the tables of a folder, in a process of its own: what this one takes would count as everybody's memory."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom nuvo_jupyter.workspace.tables.connection import Connection\n"
        "with Connection(Path(sys.argv[1])) as con:\n    for text in sys.argv[2:]: con.execute(text)\n"
    )
    subprocess.run([sys.executable, "-c", code, folder / "tables", *statements], check=True)
