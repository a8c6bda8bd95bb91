"""Snapshots in the panel: the first of a folder, a described one, comparing, restoring."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.lab import start_lab
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium


def test_the_first_snapshot_makes_a_research_space(panel: Panel, folder: Path, shoot: Shoot) -> None:
    expect(panel.card).to_contain_text("Not used with Nuvo yet")
    expect(panel.card).to_contain_text(f"research space, “{folder.name}”")
    shoot(panel.page, "panel-first-snapshot")

    panel.take_snapshot()

    expect(panel.card.get_by_role("heading")).to_have_text(f"{folder.name} › master")
    expect(panel.snapshots).to_have_count(1)
    expect(panel.snapshots.first).to_contain_text("Snapshot 1")
    expect(panel.tasks.first).to_contain_text("done")


def test_a_described_snapshot_and_what_comes_next(panel: Panel) -> None:
    panel.take_snapshot()
    panel.describe_snapshot(name="Cleaned", done="Outliers removed.", next_phase="Fit the model", final=True)

    row = panel.snapshots.first
    expect(row).to_contain_text("Cleaned")
    panel.expand(row)
    expect(row).to_contain_text("Outliers removed.")
    expect(panel.card).to_contain_text("Fit the model")
    expect(panel.card).to_contain_text("No work is expected in this stage")

    # What was to come next is what the next snapshot suggests as done.
    panel.button("Describe…").click()
    expect(panel.dialog.get_by_label("What was done")).to_have_value("Fit the model")
    panel.dialog.get_by_role("button", name="Cancel").click()
    expect(panel.snapshots).to_have_count(2)


def test_comparing_with_the_current_state(panel: Panel, folder: Path, shoot: Shoot) -> None:
    panel.take_snapshot()
    (folder / "analysis.py").write_text("import csv\n\nprint('second version')\n")
    (folder / "model.py").write_text("pass\n")
    (folder / "notes.md").unlink()

    row = panel.snapshots.first
    panel.expand(row)
    panel.button("Compare").click()

    differences = row.get_by_role("list", name="Differences").locator("> li")
    expect(differences).to_have_count(3)
    expect(differences.nth(0)).to_contain_text("analysis.py")
    expect(differences.nth(0).get_by_role("img", name="changed")).to_be_visible()
    expect(differences.nth(1).get_by_role("img", name="new since the snapshot")).to_be_visible()
    expect(differences.nth(2).get_by_role("img", name="no longer there")).to_be_visible()
    differences.nth(0).get_by_role("button").click()
    expect(differences.nth(0).get_by_label("Changed lines")).to_contain_text("+print('second version')")
    shoot(panel.page, "panel-compare")


def test_one_file_is_restored_and_what_was_there_is_backed_up(panel: Panel, folder: Path) -> None:
    panel.take_snapshot()
    yields = folder / "data" / "yields.csv"
    before = yields.read_text()
    yields.write_text("lost\n")
    (folder / "analysis.py").write_text("kept\n")

    row = panel.snapshots.first
    panel.expand(row)
    row.get_by_role("button", name="data", exact=True).click()
    row.get_by_role("button", name="Restore data/yields.csv…").click()
    expect(panel.dialog).to_contain_text("A backup snapshot of the current state is taken first.")
    panel.confirm("Restore")

    expect(panel.snapshots).to_have_count(2)
    expect(panel.tasks.first).to_contain_text("done")
    assert yields.read_text() == before
    assert (folder / "analysis.py").read_text() == "kept\n"

    backup = panel.snapshots.first
    expect(backup).to_contain_text("Backup before a restore")
    panel.expand(backup)
    backup.get_by_role("button", name="Restore all…").click()
    panel.confirm("Restore")
    expect(panel.snapshots).to_have_count(3)
    tasks = panel.tasks.filter(has_text=f"{folder.name}/")
    expect(tasks).to_have_count(3)
    expect(tasks.filter(has_text="done")).to_have_count(3)
    assert yields.read_text() == "lost\n"


def test_an_open_document_shows_what_was_restored(panel: Panel, folder: Path, page: Page) -> None:
    panel.take_snapshot()
    (folder / "notes.md").write_text("# Overwritten by mistake\n")
    panel.open_files()
    panel.file("notes.md").dblclick()
    document = page.get_by_role("tabpanel", name="notes.md")
    expect(document).to_contain_text("Overwritten by mistake")

    panel.open()
    row = panel.snapshots.first
    panel.expand(row)
    row.get_by_role("button", name="Restore notes.md…").click()
    panel.confirm("Restore")

    expect(document).to_contain_text("First thoughts.")


def test_renaming_and_deleting(panel: Panel, page: Page) -> None:
    panel.take_snapshot()
    row = panel.snapshots.first
    panel.expand(row)
    row.get_by_role("button", name="Rename…").click()
    panel.dialog.get_by_label("Name").fill("Before the review")
    panel.confirm("Save")
    expect(row).to_contain_text("Before the review")

    row.get_by_role("button", name="Delete…").click()
    panel.confirm("Delete")
    expect(panel.snapshots).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(panel.snapshots).to_have_count(1)


def test_a_name_that_cannot_be_used_is_explained(panel: Panel, page: Page) -> None:
    panel.take_snapshot()
    panel.button("Describe…").click()
    panel.dialog.get_by_label("Name (optional)").fill("42")
    panel.dialog.get_by_role("button", name="Take snapshot").click()
    expect(page.get_by_text("Choose a name with letters")).to_be_visible()
    expect(panel.snapshots).to_have_count(1)


def test_something_huge_is_asked_about_first(page: Page, tmp_path: Path) -> None:
    project = tmp_path / "root" / "big"
    project.mkdir(parents=True)
    for number in range(5):
        (project / f"{number}.txt").write_text("x")
    lab = start_lab(
        tmp_path / "root", tmp_path / "home", tmp_path / "private", environment={"NUVO_CONFIRM_FILES": "3"}
    )
    try:
        panel = Panel(page)
        panel.visit(lab.url("big"))
        panel.open()
        panel.button("Take snapshot").click()
        expect(panel.dialog).to_contain_text("Take a snapshot of all this?")
        panel.dialog.get_by_role("button", name="Cancel").click()
        expect(panel.card).to_contain_text("Not used with Nuvo yet")

        panel.button("Take snapshot").click()
        panel.confirm("Take snapshot")
        expect(panel.snapshots).to_have_count(1)
    finally:
        lab.stop()
