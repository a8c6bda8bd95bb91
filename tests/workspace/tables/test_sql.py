"""Every form of SQL that makes, changes or drops a table, seen by another connection afterwards."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotNow
from nuvo_jupyter.workspace.tables.connection import Connection

Open = Callable[[], Connection]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


SETUP = """
CREATE TABLE marks (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'nobody', points DECIMAL(5, 2));
INSERT INTO marks VALUES (1, 'anna', 9.5), (2, 'ben', 7);
CREATE TABLE log AS SELECT i, 'entry ' || i AS text FROM range(3) t(i);
"""

FORMS: list[tuple[str, str, list[tuple[Any, ...]]]] = [
    ("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b", "FROM t", [(1, "x")]),
    ("CREATE TABLE t (a INTEGER, b VARCHAR)", "FROM t", []),
    ("CREATE OR REPLACE TABLE log AS SELECT i + 10 AS i FROM log", "FROM log", [(10,), (11,), (12,)]),
    ("CREATE TABLE IF NOT EXISTS log (other DATE)", "SELECT i FROM log", [(0,), (1,), (2,)]),
    ("CREATE TABLE IF NOT EXISTS t (a INTEGER)", "FROM t", []),
    ("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a", "FROM s.t", [(1,)]),
    ("CREATE SCHEMA IF NOT EXISTS s; CREATE SCHEMA IF NOT EXISTS s", "SELECT 1", [(1,)]),
    ("INSERT INTO log VALUES (9, 'nine')", "SELECT max(i), count(*) FROM log", [(9, 4)]),
    ("INSERT INTO log (text) VALUES ('no number')", "SELECT text FROM log WHERE i IS NULL", [("no number",)]),
    ("INSERT INTO log BY NAME SELECT 'nine' AS text, 9 AS i", "FROM log WHERE i = 9", [(9, "nine")]),
    ("INSERT INTO log SELECT * FROM log", "SELECT count(*) FROM log", [(6,)]),
    ("WITH n AS (SELECT 5, ')') INSERT INTO log FROM n", "FROM log WHERE i = 5", [(5, ")")]),
    ("INSERT INTO marks (id) VALUES (3)", "SELECT name FROM marks WHERE id = 3", [("nobody",)]),
    ("INSERT OR REPLACE INTO marks VALUES (1, 'anna', 10)", "SELECT points FROM marks WHERE id = 1", [(10,)]),
    ("INSERT OR IGNORE INTO marks VALUES (1, 'anna', 10)", "SELECT points FROM marks WHERE id = 1", [(9.5,)]),
    (
        "INSERT INTO marks VALUES (2, 'ben', 1) ON CONFLICT (id) DO UPDATE SET points = marks.points + excluded.points",
        "SELECT points FROM marks WHERE id = 2",
        [(8,)],
    ),
    (
        "UPDATE marks SET points = points * 2 WHERE name = 'ben'",
        "SELECT points FROM marks WHERE id = 2",
        [(14,)],
    ),
    (
        "UPDATE marks AS m SET points = l.i FROM log l WHERE m.id = l.i",
        "SELECT points FROM marks ORDER BY id",
        [(1,), (2,)],
    ),
    ("DELETE FROM log WHERE i = 1", "SELECT i FROM log", [(0,), (2,)]),
    ("DELETE FROM log USING marks m WHERE log.i = m.id", "SELECT i FROM log", [(0,)]),
    ("DELETE FROM log", "FROM log", []),
    ("TRUNCATE log", "FROM log", []),
    ("TRUNCATE TABLE log", "FROM log", []),
    (
        "MERGE INTO log USING (SELECT 2 AS i UNION ALL SELECT 7) n ON log.i = n.i "
        "WHEN MATCHED THEN UPDATE SET text = 'met' WHEN NOT MATCHED THEN INSERT VALUES (n.i, 'new')",
        "FROM log WHERE i >= 2 ORDER BY i",
        [(2, "met"), (7, "new")],
    ),
    ("ALTER TABLE log ADD COLUMN more INTEGER DEFAULT 5", "SELECT more FROM log WHERE i = 0", [(5,)]),
    ("ALTER TABLE log DROP COLUMN text", "FROM log", [(0,), (1,), (2,)]),
    ("ALTER TABLE log RENAME COLUMN text TO words", "SELECT words FROM log WHERE i = 0", [("entry 0",)]),
    ("ALTER TABLE log ALTER i TYPE VARCHAR", "SELECT i FROM log", [("0",), ("1",), ("2",)]),
    ("ALTER TABLE log RENAME TO journal", "SELECT i FROM journal", [(0,), (1,), (2,)]),
    ("ALTER TABLE IF EXISTS nothing RENAME TO something", "SELECT 1", [(1,)]),
    ("DROP TABLE log; CREATE VIEW log AS SELECT 1 AS a", "FROM log", [(1,)]),
    ("DROP TABLE IF EXISTS nothing", "SELECT 1", [(1,)]),
    ("CREATE VIEW best AS SELECT name FROM marks WHERE points > 8", "FROM best", [("anna",)]),
    ('CREATE VIEW v (x, "y)") AS SELECT i, text FROM log', 'SELECT "y)" FROM v WHERE x = 1', [("entry 1",)]),
    ("CREATE VIEW v AS SELECT 1 AS a; CREATE OR REPLACE VIEW v AS SELECT 2 AS a", "FROM v", [(2,)]),
    ("CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW IF NOT EXISTS v AS SELECT 2 AS a", "FROM v", [(1,)]),
    ("CREATE VIEW v AS SELECT i FROM log; CREATE VIEW w AS SELECT max(i) FROM v", "FROM w", [(2,)]),
    ("CREATE VIEW v AS SELECT 1 AS a; ALTER VIEW v RENAME TO w", "FROM w", [(1,)]),
    ("CREATE SCHEMA s; CREATE VIEW s.v AS SELECT i FROM main.log", "SELECT count(*) FROM s.v", [(3,)]),
    (
        "CREATE TEMP TABLE x AS SELECT i FROM log; INSERT INTO x VALUES (8); INSERT INTO log SELECT i, 'x' FROM x",
        "SELECT count(*) FROM log",
        [(7,)],
    ),
    (
        "CREATE MACRO twice(a) AS a * 2; INSERT INTO log SELECT twice(50), 'macro'",
        "SELECT max(i) FROM log",
        [(100,)],
    ),
    (
        "BEGIN; INSERT INTO log VALUES (3, ''); DELETE FROM log WHERE i < 3; INSERT INTO log VALUES (4, ''); COMMIT",
        "SELECT i FROM log",
        [(3,), (4,)],
    ),
    ("BEGIN; INSERT INTO log VALUES (3, ''); ROLLBACK", "SELECT count(*) FROM log", [(3,)]),
    ("BEGIN; DROP TABLE log; CREATE TABLE log AS SELECT 1 AS a; COMMIT", "FROM log", [(1,)]),
    (
        "BEGIN; CREATE TABLE IF NOT EXISTS log (a INTEGER); INSERT INTO log VALUES (3, ''); COMMIT",
        "SELECT i FROM log",
        [(0,), (1,), (2,), (3,)],
    ),
    (
        "BEGIN; CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (id INTEGER REFERENCES parent(id)); "
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1); COMMIT; INSERT INTO child VALUES (2)",
        "FROM child",
        [(1,), (2,)],
    ),
    ("CREATE TABLE c (m INTEGER REFERENCES marks(id))", "SELECT count(*) FROM marks", [(2,)]),
    ("USE tables; INSERT INTO tables.main.log VALUES (3, '')", "SELECT count(*) FROM log", [(4,)]),
    ("INSERT INTO main.log VALUES (3, '')", "SELECT count(*) FROM log", [(4,)]),
    ("INSERT INTO LOG VALUES (3, '')", "SELECT count(*) FROM Log", [(4,)]),
    (
        "/* a (comment */ INSERT -- ; another\n INTO /**/ log /* x */ (i) VALUES (3)",
        "SELECT count(*) FROM log",
        [(4,)],
    ),
    ("SET VARIABLE n = 3; INSERT INTO log VALUES (getvariable('n'), '')", "SELECT max(i) FROM log", [(3,)]),
]


@pytest.mark.parametrize(("sql", "query", "rows"), FORMS, ids=[sql[:60] for sql, _, _ in FORMS])
def test_changes_are_seen_by_others(opened: Open, sql: str, query: str, rows: list[tuple[Any, ...]]) -> None:
    con, other = opened(), opened()
    con.execute(SETUP)
    assert other.execute("SELECT count(*) FROM log").fetchall() == [(3,)]
    con.execute(sql)
    assert con.execute(query).fetchall() == rows
    assert other.execute(query).fetchall() == rows
    assert opened().execute(query).fetchall() == rows


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("DROP TABLE s.a", ["s/b.parquet", "s/v.sql", "t.parquet"]),
        ("DROP VIEW s.v", ["s/a.parquet", "s/b.parquet", "t.parquet"]),
        ("DROP SCHEMA s CASCADE", ["t.parquet"]),
        ("DROP SCHEMA IF EXISTS nothing", ["s/a.parquet", "s/b.parquet", "s/v.sql", "t.parquet"]),
        ("ALTER TABLE s.a RENAME TO c", ["s/b.parquet", "s/c.parquet", "s/v.sql", "t.parquet"]),
        ("BEGIN; DROP SCHEMA s CASCADE; ROLLBACK", ["s/a.parquet", "s/b.parquet", "s/v.sql", "t.parquet"]),
    ],
)
def test_files_of_what_is_dropped_go(con: Connection, folder: Path, sql: str, left: list[str]) -> None:
    con.execute("CREATE SCHEMA s; CREATE TABLE s.a AS SELECT 1 AS x; CREATE TABLE s.b AS SELECT 2 AS x")
    con.execute("CREATE VIEW s.v AS SELECT x FROM s.b; CREATE TABLE t AS SELECT 3 AS x")
    con.execute(sql)
    assert files(folder) == left
    assert (folder / "s").is_dir() == any(name.startswith("s/") for name in left)


def test_a_schema_is_a_folder(con: Connection, opened: Open, folder: Path) -> None:
    con.execute("CREATE SCHEMA empty")
    assert (folder / "empty").is_dir()
    opened().execute("CREATE TABLE empty.t AS SELECT 1 AS a")
    with pytest.raises(duckdb.Error, match="CASCADE"):
        con.execute("DROP SCHEMA empty")
    con.execute("DROP TABLE empty.t; DROP SCHEMA empty")
    assert not (folder / "empty").exists()
    con.execute("CREATE SCHEMA empty; CREATE TABLE empty.t AS SELECT 2 AS a")
    assert opened().execute("FROM empty.t").fetchall() == [(2,)]


def test_a_folder_with_other_files_stays_a_schema(con: Connection, folder: Path) -> None:
    con.execute("CREATE SCHEMA s")
    (folder / "s" / "notes.txt").write_text("mine")
    con.execute("DROP SCHEMA s")
    assert (folder / "s" / "notes.txt").read_text() == "mine"


def test_returning_gives_rows_with_their_types(con: Connection) -> None:
    con.execute(SETUP)
    con.execute("INSERT INTO marks VALUES (3, 'cleo', 1.25), (4, 'dan', NULL) RETURNING id, points")
    assert [item[0] for item in con.description] == ["id", "points"]
    assert [str(item[1]) for item in con.description] == ["INTEGER", "DECIMAL(5,2)"]
    assert [row[0] for row in con.fetchall()] == [3, 4]
    assert con.execute("INSERT INTO log VALUES (8, '') RETURNING log.i").fetchall() == [(8,)]
    assert con.execute("DELETE FROM log WHERE i > 100 RETURNING *").fetchall() == []
    assert con.sql("UPDATE log SET i = 0 RETURNING i").fetchall() == [(0,)] * 4
    assert con.execute("UPDATE log SET i = 1").fetchall() == [(4,)]


def test_parameters(con: Connection) -> None:
    con.execute("CREATE TABLE t (a INTEGER, b VARCHAR)")
    con.execute("INSERT INTO t VALUES (?, ?)", [1, "it's; DROP TABLE t --"])
    con.execute("INSERT INTO t VALUES ($a, $b)", {"a": 2, "b": 'a "quote"'})
    con.executemany("INSERT INTO t VALUES (?, ?)", [[i, str(i)] for i in range(3, 1000)])
    con.executemany("UPDATE t SET b = ? WHERE a = ?", [["x", 3], ["y", 4]])
    assert con.execute("SELECT count(*), max(b) FROM t WHERE a = ?", [4]).fetchall() == [(1, "y")]
    assert con.execute("SELECT b FROM t WHERE a <= 2 ORDER BY a").fetchall() == [
        ("it's; DROP TABLE t --",),
        ('a "quote"',),
    ]
    assert con.execute("SELECT count(*) FROM t").fetchone() == (999,)


def test_copy_in_and_out(con: Connection, tmp_path: Path) -> None:
    con.execute("CREATE TABLE t (a INTEGER, b VARCHAR); INSERT INTO t VALUES (1, 'x')")
    con.execute(f"COPY t TO '{tmp_path}/out.csv'; COPY (SELECT a FROM t) TO '{tmp_path}/a.parquet'")
    con.execute(f"COPY t FROM '{tmp_path}/out.csv'")
    assert con.execute("FROM t").fetchall() == [(1, "x"), (1, "x")]
    con.execute("CREATE TABLE k (a INTEGER PRIMARY KEY, b VARCHAR)")
    con.execute(f"COPY k FROM '{tmp_path}/out.csv'")
    with pytest.raises(duckdb.ConstraintException):
        con.execute(f"COPY k FROM '{tmp_path}/out.csv'")
    assert con.execute("FROM k").fetchall() == [(1, "x")]


def test_keys_defaults_checks_and_comments_stay(opened: Open) -> None:
    con = opened()
    con.execute(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n VARCHAR NOT NULL CHECK (n <> ''), d DATE DEFAULT '2026-01-01', "
        "u INTEGER UNIQUE, CHECK (u > id))"
    )
    con.execute("COMMENT ON TABLE t IS 'it''s one'; COMMENT ON COLUMN t.n IS 'a name'")
    other = opened()
    other.execute("INSERT INTO t (id, n, u) VALUES (1, 'x', 2)")
    other.execute("ALTER TABLE t ADD COLUMN more INTEGER DEFAULT 7")
    third = opened()
    for wrong in (
        "(1, 'y', '2026-01-01', 5, 1)",
        "(3, '', '2026-01-01', 5, 1)",
        "(3, NULL, '2026-01-01', 5, 1)",
        "(3, 'z', '2026-01-01', 2, 1)",
        "(3, 'z', '2026-01-01', 1, 1)",
    ):
        with pytest.raises(duckdb.ConstraintException):
            third.execute(f"INSERT INTO t VALUES {wrong}")
    third.execute("INSERT INTO t (id, n) VALUES (2, 'y')")
    assert third.execute("SELECT d::VARCHAR, more FROM t WHERE id = 2").fetchall() == [("2026-01-01", 7)]
    with third.transaction():
        third.execute("UPDATE t SET u = 9 WHERE id = 2")
        assert third.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 't'").fetchall() == [
            ("it's one",)
        ]
        assert third.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'n'").fetchall() == [
            ("a name",)
        ]


def test_checks_hold_for_rows_that_are_only_added(con: Connection) -> None:
    con.execute("CREATE TABLE t (a INTEGER CHECK (a < 10), b INTEGER DEFAULT 4); INSERT INTO t VALUES (1, 1)")
    with pytest.raises(duckdb.ConstraintException):
        con.execute("INSERT INTO t VALUES (11, 1)")
    con.execute("INSERT INTO t (a) VALUES (2)")
    assert con.execute("FROM t").fetchall() == [(1, 1), (2, 4)]


def test_a_transaction_is_kept_together_or_not_at_all(opened: Open) -> None:
    con, other = opened(), opened()
    con.execute("CREATE TABLE a AS SELECT 0 AS n; CREATE TABLE b AS SELECT 0 AS n")

    def seen() -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = other.execute("SELECT a.n, b.n FROM a, b").fetchall()
        return rows

    with con.transaction():
        con.execute("UPDATE a SET n = 1")
        assert seen() == [(0, 0)]
        con.execute("UPDATE b SET n = 1")
        assert con.execute("SELECT a.n, b.n FROM a, b").fetchall() == [(1, 1)]
        assert seen() == [(0, 0)]
    assert seen() == [(1, 1)]
    with pytest.raises(ZeroDivisionError), con.transaction():
        con.execute("UPDATE a SET n = 2").execute(f"UPDATE b SET n = {1 // len(seen()[2:])}")
    assert seen() == [(1, 1)]
    with pytest.raises(duckdb.Error), con.transaction():
        con.execute("UPDATE a SET n = 2; UPDATE b SET n = 'no number'")
    assert seen() == con.execute("SELECT a.n, b.n FROM a, b").fetchall() == [(1, 1)]


def test_after_a_failure_a_transaction_waits_for_its_end(con: Connection) -> None:
    con.execute("CREATE TABLE a AS SELECT 0 AS n")
    con.begin().execute("UPDATE a SET n = 1")
    with pytest.raises(duckdb.Error):
        con.execute("INSERT INTO a VALUES ('no number')")
    for query in ("UPDATE a SET n = 3", "FROM a"):
        with pytest.raises(InvalidInput, match="undone"):
            con.execute(query)
    with pytest.raises(InvalidInput, match="nothing of it is kept"):
        con.commit()
    assert con.execute("FROM a").fetchall() == [(0,)]
    with pytest.raises(InvalidInput, match="open already"):
        con.begin().begin()
    con.rollback()
    con.execute("UPDATE a SET n = 4")
    assert con.execute("FROM a").fetchall() == [(4,)]


@pytest.mark.parametrize(
    ("sql", "error", "says"),
    [
        ("CREATE TABLE log AS SELECT 1 AS a", duckdb.CatalogException, "already exists"),
        ("CREATE VIEW log AS SELECT 1 AS a", duckdb.CatalogException, "already exists|of type Table"),
        (
            "CREATE VIEW IF NOT EXISTS log AS SELECT 1 AS a; CREATE TABLE v (a INTEGER)",
            duckdb.Error,
            "already exists|of type",
        ),
        ("DROP VIEW log", duckdb.CatalogException, "Table"),
        ("DROP TABLE v", duckdb.CatalogException, "View"),
        ("INSERT INTO v VALUES (1)", duckdb.CatalogException, "has no rows of its own"),
        ("INSERT INTO missing VALUES (1)", duckdb.CatalogException, "missing"),
        ("CREATE TABLE nothing.t AS SELECT 1 AS a", duckdb.CatalogException, "nothing"),
        ("CREATE INDEX i ON log (i)", InvalidInput, "PRIMARY KEY"),
        ("CREATE SEQUENCE s", InvalidInput, "TEMP SEQUENCE"),
        ('CREATE TABLE "a/b" AS SELECT 1 AS a', InvalidInput, "cannot be the name"),
        ('CREATE TABLE ".hidden" AS SELECT 1 AS a', InvalidInput, "cannot be the name"),
        (f"CREATE TABLE {'x' * 300} AS SELECT 1 AS a", InvalidInput, "cannot be the name"),
        ('CREATE SCHEMA "a/b"', InvalidInput, "cannot be the name"),
        ("SELEC 1", duckdb.ParserException, "syntax"),
    ],
)
def test_what_is_refused_changes_nothing(
    con: Connection, opened: Open, folder: Path, sql: str, error: type[Exception], says: str
) -> None:
    con.execute(SETUP + "CREATE VIEW v AS SELECT 1 AS a")
    before = files(folder)
    with pytest.raises(error) as raised:
        con.execute(sql)
    assert re.search(says, f"{raised.value} {getattr(raised.value, 'hint', '')}")
    assert files(folder) == before
    for each in (con, opened()):
        assert each.execute("SELECT count(*) FROM log").fetchall() == [(3,)]
        assert each.execute("FROM v").fetchall() == [(1,)]
    con.execute("INSERT INTO log VALUES (4, '')")


def test_a_read_only_connection_says_why(folder: Path, con: Connection) -> None:
    con.execute("CREATE TABLE t AS SELECT 1 AS a")
    with Connection(folder, refusal="This connection only reads the tables of intro/anna@3.") as reads:
        assert reads.execute("FROM t").fetchall() == [(1,)]
        for sql in ("INSERT INTO t VALUES (2)", "DROP TABLE t", "CREATE TABLE u AS SELECT 1 AS a", "BEGIN"):
            with pytest.raises(InvalidInput, match="only reads the tables of intro/anna@3"):
                reads.execute(sql)
        reads.execute("CREATE TEMP TABLE mine AS FROM t; INSERT INTO mine VALUES (2)")
        assert reads.execute("SELECT count(*) FROM mine").fetchall() == [(2,)]


def test_joins_with_another_state(con: Connection, tmp_path: Path) -> None:
    with Connection(tmp_path / "other") as other:
        other.execute(
            "CREATE TABLE t AS SELECT 1 AS a, 'theirs' AS b; CREATE SCHEMA s; CREATE TABLE s.u AS SELECT 5 AS a"
        )
        other.execute("CREATE VIEW v AS SELECT b FROM t")
        con.execute("CREATE TABLE t AS SELECT 1 AS a, 'mine' AS b")
        con.attach_folder("theirs", tmp_path / "other")
        assert con.execute("SELECT t.b, o.b FROM t JOIN theirs.t o USING (a)").fetchall() == [
            ("mine", "theirs")
        ]
        assert con.execute("FROM theirs.s.u").fetchall() == [(5,)]
        assert con.execute("FROM theirs.v").fetchall() == [("theirs",)]
        other.execute("INSERT INTO t VALUES (1, 'more')")
        assert con.execute("SELECT count(*) FROM theirs.t").fetchall() == [(2,)]
        for sql in (
            "INSERT INTO theirs.t VALUES (1, '')",
            "DROP TABLE theirs.s.u",
            "CREATE TABLE theirs.x AS SELECT 1",
        ):
            with pytest.raises(InvalidInput, match="attached to be read"):
                con.execute(sql)
        with pytest.raises(InvalidInput, match="already"):
            con.attach_folder("theirs", tmp_path / "other")
        con.execute("CREATE TABLE copied AS FROM theirs.t")
        assert con.execute("SELECT count(*) FROM copied").fetchall() == [(2,)]


def test_databases_of_ones_own_are_left_alone(con: Connection, folder: Path, tmp_path: Path) -> None:
    con.execute(f"CREATE TABLE t AS SELECT 1 AS a; ATTACH '{tmp_path}/own.duckdb' AS own")
    con.execute(
        "CREATE TABLE own.t AS SELECT 2 AS a; INSERT INTO own.t SELECT a FROM t; UPDATE own.t SET a = a + 1"
    )
    assert con.execute("FROM own.t").fetchall() == [(3,), (2,)]
    con.execute("USE own; CREATE TABLE u AS FROM tables.t; USE tables")
    assert files(folder) == ["t.parquet"]
    con.execute("CREATE TABLE u AS FROM own.u")
    assert files(folder) == ["t.parquet", "u.parquet"]


def test_a_database_is_copied_into_tables(con: Connection, opened: Open, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "old.duckdb")) as old:
        old.execute(
            "CREATE TABLE a AS SELECT 1 AS x; CREATE TABLE b (id INTEGER PRIMARY KEY); INSERT INTO b VALUES (4)"
        )
    con.execute(f"ATTACH '{tmp_path}/old.duckdb' AS old (READ_ONLY); COPY FROM DATABASE old TO tables")
    assert opened().execute("SELECT x, id FROM a, b").fetchall() == [(1, 4)]


def test_many_rows_after_none(con: Connection, opened: Open) -> None:
    """DuckDB itself loses rows that come from a file after none did, in one transaction."""
    con.execute(
        "CREATE TABLE many AS SELECT i FROM range(300000) r(i); CREATE TABLE none AS FROM many LIMIT 0"
    )
    con.execute("CREATE TABLE t (i BIGINT PRIMARY KEY); CREATE TABLE u (i BIGINT)")
    for name in ("t", "u"):
        con.execute(f"INSERT INTO {name} FROM many")
        assert opened().execute(f"SELECT count(*), max(i) FROM {name}").fetchall() == [(300000, 299999)]
        con.execute(f"DELETE FROM {name}; INSERT INTO {name} FROM none")
        try:
            con.execute(f"BEGIN; INSERT INTO {name} FROM none; INSERT INTO {name} FROM many; COMMIT")
            expected = 300000
        except NotNow:
            con.rollback()
            expected = 0
        assert opened().execute(f"SELECT count(*) FROM (SELECT DISTINCT i FROM {name})").fetchall() == [
            (expected,)
        ]


def test_a_file_that_is_no_table_is_not_replaced(con: Connection, folder: Path) -> None:
    con.execute("CREATE TABLE t AS SELECT 1 AS a")
    (folder / "old.parquet").write_bytes(b"something else")
    with pytest.raises(AlreadyExists, match=r"old\.parquet"):
        con.execute("CREATE TABLE old AS SELECT 1 AS a")
    assert (folder / "old.parquet").read_bytes() == b"something else"
    with pytest.raises(
        duckdb.CatalogException, match=r"tables/old\.parquet cannot be used: it cannot be read as Parquet"
    ):
        con.execute("SELECT * FROM old")
    assert list(con.problems) == ["old.parquet"]


def test_pivot_and_explain_see_the_tables(con: Connection, opened: Open) -> None:
    con.execute("CREATE TABLE p AS SELECT 'a' AS k, 1 AS v")
    opened().execute("INSERT INTO p VALUES ('b', 2)")
    assert con.execute("PIVOT p ON k USING sum(v)").fetchall() == [(1, 2)]
    assert "PARQUET" in str(con.execute("EXPLAIN FROM p").fetchall()).upper()
    assert con.execute("SHOW TABLES").fetchall() == [("p",)]
    assert [row[0] for row in con.execute("DESCRIBE p").fetchall()] == ["k", "v"]
    assert len(con.execute("SUMMARIZE p").fetchall()) == 2


def test_no_bar_is_written_between_the_lines_of_a_program(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from nuvo_jupyter.workspace.tables.connection import Connection\n"
        "con = Connection(Path(sys.argv[1]))\n"
        "print(con.execute(\"SELECT current_setting('enable_progress_bar')\").fetchall())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, folder], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert said == "[(False,)]\n"
