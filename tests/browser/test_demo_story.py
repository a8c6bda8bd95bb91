"""The demo in real JupyterLab: the instructor distributes from the tour's notebook, a student restores one file."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from nuvo_jupyter.demo.material import write_course
from nuvo_jupyter.demo.observe import parts_of
from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.set_up import set_up
from nuvo_jupyter.demo.student_work import WEEK_3
from tests.browser.conftest import Shoot
from tests.browser.lab import Lab, extension_installed, run_lab
from tests.browser.panel import Panel
from tests.conftest import missing

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

STUDENTS = 30
DELIVERED_MS = 120_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Make a demo."""
    if not extension_installed():
        missing("the labextension is not installed: run the tests through `make test`")
    place = Place(tmp_path_factory.mktemp("demo") / "nuvo-demo")
    place.claim()
    set_up(place, lambda *_: None)
    return place


@contextmanager
def demo(place: Place, username: str = "") -> Iterator[Lab]:
    """Run `nuvo demo` as a person would, without its browser."""
    token = secrets.token_hex(16)
    command = [
        str(Path(sys.executable).with_name("nuvo")), "demo", "--folder", str(place.folder), "--no-browser", "--port", "0",
        *(["--as", username] if username else []),
    ]  # fmt: skip
    root = place.workspace(username) if username else place.master
    lab = run_lab(command, root, place.home, token, {"JUPYTER_TOKEN": token})
    try:
        yield lab
    finally:
        lab.stop()


def open_notebook(panel: Panel, lab: Lab, path: str) -> Locator:
    """Open JupyterLab with a notebook in front and the panel beside it."""
    panel.page.goto(lab.url(path))
    notebook = panel.page.locator(".jp-NotebookPanel:visible")
    expect(notebook.locator(".jp-Cell").first).to_be_visible()
    panel.open()
    return notebook


def still(page: Page) -> None:
    """Wait until no message lies over the page."""
    expect(page.locator(".Toastify__toast")).to_have_count(0, timeout=30_000)


def to_top(heading: Locator) -> None:
    """Scroll so that a heading is the first thing to be seen."""
    heading.first.evaluate("node => node.scrollIntoView({block: 'start'})")


def test_the_instructor_distributes_and_a_student_restores(
    place: Place, browser: Browser, page: Page, shoot: Shoot, tmp_path: Path
) -> None:
    write_course(tmp_path / "course")
    course = parts_of(tmp_path / "course" / WEEK_3)
    before = parts_of(place.workspace("anna") / WEEK_3)
    with demo(place) as lab:
        instructor(lab, page, shoot)
    merged = parts_of(place.workspace("anna") / WEEK_3)
    assert not before - course - merged, "a cell of Anna's is lost"
    assert not parts_of(place.master / WEEK_3) - course - merged, "a cell of the instructor's is missing"
    with demo(place, "anna") as lab:
        student(lab, browser, place, shoot)
    assert parts_of(place.workspace("anna") / WEEK_3) == before


def instructor(lab: Lab, page: Page, shoot: Shoot) -> None:
    """Take a snapshot from the panel, run the tour, see thirty deliveries finish."""
    panel = Panel(page)
    notebook = open_notebook(panel, lab, "Distribute this course.ipynb")
    expect(panel.card.get_by_role("heading")).to_have_text("intro-to-data-science › master")
    panel.take_snapshot()
    expect(panel.tasks.filter(has_text="done").first).to_contain_text("Snapshot")
    still(page)
    shoot(page, "demo-instructor")

    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    task = panel.tasks.filter(has_text=re.compile("^(?!Preview).*Distribute 6 objects", re.DOTALL)).first
    expect(task).to_contain_text("done", timeout=DELIVERED_MS)
    panel.expand(task)
    deliveries = task.get_by_role("list", name="Deliveries").get_by_role("listitem")
    expect(deliveries.filter(has_text="done")).to_have_count(STUDENTS + 1)
    last = notebook.locator(".jp-CodeCell").last
    expect(last).to_contain_text("anna")
    expect(last).to_contain_text("merged")
    still(page)
    to_top(notebook.get_by_role("heading", name="4 · Distribute"))
    to_top(panel.root.get_by_role("heading", name="Stage"))
    page.mouse.move(0, 0)
    shoot(page, "demo-distributed")


def student(lab: Lab, browser: Browser, place: Place, shoot: Shoot) -> None:
    """Look at the merged notebook, then restore it from the backup snapshot."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(20_000)
    page = context.new_page()
    panel = Panel(page)
    notebook = open_notebook(panel, lab, WEEK_3)
    expect(panel.card.get_by_role("heading")).to_have_text("intro-to-data-science › anna")
    for text in ("Hint (added in week 4)", "I set them to missing and did not drop the rows."):
        cell = notebook.locator(".jp-Cell", has_text=text).first
        cell.scroll_into_view_if_needed()
        expect(cell).to_be_visible()
    # Long outputs folded, cells of both can be seen at once.
    for text in ("survey.loc[age.isna()", 'survey["age"] = age.where'):
        notebook.locator(".jp-CodeCell", has_text=text).first.locator(".jp-OutputCollapser").click()
    to_top(notebook.locator(".jp-Cell", has_text="Hint (added in week 4)"))
    # A kernel's first word marks the notebook as changed.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    page.mouse.move(0, 0)
    shoot(page, "demo-student")

    backup = panel.snapshots.first
    expect(backup).to_contain_text("Backup before a distribution")
    count = panel.snapshots.count()
    panel.expand(backup)
    backup.get_by_role("button", name="notebooks", exact=True).click()
    shoot(page, "demo-restore")
    backup.get_by_role("button", name=f"Restore {WEEK_3}…").click()
    panel.confirm("Restore")
    expect(panel.snapshots).to_have_count(count + 1)
    expect(panel.tasks.filter(has_text="Restore").first).to_contain_text("done")
    expect(notebook.locator(".jp-Cell", has_text="Hint (added in week 4)")).to_have_count(0)
    context.close()
