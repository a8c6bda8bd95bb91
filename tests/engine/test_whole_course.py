"""Files, tables and an environment go from Master to a class of thirty, and one student gets back what she broke."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from nuvo_jupyter.workspace.tables.connection import Connection
from tests.workspace.applications.made import make_environment, make_wheel, site_of
from tests.workspace.applications.test_kernel_runs import kernel_wheels

from .campus import PROFESSOR, Campus

MASTER = "intro/master"
STUDENTS = [f"student{number:02}" for number in range(1, 31)]
ANNA = "intro/student07"
PACKAGES = 60
ROWS = 5_000_000
DEFINITION = ".nuvo/applications/science"
QUERY = """
import nuvo_jupyter as nuvo
con = nuvo.connect()
(rows, points), = con.sql("SELECT count(*), sum(points) FROM readings JOIN sensors USING (sensor)").fetchall()
names = [row[0] for row in con.sql("SELECT table_name FROM information_schema.tables ORDER BY ALL").fetchall()]
print(rows, points, *names)
"""
CELL = """
import importlib.metadata, sys
import tiny00, tiny01
print(sys.prefix, len(list(importlib.metadata.distributions())), tiny00.version, open("notes/week1.txt").read())
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables that keep this machine's settings, caches and network out."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("UV_", "PIP_", "JUPYTER", "NUVO_")):
                patch.delenv(name)
        variables = {
            "UV_CACHE_DIR": str(folder / "cache"),
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "1",
            "XDG_CACHE_HOME": str(folder / "xdg"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, elsewhere: dict[str, str]) -> Iterator[Campus]:
    """Thirty students, and a Master with five tables, an environment of sixty packages and some notes."""
    folder = tmp_path_factory.mktemp("course")
    campus = Campus(folder)
    campus.space()
    campus.run("roster_add", PROFESSOR, space="intro", people="\n".join(STUDENTS), source="")
    campus.write(MASTER, {f"notes/week{week}.txt": f"week {week}\n" for week in range(1, 13)})
    with Connection(campus.workspace(MASTER) / "tables") as con, con.transaction():
        con.execute(
            "CREATE TABLE readings AS SELECT range::INTEGER AS id, (range % 40)::UTINYINT AS sensor, "
            f"(range * 7919 % 101)::UTINYINT AS points FROM range({ROWS})"
        )
        con.execute(
            "CREATE TABLE sensors AS SELECT range::UTINYINT AS sensor, 'room ' || range AS room FROM range(40)"
        )
        con.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR)")
        con.execute("INSERT INTO people SELECT range, 'person ' || range FROM range(1000)")
        con.execute("CREATE TABLE marks AS SELECT range AS id, 4.5 AS mark FROM range(1000)")
        con.execute(
            "CREATE TABLE weeks AS SELECT range AS week, DATE '2026-09-14' + 7 * range::INTEGER AS day FROM range(12)"
        )
    kernel = kernel_wheels(folder / "wheels")
    tiny = [
        make_wheel(folder / "tiny", f"tiny{number:02}", "1.0", program=False)
        for number in range(PACKAGES - len(kernel))
    ]
    environment = make_environment(folder / "env", *kernel, *tiny)
    campus.run(
        "application_add",
        PROFESSOR,
        instance=MASTER,
        name="science",
        prefix=str(environment),
        seal=True,
        offline=True,
    )
    # What it came from is gone: the snapshot has to be enough.
    for gone in (folder / "wheels", folder / "tiny", Path(elsewhere["UV_CACHE_DIR"])):
        shutil.rmtree(gone)
    yield campus
    campus.close()


def stored(campus: Campus) -> int:
    """Bytes of the store."""
    return sum(path.stat().st_size for path in (campus.home / "store").rglob("*") if path.is_file())


def disk(folder: Path) -> int:
    """Bytes a folder takes, hard links counted once."""
    seen = {
        (status.st_dev, status.st_ino): status.st_blocks * 512 for status in map(os.lstat, folder.rglob("*"))
    }
    return sum(seen.values())


def application(campus: Campus, instance: str) -> Any:
    return campus.call("application_show", PROFESSOR, instance=instance, name="science")


