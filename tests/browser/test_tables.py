"""The panel's tables: listed, opened in the grid, imported, changed, compared, restored, staged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from nuvo_jupyter.workspace.tables.connection import Connection
from tests.browser.conftest import Shoot
from tests.browser.lab import Lab
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium

MARKS = """
    CREATE TABLE marks AS
    SELECT 1000 + range AS student,
           ['Anna', 'Ben', 'Chloé', 'Dan', 'Eve'][1 + range % 5] || ' ' || chr(65 + (range % 26)::INT) AS name,
           DATE '2026-09-01' + (range % 90)::INT AS handed_in,
           CASE WHEN range % 11 = 10 THEN NULL ELSE round(4 + (range * 37 % 60) / 10, 1) END AS points,
           range % 3 = 0 AS late
    FROM range(1200)
"""
READINGS = """
    CREATE TABLE field.readings (id INTEGER PRIMARY KEY, station VARCHAR, rain DECIMAL(6, 2))
"""


@pytest.fixture
def tables(panel: Panel, folder: Path) -> Panel:
    """Open the section in a folder whose first snapshot holds two tables and a view."""
    with Connection(folder / "tables") as con:
        con.execute(MARKS)
        con.execute("CREATE SCHEMA field")
        con.execute(READINGS)
        con.execute("INSERT INTO field.readings VALUES (1, 'north', 3.5), (2, 'south', 0), (3, 'west', 1.25)")
        con.execute("CREATE VIEW best AS SELECT name FROM marks WHERE points > 9")
    panel.take_snapshot()
    panel.unfold("Tables")
    expect(panel.tables).to_have_count(3)
    return panel


def row(panel: Panel, name: str) -> Locator:
    return panel.tables.filter(has=panel.page.get_by_title(name, exact=True))


def act(panel: Panel, name: str, button: str) -> None:
    found = row(panel, name)
    head = found.get_by_role("button", name=f"What can be done with {name}")
    if head.get_attribute("aria-expanded") == "false":
        head.click()
    found.get_by_role("button", name=button).click()


def test_listed_and_opened_in_the_grid(tables: Panel, page: Page, folder: Path, shoot: Shoot) -> None:
    expect(row(tables, "marks")).to_contain_text("1,200 rows · 5 columns")
    expect(row(tables, "field.readings")).to_contain_text("3 rows · 3 columns")
    expect(row(tables, "best")).to_contain_text("view")
    row(tables, "field.readings").get_by_title("field.readings").click()
    tab = page.get_by_role("region", name="Table field.readings of")
    rows = tab.get_by_role("table", name="First rows")
    expect(rows.get_by_role("columnheader", name="rain (DECIMAL(6,2))")).to_be_attached()
    expect(rows.get_by_role("row").nth(2)).to_contain_text("south")
    tab.get_by_role("button", name="Definition").click()
    expect(tab.get_by_label("Definition").last).to_contain_text("PRIMARY KEY")

    row(tables, "marks").get_by_title("marks").click()
    tab = page.get_by_role("region", name="Table marks of")
    # A grid is painted by the processor here, where a browser has better means.
    expect(tab).to_contain_text("1,200 rows · 5 columns", timeout=30_000)
    expect(tab.locator("canvas").first).to_be_visible()
    shoot(page, "table-grid")
    # The rows far below are asked for when they come into view.
    with page.expect_response(lambda answer: "offset=1000" in answer.url) as answered:
        tab.locator("canvas").last.hover()
        page.mouse.wheel(0, 24 * 1200)
    assert answered.value.ok

    # What a notebook changes is shown.
    with Connection(folder / "tables") as con:
        con.execute("DELETE FROM marks WHERE student >= 1010")
    tables.button("Refresh").click()
    expect(tab).to_contain_text("10 rows · 5 columns")
    expect(row(tables, "marks")).to_contain_text("10 rows")


def test_renamed_deleted_and_restored(tables: Panel, folder: Path, page: Page) -> None:
    act(tables, "field.readings", "Rename…")
    tables.dialog.get_by_label("Name", exact=True).fill("rainfall")
    tables.confirm("Rename")
    expect(row(tables, "field.rainfall")).to_be_visible()
    assert (folder / "tables" / "field" / "rainfall.parquet").exists()

    act(tables, "marks", "Delete…")
    expect(tables.dialog).to_contain_text("Snapshots that hold it keep it")
    tables.confirm("Delete")
    expect(row(tables, "marks")).to_have_count(0)
    assert not (folder / "tables" / "marks.parquet").exists()

    # It is listed in the snapshot, and comes back from there.
    snapshot = tables.snapshots.first
    tables.expand(snapshot)
    held = snapshot.get_by_role("list", name="Tables in the snapshot")
    expect(held.locator("> li")).to_have_count(3)
    held.get_by_title("marks", exact=True).click()
    expect(page.get_by_role("region", name="Table marks of")).to_contain_text("@1 · 1,200 rows")
    snapshot.get_by_role("button", name="Restore the table marks…").click()
    tables.confirm("Restore")
    expect(row(tables, "marks")).to_contain_text("1,200 rows")

    # A name that is taken is refused with a hint.
    act(tables, "marks", "Rename…")
    tables.dialog.get_by_label("Name", exact=True).fill("best")
    tables.confirm("Rename")
    expect(page.get_by_text("Choose another name.")).to_be_visible()


def test_restored_from_a_chosen_snapshot(tables: Panel, folder: Path) -> None:
    with Connection(folder / "tables") as con:
        con.execute("DELETE FROM marks")
    tables.button("Refresh").click()
    expect(row(tables, "marks")).to_contain_text("0 rows")
    act(tables, "marks", "Restore…")
    expect(tables.dialog).to_contain_text("A backup snapshot of the current state is taken first.")
    tables.confirm("Restore")
    expect(row(tables, "marks")).to_contain_text("1,200 rows")
    expect(tables.snapshots).to_have_count(2)


def test_compared_with_a_snapshot(tables: Panel, folder: Path, page: Page, shoot: Shoot) -> None:
    with Connection(folder / "tables") as con:
        con.execute("UPDATE field.readings SET rain = 9.75 WHERE id = 2")
        con.execute("DELETE FROM field.readings WHERE id = 1")
        con.execute("INSERT INTO field.readings VALUES (4, 'east', 7)")
        con.execute("ALTER TABLE marks ADD COLUMN remark VARCHAR")
        con.execute("UPDATE marks SET points = 10 WHERE student < 1003")
    act(tables, "field.readings", "Compare…")
    tables.confirm("Compare")
    tab = page.get_by_role("region", name="Comparison of field.readings")
    expect(tab.get_by_role("status")).to_have_text("Rows: 1 added, 1 removed, 1 changed; 3 before, 3 now.")
    rows = tab.get_by_role("table", name="Rows that differ")
    expect(rows.get_by_role("row", name="changed")).to_contain_text("south")
    expect(rows.get_by_role("row", name="changed").locator("ins")).to_have_text("9.75")
    expect(rows.get_by_role("row", name="added")).to_contain_text("east")

    act(tables, "marks", "Compare…")
    tables.confirm("Compare")
    tab = page.get_by_role("region", name="Comparison of marks")
    expect(tab.get_by_role("list", name="Columns that differ")).to_contain_text(
        "remark (VARCHAR), a new column"
    )
    expect(tab).to_contain_text("Without a key, rows are only counted")
    tab.get_by_role("checkbox", name="student").check()
    expect(tab.get_by_role("status")).to_contain_text("0 added, 0 removed, 3 changed")
    expect(tab.get_by_role("table", name="Rows that differ").get_by_role("row")).to_have_count(4)


def test_files_become_tables(tables: Panel, lab: Lab, folder: Path, page: Page, tmp_path: Path) -> None:
    # From the file browser.
    tables.open_files()
    tables.file("data").dblclick()
    tables.choose_from_menu("yields.csv", "Import as table…")
    expect(tables.dialog.get_by_label("Name of the table")).to_have_value("yields")
    tables.confirm("Import")
    tables.open()
    tables.unfold("Tables")
    expect(row(tables, "yields")).to_contain_text("2 rows · 2 columns")

    # From the computer, first under a name that is taken.
    mine = tmp_path / "marks.csv"
    mine.write_text("student,points\n1,9.5\n")
    upload(tables, mine)
    tables.dialog.get_by_role("button", name="Import").click()
    expect(tables.dialog).to_contain_text("has a table 'marks' already")
    tables.confirm("Replace")
    expect(row(tables, "marks")).to_contain_text("1 row · 2 columns")

    # All tables of a database.
    database = tmp_path / "field.db"
    with sqlite3.connect(database) as con:
        con.execute("CREATE TABLE plots (id INTEGER, crop TEXT)")
        con.execute("CREATE TABLE soil (id INTEGER, ph REAL)")
        con.execute("INSERT INTO plots VALUES (1, 'rye')")
    con.close()
    upload(tables, database)
    expect(tables.dialog.get_by_label("Name of the table")).to_have_value("")
    tables.confirm("Import")
    expect(row(tables, "plots")).to_contain_text("1 row")
    expect(row(tables, "soil")).to_be_visible()

    # What is none is refused; nothing that was uploaded stays.
    broken = tmp_path / "broken.parquet"
    broken.write_text("no Parquet")
    upload(tables, broken)
    tables.confirm("Import")
    expect(page.get_by_text("No table could be made of")).to_be_visible()
    expect(row(tables, "broken")).to_have_count(0)
    assert [path.name for path in (folder / "data").iterdir() if path.is_file()] == ["yields.csv"]


def upload(panel: Panel, file: Path) -> None:
    with panel.page.expect_file_chooser() as chooser:
        panel.button("Upload as table…").click()
    chooser.value.set_files(file)


def test_staged_and_told_apart_from_files(tables: Panel, page: Page, shoot: Shoot) -> None:
    act(tables, "marks", "Stage")
    expect(tables.staged).to_have_text(["marks"])
    expect(tables.staged.first.get_by_title("Table", exact=True)).to_be_visible()
    shoot(page, "panel-tables")
    tables.button("Distribute…").click()
    tab = tables.distribution
    choice = tab.get_by_label("Tables", exact=True)
    choice.select_option(label="Extra: only add what is missing")
    expect(tab.get_by_label("Columns that tell rows apart")).to_have_count(0)
    choice.select_option("rows")
    tab.get_by_label("Columns that tell rows apart").fill("student, name")
    with page.expect_request(
        lambda asked: asked.method == "POST" and asked.url.split("?")[0].endswith("/distributions/preview")
    ) as asked:
        tab.get_by_role("button", name="Preview").click()
    assert (asked.value.post_data_json or {})["strategies"] == {
        "file": "overwrite",
        "table": "merge",
        "application": "overwrite",
        "append_rows": True,
        "key": ["student", "name"],
    }
    tab.get_by_label("Only files: leave tables and applications out").check()
    expect(choice).to_have_count(0)


def test_a_file_that_is_no_table_is_listed_with_the_reason(tables: Panel, folder: Path) -> None:
    (folder / "tables" / "broken.parquet").write_text("no Parquet")
    tables.button("Refresh").click()
    expect(row(tables, "broken")).to_contain_text("cannot be used")
    row(tables, "broken").get_by_role("button", name="What can be done with broken").click()
    expect(row(tables, "broken").get_by_role("alert")).to_be_visible()
