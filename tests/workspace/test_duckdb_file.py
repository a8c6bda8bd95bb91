"""DuckDB databases: captured whole when free, with their log and marked while in use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from nuvo_jupyter.workspace.capture import capture
from nuvo_jupyter.workspace.safe import Root

HOLDER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("INSERT INTO t VALUES (2)")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_in_use_is_marked_and_its_log_is_captured_with_it(tmp_path: Path) -> None:
    file = tmp_path / "points.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS i")
    with Root(tmp_path) as root:
        free = capture(root)
    assert (set(free.nodes), free.manifest.inconsistent) == ({"points.duckdb"}, ())
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    copy = tmp_path.parent / "copy"
    try:
        with Root(tmp_path) as root:
            used = capture(root, memory=free.remembered)
        assert set(used.nodes) == {"points.duckdb", "points.duckdb.wal"}
        copy.mkdir()
        for name in used.nodes:
            (copy / name).write_bytes((tmp_path / name).read_bytes())
    finally:
        holder.communicate(b"")
    # As it was captured, file and log together hold what was committed.
    with duckdb.connect(str(copy / "points.duckdb")) as con:
        assert con.execute("FROM t").fetchall() == [(1,), (2,)]
    with Root(tmp_path) as root:
        closed = capture(root, memory=used.remembered)
    assert closed.manifest.inconsistent == ()


def test_a_database_that_changes_while_held_is_said_to_be_inconsistent(tmp_path: Path) -> None:
    file = tmp_path / "points.duckdb"
    code = (
        "import sys, duckdb\ncon = duckdb.connect(sys.argv[1])\ncon.execute('CREATE TABLE t (i INTEGER)')\n"
        "con.execute('CHECKPOINT')\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    try:
        with Root(tmp_path) as root:
            assert "points.duckdb" in capture(root).manifest.inconsistent
    finally:
        holder.communicate(b"")
