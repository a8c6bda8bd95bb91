"""DataFrames in and out, relations, and ``%sql``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow
import pytest

from nuvo_jupyter.workspace.tables.connection import Connection

Open = Callable[[], Connection]


def test_frames_go_in(con: Connection, opened: Open) -> None:
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    other = polars.DataFrame({"a": [3], "b": ["y"]})
    arrow = pyarrow.table({"b": ["z"], "a": [4]})
    con.execute("CREATE TABLE t AS FROM frame")
    con.execute("INSERT INTO t FROM other")
    con.execute("INSERT INTO t BY NAME FROM arrow")
    con.append("t", pandas.DataFrame({"a": [5], "b": ["w"]}))
    con.register("given", other)
    con.execute("INSERT INTO t FROM given")
    con.from_df(frame).insert_into("t")
    con.sql("SELECT 9 AS a, 'nine' AS b").create("nine")
    con.execute("UPDATE t SET b = 'set' FROM frame WHERE frame.a = t.a AND frame.b IS NULL")
    rows = opened().execute("FROM t ORDER BY ALL").fetchall()
    assert rows == [(1, "x"), (1, "x"), (2, "set"), (2, "set"), (3, "y"), (3, "y"), (4, "z"), (5, "w")]
    assert opened().table("nine").fetchall() == [(9, "nine")]
    assert [len(frame), len(other), len(arrow)] == [2, 1, 1]


def test_frames_come_out(con: Connection) -> None:
    con.execute(
        "CREATE TABLE t AS SELECT i AS a, i / 2 AS half FROM range(5) t(i); CREATE TABLE u AS SELECT 3 AS a"
    )
    for query in ("FROM t", "FROM t WHERE a NOT IN (FROM u) UNION ALL FROM t WHERE a = 3 ORDER BY a"):
        assert con.execute(query).df().to_dict("list") == {"a": [0, 1, 2, 3, 4], "half": [0, 0.5, 1, 1.5, 2]}
        assert con.execute(query).pl()["a"].to_list() == [0, 1, 2, 3, 4]
        assert pyarrow.table(con.sql(query))["a"].to_pylist() == [0, 1, 2, 3, 4]
        assert con.execute(query).fetchnumpy()["a"].tolist() == [0, 1, 2, 3, 4]
        assert con.sql(query).df()["half"].sum() == 5
        assert con.sql(query).pl().height == 5
        assert polars.DataFrame(con.sql(query)).height == 5
        assert con.execute(query).fetchmany(2) == [(0, 0), (1, 0.5)]
        assert con.fetchone() == (2, 1)
        assert len(con.fetchall()) == 2


def test_relations(con: Connection, opened: Open) -> None:
    con.execute("CREATE TABLE t AS SELECT i AS a FROM range(5) t(i); CREATE TABLE u AS SELECT 3 AS a")
    assert con.sql("SELECT * FROM t WHERE a > ?", params=[3]).fetchall() == [(4,)]
    relation = con.sql("SELECT * FROM t WHERE a > 1")
    assert relation.columns == ["a"]
    assert len(relation) == 3
    assert "a" in relation
    assert relation.filter("a > 3").fetchall() == [(4,)]
    assert relation.aggregate("sum(a)").fetchall() == [(9,)]
    assert relation.join(con.table("u"), "a").fetchall() == [(3,)]
    assert "int64" in repr(relation)
    assert con.execute("SELECT count(*) FROM relation").fetchall() == [(3,)]
    opened().execute("INSERT INTO t VALUES (9)")
    assert relation.fetchall() == [(2,), (3,), (4,), (9,)]
    assert con.sql("SELECT i FROM range(3) t(i)").fetchmany(2) == [(0,), (1,)]
    relation.to_table("kept")
    assert opened().sql("FROM kept").fetchall() == [(2,), (3,), (4,), (9,)]
    opened().execute("DROP TABLE t")
    with pytest.raises(duckdb.Error):
        relation.fetchall()


def test_an_unread_result_of_several_tables_is_of_one_point(con: Connection, opened: Open) -> None:
    """DuckDB opens files while rows are fetched: without care the second would be of another time."""
    con.execute(
        "CREATE TABLE a AS SELECT 1 AS v FROM range(500000); CREATE TABLE b AS SELECT 1 AS v FROM range(500000)"
    )
    con.execute("CREATE VIEW ab AS FROM a UNION ALL FROM b")
    change = "BEGIN; UPDATE a SET v = v + 1; UPDATE b SET v = v + 1; COMMIT"
    for query in ("FROM a UNION ALL FROM b", "FROM ab", "FROM a UNION ALL FROM a"):
        (version,) = con.execute(query).fetchone()
        opened().execute(change)
        assert {row[0] for row in con.fetchall()} == {version}
        names = dir(duckdb.DuckDBPyRelation)
        stream = getattr(
            con.sql(query), "to_arrow_reader" if "to_arrow_reader" in names else "fetch_record_batch"
        )(1000)
        opened().execute(change)
        assert set(stream.read_all()["v"].to_pylist()) == {version + 1}
    (version,) = con.execute("FROM a").fetchone()
    opened().execute(change)
    assert {row[0] for row in con.fetchall()} == {version}


SHELL = """
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from nuvo_jupyter.workspace.tables.connection import Connection
shell = InteractiveShell.instance()
con = Connection(Path("tables"))
shell.push({"con": con})
def run(text):
    result = shell.run_cell(text)
    result.raise_error()
    return result.result
run("%load_ext sql")
run("%config SqlMagic.autopandas = True")
run("%sql con")
run("%sql CREATE TABLE t AS SELECT 1 AS a, 'x' AS b")
run("%sql INSERT INTO t VALUES (2, 'y')")
run("%%sql\\nUPDATE t SET b = 'changed' WHERE a = 2")
frame = run("%sql SELECT * FROM t ORDER BY a")
assert frame["b"].tolist() == ["x", "changed"], frame
with Connection(Path("tables")) as other:
    assert other.execute("SELECT b FROM t ORDER BY a").fetchall() == [("x",), ("changed",)]
    other.execute("INSERT INTO t VALUES (3, 'other kernel')")
assert len(run("%sql FROM t")) == 3
run("%config SqlMagic.autopandas = False")
assert "other kernel" in str(run("%sql SELECT * FROM t"))
print("all well")
"""


def test_sql_magic(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PLOOMBER_STATS_ENABLED": "false",
        "HOME": str(tmp_path),
    }
    found = subprocess.run(
        [sys.executable, "-c", SHELL],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "all well" in found.stdout, found.stdout + found.stderr
