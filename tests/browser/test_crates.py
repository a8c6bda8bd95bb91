"""Snapshots exported as one file and imported again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Lab
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium


def test_a_snapshot_is_exported_and_comes_back(
    panel: Panel, page: Page, lab: Lab, folder: Path, tmp_path: Path
) -> None:
    panel.describe_snapshot(name="Submitted")
    row = panel.snapshots.first
    panel.expand(row)
    row.get_by_role("button", name="Export…").click()
    expect(panel.dialog.get_by_label("Title (optional)")).to_have_value("Submitted")
    panel.dialog.get_by_label("Authors, one per line").fill("Anna, A.\nBen")
    with page.expect_download() as download:
        panel.confirm("Export")
    crate = tmp_path / "submitted.crate.zip"
    download.value.save_as(crate)
    assert download.value.suggested_filename == f"{folder.name}-master-1.crate.zip"
    with zipfile.ZipFile(crate) as archive:
        told = json.loads(archive.read("ro-crate-metadata.json"))
    names = {item.get("name") for item in told["@graph"]}
    assert {"Submitted", "Anna, A.", "Ben"} <= names

    with page.expect_file_chooser() as chooser:
        panel.button("Import…").click()
    chooser.value.set_files(crate)
    panel.dialog.get_by_label("Name of the snapshot (optional)").fill("Back again")
    panel.confirm("Import")
    expect(panel.snapshots).to_have_count(2, timeout=30_000)
    expect(panel.snapshots.first).to_contain_text("Back again")
    # Nothing of the upload stays.
    assert not list(folder.glob("upload-*"))
    instance = f"{folder.name}/master".replace(" ", "%20")
    back, before = lab.call("GET", f"/snapshots?instance={instance}")
    assert back["id"] == before["id"]


def test_what_is_no_crate_is_refused(panel: Panel, page: Page, folder: Path, tmp_path: Path) -> None:
    panel.take_snapshot()
    broken = tmp_path / "broken.zip"
    broken.write_text("no zip")
    with page.expect_file_chooser() as chooser:
        panel.button("Import…").click()
    chooser.value.set_files(broken)
    panel.confirm("Import")
    expect(page.get_by_role("alert").filter(has_text="damaged or no zip file")).to_be_visible(timeout=30_000)
    expect(panel.snapshots).to_have_count(1)
    assert not list(folder.glob("upload-*"))