def build_all(campus: Campus) -> dict[str, str]:
    """Build what deliveries queued; where each instance's environment is then."""
    built = {}
    for task in campus.call("task_list", limit=1000):
        if task.kind == "application_build" and task.state == "queued":
            assert campus.finish(task).state == "done"
            built[task.instance] = application(campus, task.instance).prefix
    return built


def everything(campus: Campus, instance: str) -> dict[str, tuple[int, int, int]]:
    """How every file of an instance looks: none of these stay if it is written again."""
    folder = campus.workspace(instance)
    found = {path: path.lstat() for path in folder.rglob("*") if path.is_file()}
    return {
        str(path.relative_to(folder)): (status.st_ino, status.st_size, status.st_mtime_ns)
        for path, status in found.items()
    }


def run_notebook(campus: Campus, instance: str, kernel: str) -> list[str]:
    """What the cell says when nbclient runs it in an instance."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    folder = campus.workspace(instance)
    NotebookClient(notebook, kernel_name=kernel, timeout=120).execute(cwd=str(folder))
    (output,) = notebook.cells[0].outputs
    return str(output.text).split()


def query(campus: Campus, instance: str) -> list[str]:
    """What `nuvo.connect()` finds in a program that a student starts in her folder."""
    said = subprocess.run(
        [sys.executable, "-c", QUERY],
        cwd=campus.workspace(instance),
        env=os.environ | {"NUVO_HOME": str(campus.home), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return said.stdout.split()


TABLES = ["marks", "people", "readings", "sensors", "weeks"]
EXPECTED = [str(ROWS), str(sum(number * 7919 % 101 for number in range(ROWS))), *TABLES]


def test_all_of_it_goes_to_thirty_students_and_what_one_breaks_is_restored(course: Campus) -> None:
    begun = time.perf_counter()
    course.snapshot(MASTER)
    one_copy = stored(course)
    task = course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    delivered = time.perf_counter()
    more = stored(course) - one_copy
    assert more < one_copy / 100, "one copy of the data"
    prefixes = build_all(course)
    built = time.perf_counter()
    assert sorted(prefixes) == [f"intro/{name}" for name in STUDENTS]
    for name in STUDENTS:
        assert set(course.outcomes(task, f"intro/{name}").values()) == {"created"}
    assert len(set(prefixes.values())) == 1, "thirty times the same is there once"
    print(
        f"\n{one_copy / 1e6:.1f} MB stored, {more / 1e6:.2f} MB more for {len(STUDENTS)}; snapshot and delivery "
        f"{delivered - begun:.1f} s, environments {built - delivered:.1f} s, "
        f"{disk(course.home / 'environments') / 1e6:.0f} MB"
    )
    kernel = application(course, ANNA).kernel
    assert query(course, ANNA) == EXPECTED
    assert run_notebook(course, ANNA, kernel)[:3] == [prefixes[ANNA], str(PACKAGES), "1.0"]

    state = course.snapshot(ANNA)
    others = {name: everything(course, name) for name in (MASTER, "intro/distributed", "intro/student08")}
    course.write(ANNA, {"notes/week1.txt": "mine\n", "own.txt": "mine too\n"})
    with Connection(course.workspace(ANNA) / "tables") as con:
        con.execute("DROP TABLE readings")
        con.execute("INSERT INTO people VALUES (5000, 'me')")
    shutil.rmtree(site_of(Path(prefixes[ANNA])) / "ipykernel")
    before = everything(course, ANNA)
    restored = course.run("restore", PROFESSOR, source=state, paths=["tables/readings.parquet", DEFINITION])
    outcomes = course.outcomes(restored, ANNA)
    assert outcomes["tables/readings.parquet"] == "created"
    assert all(path == "tables/readings.parquet" or path.startswith(DEFINITION) for path in outcomes)
    (again,) = build_all(course).values()
    after = everything(course, ANNA)
    assert {path for path in before | after if before.get(path) != after.get(path)} <= outcomes.keys()
    assert query(course, ANNA) == EXPECTED
    assert run_notebook(course, ANNA, application(course, ANNA).kernel) == [
        again,
        str(PACKAGES),
        "1.0",
        "mine",
    ]
    assert {name: everything(course, name) for name in others} == others
