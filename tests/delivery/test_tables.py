"""Tables while others work on them: captured at one point, delivered all or nothing, never waited for in vain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.model.tasks import DistributionKind
from nuvo_jupyter.store.tree import flatten
from nuvo_jupyter.workspace.tables import lock
from nuvo_jupyter.workspace.tables.connection import Connection
from tests.delivery.course import Course, write
from tests.delivery.test_deliver import Make

# Moves points between three tables and notes it in a file, one transaction each time.
WRITER = """
import sys
from pathlib import Path
from nuvo_jupyter.workspace.tables.connection import Connection

with Connection(Path(sys.argv[1])) as con:
    for _ in range(int(sys.argv[2])):
        with con.transaction():
            con.execute("UPDATE a SET n = n - 1")
            con.execute("UPDATE b SET n = n + 1")
            con.execute("INSERT INTO moves SELECT n FROM b")
"""


@pytest.fixture
def course(make_course: Make) -> Course:
    return make_course("anna")


@pytest.fixture
def tables(course: Course) -> Iterator[Connection]:
    with Connection(course.folder("master") / "tables") as con:
        con.execute("CREATE TABLE a AS SELECT 1000 AS n; CREATE TABLE b AS SELECT 0 AS n")
        con.execute("CREATE TABLE moves (n INTEGER)")
        yield con


def lay_out(course: Course, root: bytes, folder: Path) -> Path:
    """Write the tables of a snapshot out; their folder."""
    (folder / "tables").mkdir(parents=True)
    for path, node in flatten(course.context.store, root).items():
        if path.startswith("tables/"):
            (folder / path).write_bytes(b"".join(course.context.store.stream_file(node)))
    return folder / "tables"


def state(course: Course, root: bytes, folder: Path) -> tuple[int, int, int]:
    """What the tables of a snapshot say."""
    with Connection(lay_out(course, root, folder)) as con:
        query = "SELECT (SELECT n FROM a), (SELECT n FROM b), (SELECT count(*) FROM moves)"
        row = con.execute(query).fetchone()
    return (int(row[0]), int(row[1]), int(row[2]))


def test_no_snapshot_is_torn_while_others_write(course: Course, tables: Connection, tmp_path: Path) -> None:
    folder = course.folder("master") / "tables"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, folder, "12"], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    taken = [course.snapshot("master")]
    while any(writer.poll() is None for writer in writers):
        taken.append(course.snapshot("master"))
    taken.append(course.snapshot("master"))
    assert [(writer.wait(), writer.communicate()[1]) for writer in writers] == [(0, b""), (0, b"")]
    roots = {row.id: row.root for row in course.rows(t.snapshot)}
    seen = [state(course, roots[id_], tmp_path / str(id_)) for id_ in dict.fromkeys(taken)]
    assert all(a + b == 1000 and b == moves for a, b, moves in seen)
    assert seen[-1] == (976, 24, 24), "no write was lost"


def test_a_transaction_left_open_fails_the_tables_and_nothing_else(
    course: Course, tables: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.0)
    write(course.folder("master"), {"a.txt": "new"})
    course.distribute(["anna"])
    tables.execute("UPDATE a SET n = 7")
    write(course.folder("master"), {"a.txt": "newer"})
    with Connection(course.folder("anna") / "tables") as hers:
        hers.begin()
        hers.execute("UPDATE b SET n = 5")
        rows = course.distribute(["anna"])
        assert course.outcomes(rows["anna"])["a.txt"] == "replaced"
        assert course.outcomes(rows["anna"])["tables/a.parquet"] == "failed"
        hers.commit()
        assert hers.execute("SELECT (SELECT n FROM a), (SELECT n FROM b)").fetchall() == [(1000, 5)]
    assert (course.folder("anna") / "a.txt").read_text() == "newer"
    rows = course.distribute(["anna"], ["tables/a.parquet"])
    assert course.outcomes(rows["anna"]) == {"tables/a.parquet": "replaced"}


def test_a_delivery_is_seen_whole_by_who_reads(course: Course, tables: Connection) -> None:
    course.distribute(["anna"])
    with tables.transaction():
        tables.execute("UPDATE a SET n = 0")
        tables.execute("UPDATE b SET n = 1000")
    code = (
        "import sys\nfrom pathlib import Path\nfrom nuvo_jupyter.workspace.tables.connection import Connection\n"
        "con = Connection(Path(sys.argv[1]))\nprint('ready', flush=True)\n"
        "while True:\n    a, b = con.execute('SELECT (SELECT n FROM a), (SELECT n FROM b)').fetchone()\n"
        "    assert a + b == 1000, (a, b)\n    if b: break\n"
    )
    folder = course.folder("anna") / "tables"
    reader = subprocess.Popen(
        [sys.executable, "-c", code, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"ready\n"
    course.distribute(["anna"])
    assert reader.communicate(timeout=60)[1] == b""
    assert reader.returncode == 0


# Makes a table, gives it another schema, drops it; what it holds says which one it is.
COMES_AND_GOES = """
import sys
from pathlib import Path
from nuvo_jupyter.workspace.tables.connection import Connection

