"""Snapshots: quick and described, of folders never used before, referred to, renamed, deleted and recovered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.errors import (
    AlreadyExists,
    ConfirmationNeeded,
    Gone,
    InvalidInput,
    NotFound,
    NotNow,
    NuvoError,
)
from nuvo_jupyter.model.snapshots import Snapshot

from .campus import PROFESSOR, Campus

ANNA = "intro/anna"


def listed(campus: Campus, user: str = "anna", instance: str = ANNA, **fields: Any) -> list[Snapshot]:
    return list(campus.call("snapshot_list", user, instance=instance, **fields))


def numbers(campus: Campus, **fields: Any) -> list[int]:
    return [one.number for one in listed(campus, **fields)]


def test_a_quick_snapshot(course: Campus) -> None:
    course.write(ANNA, {"a": "1", "b/c": "22"})
    assert course.snapshot(ANNA, "anna") == "intro/anna@1"
    (one,) = listed(course)
    assert (one.number, one.name, one.description, one.reason) == (1, None, "", "manual")
    assert (one.files, one.size, one.created_by, one.instance) == (2, 3, "anna", ANNA)
    assert len(one.id) == 64
    assert one.created_at.tzinfo is not None
    assert course.call("instance_show", "anna", instance=ANNA).snapshots == 1


def test_equal_states_have_equal_ids(course: Campus) -> None:
    course.write(ANNA, {"a": "1"})
    for _ in range(2):
        course.snapshot(ANNA, "anna")
    course.write(ANNA, {"a": "2"})
    course.snapshot(ANNA, "anna")
    third, second, first = (one.id for one in listed(course))
    assert first == second != third


def test_a_described_snapshot_and_the_next_phase(course: Campus) -> None:
    course.call("instance_update", "anna", instance=ANNA, state_description="Phase 1")
    # Suggested, and taken where nothing else is said.
    course.snapshot(ANNA, "anna", name="first", next_description="Phase 2")
    assert listed(course)[0].description == "Phase 1"
    shown = course.call("instance_show", "anna", instance=ANNA)
    assert (shown.state_description, shown.final) == ("Phase 2", False)
    assert course.call("locate", "anna", folder=shown.workspace).state_description == "Phase 2"
    course.snapshot(ANNA, "anna", description="said otherwise", final=True)
    assert listed(course)[0].description == "said otherwise"
    shown = course.call("instance_show", "anna", instance=ANNA)
    assert (shown.state_description, shown.final) == ("Phase 2", True)
    course.snapshot(ANNA, "anna", description="")
    assert listed(course)[0].description == ""
    assert course.call("instance_show", "anna", instance=ANNA).final is False


@pytest.mark.parametrize(
    "name", ["7", "latest", "current", "2026-11-20", "2026-11-20T10", "a:b", "a@b", "a/b", "a\nb", " "]
)
def test_names_that_would_read_as_something_else_are_refused(known: Campus, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        known.call("snapshot_create", "anna", instance=ANNA, name=name)
    assert caught.value.hint
    assert known.call("task_list", "anna") == ()


def test_a_name_is_given_once(course: Campus) -> None:
    course.snapshot(ANNA, "anna", name="week 1")
    with pytest.raises(AlreadyExists):
        course.call("snapshot_create", "anna", instance=ANNA, name=" week 1 ")
    course.snapshot(ANNA, "anna")
    with pytest.raises(AlreadyExists):
        course.call("snapshot_update", "anna", state=f"{ANNA}@2", name="week 1")
    # Asked for twice before either was taken: the second one fails and says why.
    tasks = [course.call("snapshot_create", "anna", instance=ANNA, name="week 2") for _ in range(2)]
    done = [course.finish(task) for task in tasks]
    assert [task.state for task in done] == ["done", "failed"]
    assert done[1].problem is not None
    assert done[1].problem.code == "already_exists"
    # Elsewhere it is free.
    course.snapshot("intro/ben", "ben", name="week 1")


def test_renaming_and_describing(course: Campus) -> None:
    course.snapshot(ANNA, "anna", name="a")
    before = listed(course)[0]
    changed = course.call("snapshot_update", "anna", state=f"{ANNA}@a", name="b", description="d")
    assert (changed.name, changed.description, changed.id) == ("b", "d", before.id)
    assert course.call("snapshot_show", "anna", state=f"{ANNA}@b").snapshot == changed
    with pytest.raises(NotFound):
        course.call("snapshot_show", "anna", state=f"{ANNA}@a")
    unnamed = course.call("snapshot_update", "anna", state=f"{ANNA}@b", name="")
    assert (unnamed.name, unnamed.description) == (None, "d")
    for name in ("9", "latest"):
        with pytest.raises(InvalidInput):
            course.call("snapshot_update", "anna", state=f"{ANNA}@1", name=name)
    with pytest.raises(InvalidInput, match="current state"):
        course.call("snapshot_update", "anna", state=ANNA, description="x")


def test_deleting_and_recovering(course: Campus) -> None:
    for name in ("a", "b"):
        course.snapshot(ANNA, "anna", name=name)
    course.call("snapshot_delete", "anna", state=f"{ANNA}@a")
    assert numbers(course) == [2]
    assert [(one.number, one.deleted_at is None) for one in listed(course, deleted=True)] == [
        (2, True),
        (1, False),
    ]
    for text in ("1", "a"):
        with pytest.raises(Gone) as caught:
            course.call("snapshot_show", "anna", state=f"{ANNA}@{text}")
        assert "recovered until" in (caught.value.hint or "")
    # Its name is free again; then it does not come back under it.
    course.call("snapshot_update", "anna", state=f"{ANNA}@b", name="a")
    with pytest.raises(AlreadyExists):
        course.call("snapshot_recover", "anna", state=f"{ANNA}@1")
    course.call("snapshot_update", "anna", state=f"{ANNA}@2", name="b")
    assert course.call("snapshot_recover", "anna", state=f"{ANNA}@a").number == 1
    with pytest.raises(NotNow, match="not deleted"):
        course.call("snapshot_recover", "anna", state=f"{ANNA}@1")
    # Numbers are never given twice.
    course.call("snapshot_delete", "anna", state=f"{ANNA}@2")
    assert course.snapshot(ANNA, "anna") == f"{ANNA}@3"


def test_after_a_day_a_snapshot_is_not_recovered(course: Campus) -> None:
    course.snapshot(ANNA, "anna", name="a")
    course.call("snapshot_delete", "anna", state=f"{ANNA}@1")
    course.sql("UPDATE snapshot SET deleted_at = deleted_at - 86460")
    for text in ("1", "a", "latest"):
        with pytest.raises(NotFound):
            course.call("snapshot_recover", "anna", state=f"{ANNA}@{text}")
    assert listed(course, deleted=True) == []


def test_a_snapshot_that_is_being_delivered_is_not_deleted(course: Campus) -> None:
    state = course.snapshot("intro/master")
    task = course.call("distribute", PROFESSOR, source=state, whole=True, to=["anna"])
    with pytest.raises(NotNow, match="being delivered"):
        course.call("snapshot_delete", PROFESSOR, state=state)
    course.finish(task)
    course.call("snapshot_delete", PROFESSOR, state=state)


def test_references_to_snapshots(course: Campus) -> None:
    course.call("space_update", PROFESSOR, space="intro", timezone="America/New_York")
    for number in (1, 2, 3):
        course.write(ANNA, {"a": str(number)})
        course.snapshot(ANNA, "anna", name=f"2026-11-{number:02} release")
        at = datetime(2026, 3, number, 12, 0, tzinfo=UTC).timestamp()
        course.sql("UPDATE snapshot SET created_at = ? WHERE number = ? AND name IS NOT NULL", at, number)

    def holds(reference: str) -> bytes:
        return course.content(f"{ANNA}@{reference}:a", "anna")

    assert holds("1") == b"1"
    assert holds("latest") == b"3"
    assert holds("2026-11-02 release") == b"2"
    # Noon UTC is 07:00 in New York.
    assert holds("2026-03-02T07:00") == b"2"
    assert holds("2026-03-02T06:59") == b"1"
    assert holds("2026-03-02T12:00Z") == b"2"
    assert holds("2026-03-02T13:00:00+01:00") == b"2"
    assert holds("2026-03-03") == b"2"
    assert holds("2030-01-01") == b"3"
    for unknown in ("4", "0", "99999999999999999999", "9" * 4900, "²", "week", "2026-03-01", "0001-01-01"):
        with pytest.raises(NotFound):
            holds(unknown)
    course.call("snapshot_delete", "anna", state=f"{ANNA}@3")
    assert holds("latest") == holds("2030-01-01") == b"2"


def test_a_list_is_read_in_pages(course: Campus) -> None:
    for _ in range(5):
        course.snapshot(ANNA, "anna")
    course.call("snapshot_delete", "anna", state=f"{ANNA}@3")
    assert numbers(course, limit=2) == [5, 4]
    assert numbers(course, limit=2, before=4) == [2, 1]
    assert numbers(course, limit=2, before=4, deleted=True) == [3, 2]
    assert numbers(course, before=1) == []


def test_what_was_left_out_is_listed(course: Campus) -> None:
    course.write(ANNA, {".nuvoignore": "*.log\n", "x.log": "1", "__pycache__/m.pyc": "1", "kept": "1"})
    detail = course.call("snapshot_show", "anna", state=course.snapshot(ANNA, "anna"))
    assert {one.path for one in detail.excluded} == {"x.log", "__pycache__"}
    assert detail.snapshot.excluded == 2
    assert (detail.inconsistent, detail.tables, detail.applications) == ((), (), ())


def test_reasons_are_recorded(course: Campus) -> None:
    course.snapshot(ANNA, "anna")
    course.run("distribute", PROFESSOR, source="intro/master", whole=True, to=["anna"])
    course.run("restore", "anna", source=f"{ANNA}@1")
    assert [one.reason for one in listed(course)] == ["before_restore", "before_distribution", "manual"]
    assert [one.reason for one in listed(course, PROFESSOR, "intro/master")] == ["distributed"]


def test_the_first_snapshot_of_a_folder_makes_a_research_space(campus: Campus) -> None:
    for parent, name in (("x", "my data"), ("y", "my data"), ("z", "a: b@c")):
        folder = campus.folder / parent / name
        folder.mkdir(parents=True)
        (folder / "a").write_text(parent)
        suggested = campus.call("locate", folder=str(folder)).suggested_space
        task = campus.run("snapshot_create", folder=str(folder))
        assert task.snapshot == f"{suggested}/master@1"
        assert campus.content(f"{suggested}/master@1:a") == parent.encode()
    spaces = campus.call("space_list")
    assert [(one.name, one.kind) for one in spaces] == [
        ("a  b c", "research"),
        ("my data", "research"),
        ("my data 2", "research"),
    ]
    # From then on it is that instance's folder, and so is everything in it.
    (folder / "sub").mkdir()
    assert campus.run("snapshot_create", folder=str(folder / "sub")).snapshot == "a  b c/master@2"
    assert len(campus.call("space_list")) == 3


def test_a_failed_first_snapshot_leaves_no_space(campus: Campus) -> None:
    (campus.folder / "file").write_text("")
    for folder in (campus.folder / "missing", campus.folder / "file", campus.home):
        with pytest.raises(InvalidInput) as caught:
            campus.call("snapshot_create", folder=str(folder))
        assert caught.value.hint or "file" in caught.value.message
    assert campus.call("space_list") == ()


def test_either_an_instance_or_a_folder_is_given(known: Campus) -> None:
    for request in ({}, {"instance": ANNA, "folder": str(known.folder)}):
        with pytest.raises(InvalidInput, match="either"):
            known.call("snapshot_create", "anna", **request)
    with pytest.raises(InvalidInput, match="more than an instance"):
        known.call("snapshot_create", "anna", instance=f"{ANNA}@1")


@pytest.mark.parametrize("limits", [{"confirm_files": 3}, {"confirm_bytes": 10}])
def test_before_the_first_capture_of_something_huge_the_user_is_asked(
    tmp_path: Path, limits: dict[str, int]
) -> None:
    campus = Campus(tmp_path, **limits)
    campus.space()
    folder = tmp_path / "huge"
    folder.mkdir()
    (folder / "small").write_text("1")
    campus.run("snapshot_create", folder=str(folder))
    other = tmp_path / "huge too"
    other.mkdir()
    for number in range(10):
        (other / str(number)).write_text("some text")
        (folder / str(number)).write_text("some text")
    campus.write("intro/master", {str(number): "some text" for number in range(10)})
    for request in (
        {"folder": str(other)},
        {"instance": "intro/master"},
        {"folder": str(campus.workspace("intro/master"))},
    ):
        with pytest.raises(ConfirmationNeeded, match="large") as caught:
            campus.call("snapshot_create", **request)
        assert "--yes" in (caught.value.hint or "")
    assert {one.name for one in campus.call("space_list")} == {"huge", "intro"}
    for request in ({"folder": str(other)}, {"instance": "intro/master"}):
        campus.run("snapshot_create", confirmed=True, **request)
        # Once is enough.
        campus.run("snapshot_create", **request)
    # What was captured before may have grown.
    campus.run("snapshot_create", folder=str(folder))
    campus.close()


def test_limits_of_zero_never_ask(tmp_path: Path) -> None:
    campus = Campus(tmp_path, confirm_files=0, confirm_bytes=0)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("1")
    campus.run("snapshot_create", folder=str(folder))
    campus.close()


def test_a_missing_folder_fails_the_task_and_says_why(course: Campus) -> None:
    folder = course.workspace(ANNA)
    folder.rmdir()
    for make in (lambda: None, lambda: folder.write_text("a file")):
        make()
        task = course.finish(course.call("snapshot_create", "anna", instance=ANNA))
        assert task.state == "failed"
        assert task.problem is not None
        assert (task.problem.code, bool(task.problem.hint)) == ("workspace_unavailable", True)
        with pytest.raises(NuvoError) as caught:
            course.call("browse", "anna", state=ANNA)
        assert caught.value.code == "workspace_unavailable"
    assert listed(course) == []
