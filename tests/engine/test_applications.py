"""Applications through the engine: captured, snapshot, handed out, built, restored, renamed and deleted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nuvo_jupyter.delivery.scheduling import queue_due
from nuvo_jupyter.model.applications import in_words
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import AlreadyExists, ApplicationDamaged, InvalidInput, NotFound
from nuvo_jupyter.model.tasks import Preview, TargetPreview, Task
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


def test_settings_are_applied_only_where_that_is_asked_for(
    course: Campus, science: Path, tmp_path: Path
) -> None:
    themes = "@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    carried = course.workspace(MASTER) / ".nuvo/applications/science/settings" / themes
    mine = tmp_path / "config/lab/user-settings" / themes
    for path, text in ((carried, '{"theme": "theirs"}'), (mine, '{"theme": "mine"}')):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert [(one.path, one.standing) for one in shown(course, MASTER).settings] == [(themes, "different")]
    fields = {"instance": MASTER, "name": "science", "offline": True}
    assert course.run("application_build", PROFESSOR, **fields).notes == ()
    assert "mine" in mine.read_text()
    notes = course.run("application_build", PROFESSOR, **fields, settings=True).notes
    assert notes[0] == f"Settings written: {themes}"
    assert "theirs" in mine.read_text()
    (backup,) = mine.parent.glob("*.backup")
    assert backup.name in notes[1]
    assert "mine" in backup.read_text()
    assert shown(course, MASTER).settings[0].standing == "same"


def test_a_damaged_application_is_listed_beside_the_others_and_can_be_deleted(
    course: Campus, science: Path
) -> None:
    damaged = course.workspace(MASTER) / ".nuvo/applications/damaged"
    damaged.mkdir()
    (damaged / "app.json").write_text("{")
    found = course.call("application_list", PROFESSOR, instance=MASTER)
    assert [(one.name, bool(one.problem)) for one in found] == [("damaged", True), ("science", False)]
    assert "no lock" in found[0].problem
    with pytest.raises(ApplicationDamaged):
        shown(course, MASTER, "damaged")
    course.call("application_delete", PROFESSOR, instance=MASTER, name="damaged")
    assert [one.name for one in course.call("application_list", PROFESSOR, instance=MASTER)] == ["science"]


def preview(campus: Campus, operation: str, user: str | None = PROFESSOR, **fields: Any) -> Preview:
    task = campus.run(operation, user, **fields)
    found: Preview = campus.call("preview_show", user, id=task.id)
    return found


def changes(target: TargetPreview) -> list[tuple[str, str, str | None, str | None]]:
    (application,) = target.applications
    return [(one.name, one.kind.value, one.before, one.after) for one in application.comparison.packages]


def test_a_preview_says_which_packages_would_change(course: Campus, science: Path, tmp_path: Path) -> None:
    old = course.snapshot(MASTER)
    staged = [{"path": "science", "kind": "application"}]
    fields: dict[str, Any] = {"objects": staged, "to": ["anna", "ben"]}
    new = preview(course, "distribute_preview", source=old, **fields).targets
    assert [changes(target) for target in new] == [[("gamma", "added", None, "1.0")]] * 2
    assert [target.applications[0].outcome for target in new] == ["created", "created"]
    course.run("distribute", PROFESSOR, source=old, objects=staged, to=["anna"])
    install(
        science, make_wheel(tmp_path / "wheels", "gamma", "2.0"), make_wheel(tmp_path / "wheels", "eta", "1")
    )
    newer = course.snapshot(MASTER)
    anna, ben = preview(course, "distribute_preview", source=newer, **fields).targets
    assert changes(anna) == [("eta", "added", None, "1"), ("gamma", "upgraded", "1.0", "2.0")]
    assert (anna.applications[0].name, anna.applications[0].outcome) == ("science", "replaced")
    assert in_words(anna.applications[0].comparison) == "+eta 1, gamma 1.0 → 2.0"
    assert changes(ben) == [("eta", "added", None, "1"), ("gamma", "added", None, "2.0")]
    (warning,) = anna.applications[0].comparison.warnings
    assert "it has no kernel" in warning
    course.run("distribute", PROFESSOR, source=newer, **fields)
    assert not preview(course, "distribute_preview", source=newer, **fields).targets[0].applications
    # A restore is previewed in the same way, and to remove an application is one of the changes.
    (back,) = preview(course, "restore_preview", source=old).targets
    assert changes(back) == [("eta", "removed", "1", None), ("gamma", "downgraded", "2.0", "1.0")]
    assert versions(course, MASTER) == {"gamma": "2.0", "eta": "1"}


def test_a_preview_of_the_current_state_looks_at_it_as_it_lies_there(course: Campus, science: Path) -> None:
    course.write(MASTER, {".nuvo/applications/science/app.json": "{}"})
    found = preview(
        course,
        "distribute_preview",
        source=MASTER,
        objects=[{"path": "science", "kind": "application"}],
        to=["anna"],
    )
    (application,) = found.targets[0].applications
    assert "cannot be read" in application.comparison.warnings[0]


def test_what_is_there_and_cannot_be_read_is_said(course: Campus, science: Path) -> None:
    state = course.snapshot(MASTER)
    course.write("intro/anna", {".nuvo/applications/science/app.json": "{}"})
    found = preview(course, "distribute_preview", source=state, whole=True, to=["anna"])
    (application,) = found.targets[0].applications
    assert "What is there cannot be read" in application.comparison.warnings[0]
    assert changes(found.targets[0]) == [("gamma", "added", None, "1.0")]


def test_a_preview_warns_of_another_python_and_another_platform(course: Campus, science: Path) -> None:
    state = course.snapshot(MASTER)
    course.run("distribute", PROFESSOR, source=state, whole=True, to=["anna"])
    path = course.workspace(MASTER) / ".nuvo/applications/science/app.json"
    app = msgspec.json.decode(path.read_bytes())
    app["python"] |= {"version": "3.99.1", "machine": "riscv"}
    path.write_bytes(msgspec.json.encode(app))
    (target,) = preview(
        course, "distribute_preview", source=course.snapshot(MASTER), whole=True, to=["anna"]
    ).targets
    text = " ".join(target.applications[0].comparison.warnings)
    assert "made with Python 3.99, and here is Python" in text
    assert "riscv" in text
    assert "Python changes from cpython" in text
    assert target.applications[0].comparison.packages == ()


def test_only_files_leaves_applications_alone_and_the_preview_says_so(course: Campus, science: Path) -> None:
    course.write(MASTER, {"a.txt": "one"})
    state = course.snapshot(MASTER)
    fields: dict[str, Any] = {"source": state, "whole": True, "to": ["anna"], "only_files": True}
    (target,) = preview(course, "distribute_preview", **fields).targets
    assert target.applications == ()
    assert {item.kind for item in target.outcomes} == {ObjectKind.FILE}
    assert course.outcomes(course.run("distribute", PROFESSOR, **fields), "intro/anna")["a.txt"] == "created"
    assert course.call("application_list", PROFESSOR, instance="intro/anna") == ()


def test_an_application_of_two_states_is_compared(course: Campus, science: Path, tmp_path: Path) -> None:
    old = course.snapshot(MASTER)
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    new = course.snapshot(MASTER)
    for right in (new, MASTER):
        found = course.call("application_compare", PROFESSOR, left=old, right=right, name="science")
        assert [(one.name, one.before, one.after) for one in found.packages] == [("gamma", "1.0", "2.0")]
    gone = course.call("application_compare", PROFESSOR, left=MASTER, right="intro/anna", name="science")
    assert [(one.name, one.kind) for one in gone.packages] == [("gamma", "removed")]
    with pytest.raises(NotFound, match="Neither"):
        course.call("application_compare", PROFESSOR, left=old, right=new, name="other")
    with pytest.raises(InvalidInput, match="names a path"):
        course.call("application_compare", PROFESSOR, left=f"{old}:a", right=new, name="science")


def test_who_has_the_same_packages_already_keeps_their_application_when_merging(
    course: Campus, science: Path
) -> None:
    state = course.snapshot(MASTER)
    course.run("distribute", PROFESSOR, source=state, whole=True, to=["anna"])
    app = course.workspace("intro/anna") / ".nuvo/applications/science/app.json"
    own = app.read_bytes().replace(b'"complete": false', b'"complete":  false')
    app.write_bytes(own)
    fields: dict[str, Any] = {
        "source": state,
        "whole": True,
        "to": ["anna"],
        "strategies": {"application": "merge"},
    }
    (target,) = preview(course, "distribute_preview", **fields).targets
    assert target.applications == ()
    built = len(builds(course))
    task = course.run("distribute", PROFESSOR, **fields)
    assert set(course.outcomes(task, "intro/anna").values()) == {"kept"}
    assert app.read_bytes() == own
    assert len(builds(course)) == built


def test_a_build_shows_how_far_it_is_and_can_be_cancelled(
    course: Campus, science: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = [make_wheel(tmp_path / "many", f"part{number}", "1.0", program=False) for number in range(40)]
    environment = make_environment(tmp_path / "large", *wheels)
    fields = {"instance": MASTER, "name": "large"}
    course.run("application_add", PROFESSOR, **fields, prefix=str(environment), seal=True, offline=True)
    before = shown(course, MASTER, "large")
    seen: list[Task] = []
    # Each step is told at once, not four times a second: packages this small are installed in no time.
    monkeypatch.setattr("nuvo_jupyter.delivery.execution.TELL_SECONDS", 0.0)

    def listen(task_id: int) -> None:
        task = course.call("task_show", PROFESSOR, id=task_id)
        asked = any(one.total for one in seen if one.id == cancelled.id)
        seen.append(task)
        if task.total and task.id == cancelled.id and not asked:
            course.call("task_cancel", PROFESSOR, id=task_id)

    cancelled = course.call("application_build", PROFESSOR, **fields, offline=True)
    course.engine.listen(listen)
    assert course.finish(cancelled).state == "cancelled"
    assert shown(course, MASTER, "large") == before
    left = list((course.home / "environments").iterdir())
    assert not [path.name for path in left if "building" in path.name]
    again = course.call("application_build", PROFESSOR, **fields, offline=True)
    assert course.finish(again).state == "done"
    told = [task for task in seen if task.id == again.id and task.total]
    assert {task.total for task in told} == {40}
    assert told[-1].done == 40
    assert "installing packages" in {task.step for task in told}
    assert Path(shown(course, MASTER, "large").prefix).is_relative_to(course.home)


def test_a_preview_sees_what_was_installed_since_the_last_snapshot(
    course: Campus, science: Path, tmp_path: Path
) -> None:
    old = course.snapshot(MASTER)
    staged = [{"path": "science", "kind": "application"}]
    course.run("distribute", PROFESSOR, source=old, objects=staged, to=["anna"])
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    (target,) = preview(course, "distribute_preview", source=MASTER, objects=staged, to=["anna"]).targets
    assert changes(target) == [("gamma", "upgraded", "1.0", "2.0")]
    install(science, make_wheel(tmp_path / "wheels", "gamma", "3.0"))
    (back,) = preview(course, "restore_preview", source=old).targets
    assert changes(back) == [("gamma", "downgraded", "3.0", "1.0")]


def test_the_clock_takes_a_snapshot_where_a_package_was_installed(
    course: Campus, science: Path, tmp_path: Path
) -> None:
    course.snapshot(MASTER)
    course.call("schedule_set", PROFESSOR, instance=MASTER, minutes=10)

    def clock() -> list[str]:
        course.sql("UPDATE schedule SET looked_at = 1.0")
        before = {task.id for task in course.call("task_list")}
        queue_due(course.engine.context)
        new = [task for task in course.call("task_list") if task.id not in before]
        for task in new:
            course.finish(task)
        return [task.title for task in new]

    assert clock() == []
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    assert clock() == ["Snapshot of intro/master by the clock"]
    assert clock() == []
    newest = course.call("snapshot_list", PROFESSOR, instance=MASTER)[0]
    found = course.call(
        "application_compare", PROFESSOR, left=newest.reference, right=f"{MASTER}@1", name="science"
    )
    assert [(one.before, one.after) for one in found.packages] == [("2.0", "1.0")]


def test_a_definition_that_is_none_keeps_nobody_from_snapshots_and_exports(
    course: Campus, science: Path
) -> None:
    definition = course.workspace(MASTER) / ".nuvo" / "applications" / "science" / "app.json"
    definition.unlink()
    definition.mkdir()
    course.snapshot(MASTER)
    with pytest.raises(ApplicationDamaged, match=r"app\.json"):
        shown(course, MASTER)
    definition.rmdir()
    definition.write_text("[" * 100_000)
    state = course.snapshot(MASTER)
    with pytest.raises(ApplicationDamaged, match=r"app\.json"):
        shown(course, MASTER)
    assert b"".join(course.call("crate_export", PROFESSOR, state=state).body)