with Connection(Path(sys.argv[1])) as con:
    for number in range(int(sys.argv[2])):
        with con.transaction():
            con.execute(f"CREATE TABLE t AS SELECT {number} AS n FROM range(1000)")
            con.execute("UPDATE a SET n = 1")
        with con.transaction():
            con.execute("DROP TABLE t")
            con.execute("UPDATE a SET n = 0")
"""


def test_a_table_that_is_dropped_while_captured_is_there_whole_or_not_at_all(
    course: Course, tables: Connection, tmp_path: Path
) -> None:
    tables.execute("UPDATE a SET n = 0")
    folder = course.folder("master") / "tables"
    writer = subprocess.Popen([sys.executable, "-c", COMES_AND_GOES, folder, "12"], stderr=subprocess.PIPE)
    taken = []
    while writer.poll() is None:
        taken.append(course.snapshot("master"))
    assert (writer.wait(), writer.communicate()[1]) == (0, b"")
    roots = {row.id: row.root for row in course.rows(t.snapshot)}
    for id_ in dict.fromkeys(taken):
        nodes = flatten(course.context.store, roots[id_])
        with Connection(lay_out(course, roots[id_], tmp_path / str(id_))) as con:
            there = con.execute("SELECT n FROM a").fetchone() == (1,)
            assert ("tables/t.parquet" in nodes) == there
            if there:
                assert con.execute("SELECT count(*), count(DISTINCT n) FROM t").fetchone() == (1000, 1)


def test_tables_are_recalled_where_nobody_changed_them(make_course: Make) -> None:
    course = make_course("anna", "ben")
    with Connection(course.folder("master") / "tables") as con:
        con.execute("CREATE TABLE kept AS SELECT 1 AS n; CREATE TABLE gone AS SELECT 2 AS n")
        con.execute("CREATE SCHEMA week1; CREATE TABLE week1.marks AS SELECT 3 AS n")
    course.distribute(["anna", "ben"])
    with Connection(course.folder("anna") / "tables") as hers:
        hers.execute("INSERT INTO gone VALUES (7)")
        rows = course.distribute(
            ["anna", "ben"],
            ["tables/gone.parquet", "tables/week1/marks.parquet"],
            kind=DistributionKind.RECALL,
        )
        assert course.outcomes(rows["anna"])["tables/gone.parquet"] == "kept"
        assert course.outcomes(rows["anna"])["tables/week1/marks.parquet"] == "deleted"
        assert hers.execute("FROM gone ORDER BY n").fetchall() == [(2,), (7,)]
        assert [entry.name.name for entry in hers.entries] == ["gone", "kept"]
    assert course.outcomes(rows["ben"])["tables/gone.parquet"] == "deleted"
    with Connection(course.folder("ben") / "tables") as his:
        assert [entry.name.name for entry in his.entries] == ["kept"]
