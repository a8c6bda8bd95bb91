"""The panel with the keyboard and with a screen reader's eyes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nuvo_jupyter.workspace.tables.connection import Connection
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium

# Everything that can be operated, and the name assistive technology would say for it.
UNNAMED = """root => [...root.querySelectorAll('button, input, select, textarea, [role=button], progress')]
  .filter(node => !(node.getAttribute('aria-label') || node.title || node.textContent.trim()
    || node.labels?.length || node.getAttribute('aria-labelledby')))
  .map(node => node.outerHTML)"""

DANGLING = """root => [...root.querySelectorAll('[aria-controls], [aria-labelledby], [aria-describedby]')]
  .flatMap(node => ['aria-controls', 'aria-labelledby', 'aria-describedby'].map(name => node.getAttribute(name)))
  .filter(id => id && !document.getElementById(id))"""


def test_everything_that_can_be_operated_has_a_name(panel: Panel) -> None:
    panel.take_snapshot()
    panel.expand(panel.snapshots.first)
    panel.button("Compare").click()
    panel.expand(panel.tasks.first)
    panel.button("Storage").click()
    panel.button("Why is my space still full?").click()
    expect(panel.root.get_by_role("list", name="Stored by table")).to_be_visible()
    expect(panel.root.get_by_role("list", name="Files in the snapshot")).to_be_visible()
    assert panel.root.evaluate(UNNAMED) == []
    assert panel.root.evaluate(DANGLING) == []

    panel.button("Distribute…").click()
    expect(panel.distribution).to_be_visible()
    assert panel.distribution.evaluate(UNNAMED) == []


def test_tables_and_applications_have_names_too(panel: Panel, folder: Path, page: Page) -> None:
    with Connection(folder / "tables") as con:
        con.execute("CREATE TABLE marks AS SELECT 'anna' AS name, 9.5 AS points")
    panel.take_snapshot()
    panel.unfold("Tables")
    panel.unfold("Applications")
    expect(panel.tables).to_have_count(1)
    panel.expand(panel.tables.first)
    panel.expand(panel.snapshots.first)
    expect(
        panel.root.get_by_role("list", name="Tables in the snapshot").get_by_role("listitem")
    ).to_have_count(1)
    assert panel.root.evaluate(UNNAMED) == []
    assert panel.root.evaluate(DANGLING) == []

    # What the grid shows can be read, too; it is opened with the keyboard.
    panel.tables.first.get_by_title("marks").focus()
    page.keyboard.press("Enter")
    tab = page.get_by_role("region", name="Table marks of")
    rows = tab.get_by_role("table", name="First rows").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("anna", timeout=30_000)
    assert tab.evaluate(UNNAMED) == []
    assert tab.evaluate(DANGLING) == []


def test_the_parts_of_the_panel_are_landmarks_and_headings(panel: Panel) -> None:
    expect(panel.card).to_be_visible()
    panel.take_snapshot()
    for title in ("Snapshots", "Tables", "Applications", "Stage", "Tasks"):
        expect(panel.root.get_by_role("heading", name=title)).to_be_visible()
        expect(panel.root.get_by_role("region", name=title)).to_be_visible()


def test_a_snapshot_is_taken_and_opened_with_the_keyboard_alone(panel: Panel, page: Page) -> None:
    panel.button("Take snapshot").focus()
    page.keyboard.press("Enter")
    expect(panel.snapshots).to_have_count(1)

    head = panel.snapshots.first.get_by_role("button").first
    head.focus()
    page.keyboard.press("Space")
    expect(head).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(panel.button("Compare")).to_be_focused()


def test_the_focus_goes_into_a_dialog_and_escape_leaves_it(panel: Panel, page: Page) -> None:
    panel.button("Describe…").click()
    expect(panel.dialog.get_by_label("Name (optional)")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel.dialog).to_have_count(0)
    expect(panel.snapshots).to_have_count(0)
