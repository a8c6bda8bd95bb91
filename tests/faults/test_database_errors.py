"""A disk that refuses SQLite's own writes: calls of the real process are made to fail by strace, inside the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.disk import found_in, lay_out, tree
from tests.engine.campus import Campus

from .conftest import Extent

STATE = tree({"a.txt": "changed\n", "week1/b.txt": "b\n"})
CALLS = ("pwrite64", "fdatasync", "ftruncate", "fallocate")


def traced(home: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`nuvo snapshot` in a folder, under strace."""
    return subprocess.run(
        [
            *(
                "strace",
                "-f",
                "-qq",
                "-o",
                str(home.parent / "calls"),
                "-e",
                f"trace={','.join(CALLS)}",
                *options,
            ),
            *(sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()", "snapshot"),
        ],
        cwd=folder,
        env=os.environ
        | {
            "NUVO_HOME": str(home),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_catalog_cannot_be_written(tmp_path: Path, extent: Extent) -> None:
    if (
        shutil.which("strace") is None
        or subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode
    ):
        pytest.skip("strace is not installed, or may not trace here")
    place, saved = tmp_path / "place", tmp_path / "saved"
    campus = Campus(place)
    campus.space()
    lay_out(campus.workspace("intro/master"), tree({"a.txt": "first\n"}))
    campus.snapshot("intro/master", None)
    lay_out(campus.workspace("intro/master"), STATE)
    campus.close()
    shutil.copytree(place, saved)
    folder = place / "intro" / "master"
    assert traced(place / "home", folder).returncode == 0
    calls = [
        line.split("(")[0].split()[-1] for line in (place / "calls").read_text().splitlines() if "(" in line
    ]
    assert calls.count("pwrite64") > 10
    chance = extent.chance("database")
    failed = 0
    for number in range(extent.runs(6, 120)):
        shutil.rmtree(place)
        shutil.copytree(saved, place)
        call = chance.choice(calls)
        error = chance.choice(["ENOSPC", "EDQUOT", "EIO"])
        when = f"{chance.randint(1, calls.count(call))}{'+' if number % 2 else ''}"
        note = f"{call} number {when} fails with {error} (seed {extent.seed})"
        done = traced(place / "home", folder, "-e", f"inject={call}:error={error}:when={when}")
        assert "Traceback" not in done.stderr, f"{note}\n{done.stderr}"
        assert done.returncode in (0, 1), f"{note}\n{done.stderr}"
        failed += done.returncode
        campus = Campus(place)
        assert campus.call("verify_show", id=campus.run("verify").id).ok, note
        with campus.catalog.read() as connection:
            kept = connection.exec_driver_sql("SELECT count(*) FROM snapshot").scalar_one()
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok", note
        assert kept == 2 or done.returncode, note
        campus.sql("UPDATE task SET lease_until = 0 WHERE state = 'running'")
        campus.snapshot("intro/master", None)
        lay_out(folder, {})
        campus.run("restore", source="intro/master@2")
        assert found_in(folder) == STATE, note
        campus.close()
    print(f"database: {failed} of {extent.runs(6, 120)} tries failed, seed {extent.seed}")
