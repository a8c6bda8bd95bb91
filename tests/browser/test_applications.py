"""The panel's applications: added, shown, built, started, changed, previewed, restored."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Shoot
from tests.browser.lab import Lab, extension_installed, start_lab
from tests.browser.panel import Panel
from tests.conftest import missing
from tests.workspace.applications.made import install, make_environment, make_wheel

pytestmark = pytest.mark.chromium

# It only waits.
KERNEL = {
    "ipykernel_launcher.py": "import time\n\ntime.sleep(600)\n",
    "ipykernel-6.0.data/data/share/jupyter/kernels/python3/kernel.json": json.dumps(
        {
            "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
        }
    ),
}
# An environment is captured and built while other tests may run.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start a JupyterLab without a network, whose kernels and packages are its own."""
    if not extension_installed():
        missing("the labextension is not installed: run the tests through `make test`")
    base = tmp_path_factory.mktemp("applications")
    (base / "root").mkdir()
    lab = start_lab(
        base / "root",
        base / "home",
        base / "private",
        theme=os.environ.get("NUVO_THEME", "JupyterLab Light"),
        environment={
            "JUPYTER_DATA_DIR": str(base / "data"),
            "UV_CACHE_DIR": str(base / "cache"),
            "UV_NO_CONFIG": "1",
            "UV_OFFLINE": "1",
        },
    )
    yield lab
    lab.stop()


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a kernel that only waits and two more packages, which are nowhere else."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    made = [make_wheel(tmp_path / "wheels", name, "1.0") for name in ("alpha", "gamma")]
    kernel = make_wheel(tmp_path / "wheels", "ipykernel", "6.0", KERNEL, program=False)
    return make_environment(tmp_path / "env", *made, kernel)


@pytest.fixture
def science(panel: Panel, environment: Path) -> Panel:
    """Add that environment, sealed, as `science`."""
    panel.take_snapshot()
    panel.unfold("Applications")
    add(panel, "science", environment, seal=True)
    return panel


def add(panel: Panel, name: str, environment: Path, *, seal: bool = False) -> None:
    panel.button("Add…").click()
    panel.dialog.get_by_label("Name", exact=True).fill(name)
    panel.dialog.get_by_label("Environment", exact=True).select_option(label="in the folder below")
    panel.dialog.get_by_label("Folder of the environment").fill(str(environment))
    panel.dialog.get_by_label("Names of environment variables").fill("DATA_KEY")
    panel.dialog.get_by_label("Sealed: with all its packages").set_checked(seal)
    panel.confirm("Add")
    expect(row(panel, name)).to_be_visible(timeout=PATIENCE)


def row(panel: Panel, name: str) -> Locator:
    return panel.applications.filter(has=panel.page.get_by_title(name, exact=True))


def test_added_shown_built_and_started(
    science: Panel, lab: Lab, folder: Path, page: Page, environment: Path, shoot: Shoot
) -> None:
    found = row(science, "science")
    expect(found).to_contain_text("3 packages")
    expect(found).to_contain_text("sealed")
    science.expand(found)
    found.get_by_role("button", name="Details of science").click()
    expect(found).to_contain_text(str(environment))
    expect(found).to_contain_text("DATA_KEY")
    found.get_by_role("button", name="Details of science").click()
    found.get_by_role("button", name="Packages of science").click()
    expect(found.get_by_role("list", name="Packages").get_by_role("listitem")).to_have_text(
        ["alpha1.0", "gamma1.0", "ipykernel6.0"]
    )

    found.get_by_role("button", name="Build").click()
    kernels = lab.root.parent / "data" / "kernels"
    expect(found.get_by_role("button", name="Notebook")).to_be_visible(timeout=PATIENCE)
    (kernel,) = kernels.iterdir()
    told = json.loads((kernel / "kernel.json").read_text())["display_name"]
    assert told == f"science ({folder.name})"
    expect(science.tasks.filter(has_text="science").filter(has_text="done").first).to_be_visible()
    shoot(page, "panel-applications")

    # This kernel answers nothing; that the notebook asks for it is all there is to see.
    with page.expect_request(
        lambda asked: asked.method == "POST" and asked.url.split("?")[0].endswith("/api/sessions")
    ) as asked:
        found.get_by_role("button", name="Notebook").click()
    assert (asked.value.post_data_json or {})["kernel"]["name"] == kernel.name


