"""Database files that a program works with while they are captured: what is restored opens, with all that was committed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys

import duckdb

from nuvo_jupyter.model.tasks import DistributionKind
from tests.delivery.course import Course
from tests.delivery.test_deliver import Make

# Keep a database open, with a transaction that is not committed; tell when it is so.
HOLDERS = {
    "points.sqlite": """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA journal_mode = wal")
con.execute("PRAGMA wal_autocheckpoint = 0")
con.execute("CREATE TABLE t (i INTEGER)")
con.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(500)])
con.execute("BEGIN"); con.execute("DELETE FROM t")
print("held", flush=True)
sys.stdin.read()
""",
    "points.duckdb": """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
con.execute("CREATE TABLE t AS SELECT range::INTEGER AS i FROM range(200)")
con.execute("CHECKPOINT")
con.execute("INSERT INTO t SELECT range + 200 FROM range(300)")
con.execute("BEGIN"); con.execute("DELETE FROM t")
print("held", flush=True)
sys.stdin.read()
""",
}
QUERY = "SELECT count(*), min(i), max(i) FROM t"


def test_databases_in_use_are_restored_as_they_were_committed(make_course: Make) -> None:
    course = make_course("anna")
    folder = course.folder("master")
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", code, folder / name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for name, code in HOLDERS.items()
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
        # The first look at a DuckDB file that is held cannot tell whether it changes; the second can.
        course.snapshot("master")
        taken = course.snapshot("master")
    finally:
        for holder in holders:
            holder.communicate(b"")
    for name in HOLDERS:
        (folder / name).write_bytes(b"spoiled")
        (folder / f"{name}.wal").unlink(missing_ok=True)
    check(course, "anna", taken)
    check(course, "master", taken)


def check(course: Course, instance: str, snapshot: int) -> None:
    row = course.distribute([instance], kind=DistributionKind.RESTORE, snapshot=snapshot)[instance]
    assert row.state == "done", course.problem(row)
    # Opening changes a database's file, so a copy is opened.
    copy = course.tmp / f"{instance} copy"
    shutil.copytree(course.folder(instance), copy)
    with duckdb.connect(str(copy / "points.duckdb")) as one:
        assert one.execute(QUERY).fetchone() == (500, 0, 499)
    other = sqlite3.connect(copy / "points.sqlite")
    assert other.execute(QUERY).fetchone() == (500, 0, 499)
    assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    other.close()
