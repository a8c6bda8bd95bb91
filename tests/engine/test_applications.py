"""Applications through the engine: captured, snapshot, handed out, built, restored, renamed and deleted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, NotFound
from nuvo_jupyter.model.tasks import Task
from tests.workspace.applications.made import install, make_environment, make_wheel

from .campus import PROFESSOR, Campus

MASTER = "intro/master"


@pytest.fixture
def science(course: Campus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a package that only its own wheel has, captured as `science` of Master."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    environment = make_environment(tmp_path / "env", make_wheel(tmp_path / "wheels", "gamma", "1.0"))
    course.run(
        "application_add",
        PROFESSOR,
        instance=MASTER,
        name="science",
        prefix=str(environment),
        seal=True,
        offline=True,
    )
    return environment


def shown(campus: Campus, instance: str, name: str = "science") -> Any:
    return campus.call("application_show", PROFESSOR, instance=instance, name=name)


def versions(campus: Campus, instance: str) -> dict[str, str]:
    return {package.name: package.version for package in shown(campus, instance).packages}


def builds(campus: Campus) -> list[Task]:
    return [task for task in campus.call("task_list") if task.kind == "application_build"]


def test_an_environment_is_handed_out_and_can_be_used(course: Campus, science: Path) -> None:
    assert versions(course, MASTER)["gamma"] == "1.0"
    task = course.run(
        "distribute",
        PROFESSOR,
        source=MASTER,
        objects=[{"path": "science", "kind": "application"}],
        to=["all"],
    )
    outcomes = course.outcomes(task, "intro/anna")
    assert outcomes[".nuvo/applications/science/app.json"] == "created"
    shutil.rmtree(science)
    queued = [task for task in builds(course) if task.instance == "intro/anna"]
    assert course.finish(queued[0]).state == "done"
    prefix = Path(shown(course, "intro/anna").prefix)
    assert prefix.is_relative_to(course.home)
    said = subprocess.run([prefix / "bin" / "gamma"], capture_output=True, text=True, check=True)
    assert said.stdout == "1.0\n"
    # The same packages are one environment, however many have them.
    ben = next(task for task in builds(course) if task.instance == "intro/ben")
    assert course.finish(ben).state == "done"
    assert Path(shown(course, "intro/ben").prefix) == prefix


def test_a_snapshot_holds_the_environment_as_it_is_and_a_restore_brings_it_back(
    course: Campus, science: Path, tmp_path: Path
) -> None:
    before = course.snapshot(MASTER)
    assert course.call("snapshot_show", PROFESSOR, state=before).applications == ("science",)
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    after = course.snapshot(MASTER)
    assert versions(course, MASTER)["gamma"] == "2.0"
    changed = course.call("compare", PROFESSOR, left=before, right=after)
    assert all(item.path.startswith(".nuvo/applications/science") for item in changed.differences)
    course.run("restore", PROFESSOR, source=before, paths=[".nuvo/applications/science"])
    assert versions(course, MASTER)["gamma"] == "1.0"
    assert shown(course, MASTER).pending
    assert course.finish(builds(course)[0]).state == "done"
    prefix = Path(shown(course, MASTER).prefix)
    said = subprocess.run([prefix / "bin" / "gamma"], capture_output=True, text=True, check=True)
    assert said.stdout == "1.0\n"


def test_an_environment_that_cannot_be_built_says_which_package_and_leaves_the_old_one(
    course: Campus, science: Path
) -> None:
    old = shown(course, MASTER).prefix
    wheel = next((course.workspace(MASTER) / ".nuvo/applications/science/wheels").glob("gamma*"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    task = course.finish(
        course.call("application_build", PROFESSOR, instance=MASTER, name="science", offline=True)
    )
    assert task.state == "failed"
    assert task.problem is not None
    assert "gamma" in task.problem.message
    assert shown(course, MASTER).prefix == old


def test_renaming_deleting_and_what_is_refused(course: Campus, science: Path, tmp_path: Path) -> None:
    with pytest.raises(AlreadyExists):
        course.call("application_add", PROFESSOR, instance=MASTER, name="science", prefix=str(science))
    with pytest.raises(InvalidInput, match="no folder"):
        course.call("application_add", PROFESSOR, instance=MASTER, name="other", prefix="relative")
    with pytest.raises(InvalidInput):
        course.call("application_add", PROFESSOR, instance=MASTER, name="../x", prefix=str(science))
    with pytest.raises(NotFound, match="no application 'other'"):
        course.call("application_build", PROFESSOR, instance=MASTER, name="other")
    course.call("application_rename", PROFESSOR, instance=MASTER, name="science", new="physics")
    assert [one.name for one in course.call("application_list", PROFESSOR, instance=MASTER)] == ["physics"]
    course.call("application_delete", PROFESSOR, instance=MASTER, name="physics")
    assert course.call("application_list", PROFESSOR, instance=MASTER) == ()
