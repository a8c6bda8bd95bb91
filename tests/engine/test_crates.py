"""Snapshots as crates: exported from one home, imported into another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.interop import export
from nuvo_jupyter.interop.crate import Item
from nuvo_jupyter.model.errors import AlreadyExists, InvalidInput, InvalidReference, NotFound

from .campus import PROFESSOR, Campus

MASTER = "intro/master"


def exported(campus: Campus, state: str, file: Path, **fields: object) -> Path:
    raw = campus.call("crate_export", PROFESSOR, state=state, **fields)
    data = b"".join(raw.body)
    assert len(data) == raw.size
    file.write_bytes(data)
    return file


def test_a_snapshot_travels_to_another_home_and_is_the_same_there(course: Campus, tmp_path: Path) -> None:
    state = course.snapshot(MASTER)
    crate = exported(course, state, tmp_path / "x.zip", title="Week 1", authors=["Ann"])
    (tmp_path / "other").mkdir()
    other = Campus(tmp_path / "other")
    try:
        other.space("lab")
        other.write("lab/master", {"crate.zip": crate.read_bytes()})
        task = other.run("crate_import", PROFESSOR, instance="lab/master", path="crate.zip", name="week1")
        assert task.snapshot == "lab/master@1"
        there = other.call("snapshot_show", PROFESSOR, state="lab/master@week1").snapshot
        here = course.call("snapshot_show", PROFESSOR, state=state).snapshot
        assert there.id == here.id
        assert there.description.startswith("Week 1")
        other.run("restore", PROFESSOR, source="lab/master@week1")
        assert other.files("lab/master") == course.files(MASTER)
    finally:
        other.close()


def test_what_is_no_crate_is_refused_and_leaves_nothing(course: Campus, tmp_path: Path) -> None:
    state = course.snapshot(MASTER)
    crate = exported(course, state, tmp_path / "x.zip").read_bytes()
    course.write(MASTER, {"no.zip": "no", "bad.zip": crate[:-30]})
    for path in ("no.zip", "bad.zip"):
        task = course.finish(course.call("crate_import", PROFESSOR, instance=MASTER, path=path))
        assert (task.state, task.problem.code if task.problem else "") == ("failed", "invalid_crate")
    assert len(course.call("snapshot_list", PROFESSOR, instance=MASTER)) == 1
    with pytest.raises(NotFound):
        course.call("crate_import", PROFESSOR, instance=MASTER, path="none.zip")
    with pytest.raises(InvalidInput, match="only snapshots"):
        course.call("crate_export", PROFESSOR, state=MASTER)


def test_the_name_of_an_import_is_free_when_it_is_asked_for_and_when_it_is_done(
    course: Campus, tmp_path: Path
) -> None:
    crate = exported(course, course.snapshot(MASTER), tmp_path / "x.zip")
    course.write(MASTER, {"x.zip": crate.read_bytes()})
    fields = {"instance": MASTER, "path": "x.zip", "name": "week1"}
    first, second = (course.call("crate_import", PROFESSOR, **fields) for _ in range(2))
    assert course.finish(first).state == "done"
    late = course.finish(second)
    assert late.problem is not None
    assert (late.state, late.problem.code) == ("failed", "already_exists")
    with pytest.raises(AlreadyExists, match=r"Snapshot 2 of intro/master is called 'week1' already"):
        course.call("crate_import", PROFESSOR, **fields)


def test_what_is_about_a_whole_snapshot_is_not_done_for_a_path_of_it(course: Campus) -> None:
    state = course.snapshot(MASTER)
    for operation, fields in (
        ("crate_export", {"state": f"{state}:a.txt"}),
        ("snapshot_delete", {"state": f"{state}:a.txt"}),
        ("snapshot_update", {"state": f"{state}:a.txt", "name": "x"}),
        ("usage", {"states": [f"{state}:a.txt"]}),
    ):
        with pytest.raises(InvalidReference, match="whole state"):
            course.call(operation, **fields)
    assert [one.name for one in course.call("snapshot_list", instance=MASTER)] == [None]


def test_a_snapshot_that_is_collected_while_it_is_exported_is_no_damage(
    course: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = course.snapshot(MASTER)
    course.write(MASTER, {"a.txt": "other", "week1/b.txt": "other"})
    items = export._items

    def meanwhile(*args: Any) -> list[Item]:
        course.call("snapshot_delete", state=state)
        course.run("collect", now=True)
        return items(*args)

    monkeypatch.setattr(export, "_items", meanwhile)
    with pytest.raises(NotFound, match="collected meanwhile"):
        course.call("crate_export", state=state)
    assert course.call("verify_show", id=course.run("verify").id).ok
