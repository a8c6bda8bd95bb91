"""A JupyterLab and a browser for the tests of the panel."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.lab import Lab, extension_installed, start_lab
from tests.browser.panel import Panel
from tests.conftest import missing

IMAGES = Path(__file__).parents[2] / "docs" / "images"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Shoot = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Leave event loops alone: Playwright runs its own in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the servers here are processes of their own."""


# As long as Playwright is there, this thread's event loop counts as running, which other tests would stumble over.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start one Chromium for a module's tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start one JupyterLab for all tests; each works in a folder of its own."""
    if not extension_installed():
        missing("the labextension is not installed: run the tests through `make test`")
    base = tmp_path_factory.mktemp("lab")
    root = base / "root"
    root.mkdir()
    lab = start_lab(
        root, base / "home", base / "private", theme=os.environ.get("NUVO_THEME", "JupyterLab Light")
    )
    yield lab
    lab.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open an empty page; uncaught errors on it fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


_NUMBERS = itertools.count(1)


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Make a folder that was never used before, with a notebook's worth of small files."""
    folder = lab.root / f"Crop yields {next(_NUMBERS)}"
    (folder / "data").mkdir(parents=True)
    (folder / "analysis.py").write_text("import csv\n\nprint('first version')\n")
    (folder / "notes.md").write_text("# Notes\n\nFirst thoughts.\n")
    (folder / "data" / "yields.csv").write_text("year,yield\n2024,3.1\n2025,3.4\n")
    return folder


@pytest.fixture
def panel(page: Page, lab: Lab, folder: Path) -> Panel:
    """Open JupyterLab in that folder, with the panel in front and nothing on the user's stage."""
    # There is one stage for a user, wherever they are; what another test left there would ask to be cleared first.
    lab.call("DELETE", "/stage")
    panel = Panel(page)
    panel.visit(lab.url(folder.name))
    panel.open()
    return panel


@pytest.fixture(scope="session")
def shoot() -> Shoot:
    """Save a picture for the documentation, when asked to by `NUVO_SCREENSHOTS=1`."""

    def save(page: Page, name: str) -> None:
        if os.environ.get("NUVO_SCREENSHOTS") == "1":
            IMAGES.mkdir(parents=True, exist_ok=True)
            # Notifications come and go, and hide what is to be seen.
            page.screenshot(path=IMAGES / f"{name}.png", style=".Toastify { display: none; }")

    return save
