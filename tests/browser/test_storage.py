"""The panel's storage section: who needs how much, the rule, the clock, freeing space."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shoot
from tests.browser.lab import Lab
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium


def grow(panel: Panel, lab: Lab, folder: Path) -> str:
    """Take five snapshots of a folder in which a large file changes, and one is only in the second; its space's name."""
    (folder / "constant.bin").write_bytes(os.urandom(400_000))
    sizes = (150_000, 600_000, 80_000, 300_000, 220_000)
    for number, size in enumerate(sizes, start=1):
        (folder / "model.bin").write_bytes(os.urandom(size))
        if number == 2:
            (folder / "draft.bin").write_bytes(os.urandom(50_000))
        elif number == 3:
            (folder / "draft.bin").unlink()
        if number == 1:
            panel.take_snapshot()
        else:
            lab.call(
                "POST",
                "/snapshots",
                {"instance": f"{folder.name}/master", "name": f"fit {number}", "wait": 30},
            )
    panel.button("Refresh").click()
    expect(panel.snapshots).to_have_count(len(sizes))
    return folder.name


def test_usage_rule_clock_and_freeing_space(panel: Panel, lab: Lab, folder: Path, shoot: Shoot) -> None:
    space = grow(panel, lab, folder)
    panel.button("Storage").click()
    rows = panel.root.get_by_role("list", name="Stored by snapshot, newest first").locator("> li")
    expect(rows).to_have_count(5)
    expect(rows.nth(3)).to_contain_text("fit 2")
    expect(rows.nth(3)).to_contain_text(re.compile(r"65\d kB alone, 40\d kB shared"))
    expect(rows.nth(4)).to_contain_text("@1")
    panel.button("Storage").scroll_into_view_if_needed()
    panel.button("Free space…").scroll_into_view_if_needed()
    shoot(panel.page, "panel-storage")

    panel.button("Why is my space still full?").press("Enter")
    paths = panel.root.get_by_role(
        "list", name="Stored by table, application, file and folder, largest first"
    ).locator("> li")
    expect(paths).to_have_count(6)
    expect(paths.nth(0)).to_contain_text("model.bin 1.4 MB in 5 versions")
    expect(paths.nth(0)).to_contain_text("Deleting the 5 snapshots that have it would free 1.8 MB.")
    expect(paths.nth(1)).to_contain_text("constant.bin 400 kB in 1 version")
    expect(paths.nth(2)).to_contain_text("draft.bin 50 kB in 1 version")
    expect(paths.nth(2)).to_contain_text(
        re.compile(r"Not in the newest snapshot\. Deleting the one snapshot that has it would free 65\d kB\.")
    )
    data = paths.filter(has_text="data").get_by_role("button")
    data.click()
    expect(data).to_have_attribute("aria-expanded", "true")
    inside = panel.root.get_by_role("list", name="Stored in data, largest first").locator("> li")
    expect(inside).to_have_count(1)
    expect(inside).to_contain_text("yields.csv")
    panel.button("Change rule…").scroll_into_view_if_needed()
    shoot(panel.page, "panel-storage-paths")

    panel.root.get_by_label("Snapshot if something has changed").select_option(label="every 30 minutes")
    expect(panel.root.get_by_label("Snapshot if something has changed")).to_have_value("30")
    assert lab.call("GET", f"/schedule?instance={space.replace(' ', '%20')}/master")["minutes"] == 30

    expect(panel.root).to_contain_text("keeps all snapshots")
    panel.button("Change rule…").click()
    panel.dialog.get_by_label("Newest", exact=True).fill("1")
    panel.dialog.get_by_label("Days", exact=True).fill("7")
    panel.confirm("Save")
    expect(panel.root).to_contain_text("the last 1, one per day for 7 days")

    # Two backups before restores, of which the rule keeps the newer.
    for _ in range(2):
        (folder / "model.bin").write_bytes(os.urandom(100_000))
        lab.call("POST", "/restore", {"source": f"{space}/master@1", "wait": 30})
    panel.button("Refresh").click()
    expect(panel.snapshots).to_have_count(7)
    panel.button("Thin out…").click()
    table = panel.dialog.get_by_role("table", name="What the rule says")
    expect(table.get_by_role("row", name="master@6")).to_contain_text("goes")
    expect(table.get_by_role("row", name="master@7")).to_contain_text("the latest")
    shoot(panel.page, "panel-thin-out")
    panel.confirm("Delete")
    expect(panel.snapshots).to_have_count(6)

    panel.button("Free space…").click()
    expect(panel.dialog).to_contain_text("in the end")
    panel.dialog.get_by_label("At once, and also what could still be brought back").check()
    panel.confirm("Free")
    expect(panel.tasks.first).to_contain_text("Collect what nothing holds")
    expect(panel.tasks.first).to_contain_text("done")
    assert lab.call("GET", "/tasks?limit=1")[0]["state"] == "done"