def test_what_is_not_complete_says_why(panel: Panel, environment: Path) -> None:
    panel.take_snapshot()
    panel.unfold("Applications")
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "loose.py").write_text("pass\n")
    add(panel, "loose", environment)
    found = row(panel, "loose")
    expect(found).to_contain_text("not complete")
    panel.expand(found)
    expect(found.get_by_role("list", name="Not captured completely")).to_contain_text("loose")


def test_renamed_and_deleted_and_what_is_refused(science: Panel, folder: Path, page: Page) -> None:
    found = row(science, "science")
    science.expand(found)
    found.get_by_role("button", name="Rename…").click()
    science.dialog.get_by_label("Name", exact=True).fill("physics")
    science.confirm("Rename")
    found = row(science, "physics")
    expect(found).to_be_visible()
    assert (folder / ".nuvo" / "applications" / "physics" / "app.json").exists()

    science.button("Add…").click()
    science.dialog.get_by_label("Name", exact=True).fill("other")
    science.dialog.get_by_label("Environment", exact=True).select_option(label="in the folder below")
    science.dialog.get_by_label("Folder of the environment").fill(str(folder / "nowhere"))
    science.confirm("Add")
    expect(page.get_by_text("is no folder of an environment")).to_be_visible()

    science.expand(found)
    found.get_by_role("button", name="Delete…").click()
    expect(science.dialog).to_contain_text("Snapshots that hold it keep it")
    science.confirm("Delete")
    expect(science.applications).to_have_count(0)


def test_a_restore_says_which_packages_change(
    science: Panel, environment: Path, tmp_path: Path, page: Page
) -> None:
    science.take_snapshot()
    snapshot = science.snapshots.first
    install(environment, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    science.take_snapshot()
    expect(science.snapshots).to_have_count(3)

    science.expand(science.snapshots.nth(1))
    snapshot = science.snapshots.nth(1)
    snapshot.get_by_role("button", name="Restore the application science…").click()
    changes = science.dialog.get_by_role("list", name="Changes of applications")
    expect(changes).to_contain_text("science")
    changes.get_by_role("button").click()
    expect(changes.get_by_role("list", name="Packages that differ")).to_contain_text("gamma2.0 → 1.0")
    science.confirm("Restore")
    expect(science.snapshots).to_have_count(4, timeout=PATIENCE)
    # It is built by itself after that; until then it says so.
    expect(row(science, "science")).to_contain_text("3 packages")
    builds = science.tasks.filter(has_text="science").filter(has_text="done")
    expect(builds.nth(1)).to_be_visible(timeout=PATIENCE)


def test_the_environment_of_an_open_notebook(panel: Panel, folder: Path, page: Page) -> None:
    panel.take_snapshot()
    with page.expect_response(
        lambda answer: "/api/sessions" in answer.url and answer.request.method == "POST", timeout=PATIENCE
    ):
        page.get_by_title("Python 3 (ipykernel)").first.click()
    expect(page.get_by_role("tab", name="Untitled.ipynb")).to_be_visible()
    panel.open()
    panel.unfold("Applications")
    panel.button("Add…").click()
    panel.dialog.get_by_label("Name", exact=True).fill("here")
    expect(panel.dialog.get_by_label("Environment", exact=True)).to_contain_text(
        "of the kernel of Untitled.ipynb"
    )
    # All of this environment would be a lot: what is asked for is enough.
    with page.expect_request(
        lambda asked: asked.url.split("?")[0].endswith("/nuvo/api/applications") and asked.method == "POST"
    ) as asked:
        page.route(
            "**/nuvo/api/applications*",
            lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
        )
        panel.confirm("Add")
    assert (asked.value.post_data_json or {})["prefix"] == sys.prefix
