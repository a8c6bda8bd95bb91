"""Databases and what lies beside them, restored and handed out together."""

from __future__ import annotations

import subprocess
import sys

import duckdb

from .campus import PROFESSOR, Campus

_KILLED = "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); con.execute(sys.argv[2]); os._exit(1)"


def test_a_log_that_a_killed_kernel_left_goes_where_its_duckdb_database_goes(course: Campus) -> None:
    file = course.workspace("intro/master") / "x.duckdb"
    with duckdb.connect(file) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS a")
    closed = course.snapshot("intro/master")
    with duckdb.connect(file) as con:
        con.execute("INSERT INTO t VALUES (2)")
    subprocess.run([sys.executable, "-c", _KILLED, file, "INSERT INTO t VALUES (3)"])
    assert file.with_name("x.duckdb.wal").exists()
    left = course.snapshot("intro/master")
    task = course.run("restore", PROFESSOR, source=closed, paths=("x.duckdb",))
    assert course.outcomes(task, "intro/master") == {"x.duckdb": "replaced", "x.duckdb.wal": "deleted"}
    with duckdb.connect(file) as con:
        assert con.execute("FROM t").fetchall() == [(1,)]
    task = course.run("restore", PROFESSOR, source=left, paths=("x.duckdb",))
    assert course.outcomes(task, "intro/master") == {"x.duckdb": "replaced", "x.duckdb.wal": "created"}
    # Anna has another database of that name, and keeps it.
    hers = course.workspace("intro/anna") / "x.duckdb"
    with duckdb.connect(hers) as con:
        con.execute("CREATE TABLE own AS SELECT 7 AS a")
    task = course.run(
        "distribute", PROFESSOR, source=left, whole=True, to=("anna",), strategies={"file": "rename"}
    )
    with duckdb.connect(file) as con:
        assert con.execute("FROM t").fetchall() == [(1,), (2,), (3,)]
    with duckdb.connect(hers) as con:
        assert con.execute("FROM own").fetchall() == [(7,)]
    (beside,) = hers.parent.glob("x (from *).duckdb")
    with duckdb.connect(beside) as con:
        assert con.execute("FROM t").fetchall() == [(1,), (2,), (3,)]
