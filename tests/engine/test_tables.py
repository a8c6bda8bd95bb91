"""The tables of states through the engine: list, look into, compare, rename, delete, import."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotFound
from nuvo_jupyter.workspace.tables.connection import Connection

from .campus import PROFESSOR, Campus


@pytest.fixture
def con(course: Campus) -> Iterator[Connection]:
    """The tables of Master: `grades` with a key and 1,000 rows, `points.week1`, and a view."""
    with Connection(course.workspace("intro/master") / "tables") as con:
        con.execute("CREATE TABLE grades (id INTEGER PRIMARY KEY, grade DECIMAL(3, 1))")
        con.execute("INSERT INTO grades SELECT range, 4.0 FROM range(1000)")
        con.execute("CREATE SCHEMA points; CREATE TABLE points.week1 AS SELECT 1 AS a")
        con.execute("CREATE VIEW best AS SELECT * FROM grades WHERE grade = 6")
        yield con


def test_the_tables_of_every_state_are_listed(course: Campus, con: Connection) -> None:
    state = course.snapshot("intro/master")
    con.execute("DROP TABLE points.week1")
    (course.workspace("intro/master") / "tables" / "broken.parquet").write_text("no")
    before = course.call("table_list", PROFESSOR, state=state)
    now = course.call("table_list", PROFESSOR, state="intro/master")
    assert [(table.name, table.view, table.rows) for table in before] == [
        ("best", True, 0),
        ("grades", False, 1000),
        ("points.week1", False, 1),
    ]
    assert [(column.name, column.type) for column in before[1].columns] == [
        ("id", "INTEGER"),
        ("grade", "DECIMAL(3,1)"),
    ]
    assert [table.name for table in now] == ["best", "broken", "grades"]
    assert "Parquet" in now[1].problem
    assert not course.call("table_list", PROFESSOR, state="intro/anna")
    detail = course.call("snapshot_show", PROFESSOR, state=state)
    assert (detail.tables, detail.applications) == (("best", "grades", "points.week1"), ())


def test_rows_and_what_made_the_table_are_shown(course: Campus, con: Connection) -> None:
    state = course.snapshot("intro/master")
    con.execute("DELETE FROM grades")
    shown = course.call("table_show", PROFESSOR, state=state, table="Grades", limit=2, offset=10)
    assert shown.rows == ((10, "4.0"), (11, "4.0"))
    assert "PRIMARY KEY" in shown.definition
    assert not course.call("table_show", PROFESSOR, state="intro/master", table="grades").rows
    assert "FROM grades" in course.call("table_show", PROFESSOR, state=state, table="best").definition
    with pytest.raises(NotFound, match="no table 'none'"):
        course.call("table_show", PROFESSOR, state=state, table="none")


def test_two_versions_are_compared_by_their_key(course: Campus, con: Connection) -> None:
    state = course.snapshot("intro/master")
    con.execute("DELETE FROM grades WHERE id < 3")
    con.execute("UPDATE grades SET grade = 5 WHERE id = 10")
    con.execute("INSERT INTO grades VALUES (2000, 1)")
    con.execute("ALTER TABLE grades ADD COLUMN note VARCHAR")
    compared = course.call("table_compare", PROFESSOR, left=state, right="intro/master", table="grades")
    assert (compared.rows_added, compared.rows_removed, compared.rows_changed) == (1, 3, 1)
    assert (compared.added, compared.removed, compared.key) == (("note",), (), ("id",))
    changed = {row.key: (row.left, row.right) for row in compared.rows}
    assert changed["10",] == (("10", "4.0"), ("10", "5.0"))
    con.execute("DROP TABLE points.week1")
    gone = course.call("table_compare", PROFESSOR, left=state, right="intro/master", table="points.week1")
    assert gone.right is None
    assert (gone.removed, gone.rows_removed) == (("a",), 1)


def test_tables_are_renamed_and_deleted_and_snapshots_keep_them(course: Campus, con: Connection) -> None:
    state = course.snapshot("intro/master")
    assert (
        course.call("table_rename", PROFESSOR, instance="intro/master", table="grades", name="marks").rows
        == 1000
    )
    with pytest.raises(AlreadyExists):
        course.call("table_rename", PROFESSOR, instance="intro/master", table="marks", name="BEST")
    course.call("table_delete", PROFESSOR, instance="intro/master", table="best")
    broken = course.workspace("intro/master") / "tables" / "broken.parquet"
    broken.write_text("no")
    course.call("table_delete", PROFESSOR, instance="intro/master", table="broken")
    assert not broken.exists()
    assert [entry.name.name for entry in con.entries] == ["marks", "week1"]
    assert len(course.call("table_list", PROFESSOR, state=state)) == 3


def test_files_become_tables(course: Campus, con: Connection) -> None:
    folder = course.workspace("intro/master")
    (folder / "people.csv").write_text('name,age\nAnna,20\n"Ben, jr",\n')
    (folder / "lines.jsonl").write_text('{"a": 1}\n{"a": null}\n')
    (folder / "bad.parquet").write_text("no")
    database = sqlite3.connect(folder / "old.db")
    database.execute("CREATE TABLE things (i, r, b, t)")
    database.executemany(
        "INSERT INTO things VALUES (?, ?, ?, ?)", [(1, None, b"\x00\x01", 'a"b\n,'), (2, 2.5, b"", "")]
    )
    database.commit()
    database.close()
    for path in ("people.csv", "lines.jsonl", "old.db"):
        course.call("table_import", PROFESSOR, instance="intro/master", path=path)
    assert con.execute("FROM people").fetchall() == [("Anna", 20), ("Ben, jr", None)]
    assert con.execute("FROM lines").fetchall() == [(1,), (None,)]
    assert con.execute("FROM things").fetchall() == [(1, None, b"\x00\x01", 'a"b\n,'), (2, 2.5, b"", "")]
    for path, error in (
        ("bad.parquet", InvalidInput),
        ("a.txt", None),
        ("people.csv", AlreadyExists),
        ("no", NotFound),
    ):
        if error is not None:
            with pytest.raises(error):
                course.call("table_import", PROFESSOR, instance="intro/master", path=path)
    course.call("table_import", PROFESSOR, instance="intro/master", path="people.csv", replace=True)
    assert con.execute("SELECT count(*) FROM people").fetchall() == [(2,)]


@pytest.mark.parametrize("what", ["a link", "a dangling link", "a file"])
def test_what_is_called_tables_and_is_no_folder_is_captured_and_gives_way_to_a_restore(
    course: Campus, tmp_path: Path, what: str
) -> None:
    folder = course.workspace("intro/master") / "tables"
    with Connection(folder) as con:
        con.execute("CREATE TABLE a AS SELECT 1 AS n; CREATE SCHEMA s; CREATE TABLE s.b AS SELECT 2 AS n")
    before = course.snapshot("intro/master")
    folder.rename(tmp_path / "elsewhere")
    there = {path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()}
    if what == "a file":
        folder.write_text("no tables")
    else:
        folder.symlink_to(tmp_path / ("elsewhere" if what == "a link" else "nowhere"))
    after = course.snapshot("intro/master")
    (entry,) = [one for one in course.call("browse", PROFESSOR, state=after) if one.name == "tables"]
    assert entry.kind == ("file" if what == "a file" else "link")
    assert course.call("table_list", PROFESSOR, state=after) == ()
    course.run("restore", PROFESSOR, source=before, paths=("tables",), strategy="replace")
    assert not folder.is_symlink()
    with Connection(folder) as con:
        assert con.execute("SELECT a.n, b.n FROM a, s.b").fetchall() == [(1, 2)]
    # What the link pointed to was nobody's to change.
    assert {
        path: path.read_bytes() for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()
    } == there
    course.run("restore", PROFESSOR, source=after)
    assert folder.is_symlink() == (what != "a file")


def test_an_import_makes_its_schema_and_says_what_is_wrong(course: Campus) -> None:
    course.write(
        "intro/master",
        {
            "a.csv": "a\n1\n",
            "latin.csv": "a,b\nä,1\n".encode("latin1"),
            "bad.csv": "a\n" + "1\n" * 40_000 + "x\n",
        },
    )
    (made,) = course.call("table_import", PROFESSOR, instance="intro/master", path="a.csv", table="raw.a")
    assert (made.name, made.rows) == ("raw.a", 1)
    for name in (".a", "a.", "a./b", "a/b"):
        with pytest.raises(InvalidInput, match="cannot be the name"):
            course.call("table_import", PROFESSOR, instance="intro/master", path="a.csv", table=name)
    with pytest.raises(InvalidInput, match="cannot be the name"):
        course.call("table_rename", PROFESSOR, instance="intro/master", table="raw.a", name="raw.")
    for file, why in (("latin.csv", "not utf-8"), ("bad.csv", "Could not convert")):
        with pytest.raises(InvalidInput, match=why):
            course.call("table_import", PROFESSOR, instance="intro/master", path=file, table="new.b")
    # Nothing is left of what did not become a table.
    assert [one.name for one in course.call("table_list", PROFESSOR, state="intro/master")] == ["raw.a"]
    assert sorted(path.name for path in (course.workspace("intro/master") / "tables").iterdir()) == ["raw"]
