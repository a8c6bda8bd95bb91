"""The stage and the distribution tab, in a course with three students."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.lab import Lab
from tests.browser.panel import Panel

pytestmark = pytest.mark.chromium

STUDENTS = ["anna", "ben", "chloé"]
_COURSES = itertools.count(1)


class Course:
    """A course whose students have started, one with another version of a file."""

    def __init__(self, lab: Lab) -> None:
        self.name = f"Statistics {next(_COURSES)}"
        self.base = lab.root / self.name
        self.master = self.base / "master"
        (self.master / "data").mkdir(parents=True)
        (self.master / "week1.py").write_text("print('week 1')\n")
        (self.master / "data" / "yields.csv").write_text("year,yield\n2024,3.1\n")
        lab.call(
            "POST",
            "/spaces",
            {"name": self.name, "workspace": str(self.master), "template": f"{self.base}/{{username}}"},
        )
        people = "\n".join(f"{name}@example.org" for name in STUDENTS)
        lab.call("POST", "/roster", {"space": self.name, "people": people, "wait": 60})
        self.students = {name: self.base / name for name in STUDENTS}
        for folder in self.students.values():
            folder.mkdir(exist_ok=True)
        (self.students["ben"] / "week1.py").write_text("print('my own')\n")


@pytest.fixture
def course(lab: Lab) -> Course:
    lab.call("DELETE", "/stage")
    return Course(lab)


@pytest.fixture
def panel(page: Page, lab: Lab, course: Course) -> Panel:
    panel = Panel(page)
    panel.visit(lab.url(f"{course.name}/master"))
    return panel


def test_files_are_staged_from_the_file_browser(panel: Panel) -> None:
    panel.stage_from_menu("week1.py")
    panel.stage_from_menu("data")
    panel.open()
    expect(panel.staged).to_have_text(["week1.py", "data"])

    panel.button("Take week1.py off the stage").click()
    expect(panel.staged).to_have_text(["data"])
    panel.button("Clear").click()
    expect(panel.staged).to_have_count(0)


def test_staging_from_another_state_asks_before_it_clears(
    panel: Panel, lab: Lab, course: Course, folder: Path
) -> None:
    lab.call("POST", "/snapshots", {"folder": str(folder), "wait": 60})
    panel.stage_from_menu("week1.py")
    panel.open()
    expect(panel.staged).to_have_text(["week1.py"])

    panel.visit(lab.url(folder.name))
    panel.stage_from_menu("notes.md")
    expect(panel.dialog).to_contain_text(f"1 object of {course.name}/master will be taken off it.")
    panel.confirm("Clear and stage")
    panel.open()
    expect(panel.staged).to_have_text(["notes.md"])


def test_a_preview_then_a_distribution_to_all(panel: Panel, course: Course, page: Page, shoot: Shoot) -> None:
    panel.stage_from_menu("week1.py")
    panel.stage_from_menu("data")
    panel.open()
    panel.button("Distribute…").click()
    tab = panel.distribution
    tab.get_by_role("radio", name="Extra").check()
    tab.get_by_role("button", name="Preview").click()

    table = tab.get_by_role("table", name="What would happen")
    ben = table.get_by_role("row", name="ben")
    ben.get_by_role("button", name="ben").click()
    expect(tab.get_by_role("list", name="Objects").first).to_contain_text("week1.py")
    shoot(page, "distribute-preview")
    assert (course.students["ben"] / "week1.py").read_text() == "print('my own')\n"
    assert not (course.students["anna"] / "week1.py").exists()

    tab.get_by_role("button", name="Distribute", exact=True).click()
    expect(tab.get_by_role("heading", name="Distributed")).to_be_visible(timeout=30_000)
    for student in STUDENTS:
        delivery = tab.get_by_role("list", name="Deliveries").get_by_role("listitem").filter(has_text=student)
        expect(delivery.first).to_contain_text("done")
    assert (course.students["anna"] / "week1.py").read_text() == "print('week 1')\n"
    assert (course.students["ben"] / "week1.py").read_text() == "print('my own')\n"

    task = panel.tasks.first
    panel.expand(task)
    deliveries = task.get_by_role("list", name="Deliveries")
    deliveries.get_by_role("button", name="ben").click()
    expect(deliveries).to_contain_text("Review")
    expect(deliveries).to_contain_text("kept")
    shoot(page, "panel-deliveries")


def test_only_the_chosen_receive(panel: Panel, course: Course) -> None:
    panel.stage_from_menu("week1.py")
    panel.open()
    panel.button("Distribute…").click()
    tab = panel.distribution
    tab.get_by_role("radio", name="Chosen instances").check()
    expect(tab.get_by_role("button", name="Distribute", exact=True)).to_be_disabled()
    tab.get_by_label("Filter instances by name").fill("chl")
    instances = tab.get_by_role("list", name="Instances").get_by_role("listitem")
    expect(instances).to_have_count(1)
    tab.get_by_role("checkbox", name="chloé").check()
    tab.get_by_role("button", name="Distribute", exact=True).click()

    expect(tab.get_by_role("heading", name="Distributed")).to_be_visible(timeout=30_000)
    assert (course.students["chloé"] / "week1.py").exists()
    assert not (course.students["anna"] / "week1.py").exists()


def test_a_target_that_failed_is_explained_and_retried(panel: Panel, course: Course) -> None:
    anna = course.students["anna"]
    anna.rename(course.base / "elsewhere")
    anna.write_text("a file where the folder was")
    panel.stage_from_menu("week1.py")
    panel.open()
    panel.button("Distribute…").click()
    tab = panel.distribution
    tab.get_by_role("button", name="Distribute", exact=True).click()

    deliveries = tab.get_by_role("list", name="Deliveries").locator("> li")
    failed = deliveries.filter(has_text="anna")
    expect(failed).to_contain_text("failed", timeout=30_000)
    panel.expand(failed)
    expect(failed.get_by_role("alert").first).to_be_visible()
    assert (course.students["ben"] / "week1.py").read_text() == "print('week 1')\n"

    anna.unlink()
    (course.base / "elsewhere").rename(anna)
    tab.get_by_role("button", name="Retry 1 target").click()
    expect(tab.get_by_role("button", name="Retry 1 target")).to_have_count(0)
    expect(deliveries.filter(has_text="anna")).to_contain_text("done", timeout=30_000)
    assert (anna / "week1.py").exists()
