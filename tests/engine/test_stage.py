"""The stage: one per user, of one state."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from nuvo_jupyter.model.errors import InvalidInput, NotFound, NuvoError
from nuvo_jupyter.model.tasks import Stage

from .campus import PROFESSOR, Campus

MASTER = "intro/master"


def add(campus: Campus, *paths: str, state: str = MASTER, user: str = PROFESSOR) -> Stage:
    stage: Stage = campus.call("stage_add", user, state=state, objects=[{"path": path} for path in paths])
    return stage


def shown(campus: Campus, user: str = PROFESSOR) -> tuple[str | None, list[str]]:
    stage = campus.call("stage_show", user)
    return stage.state, [item.path for item in stage.objects]


def test_objects_are_gathered_in_order_and_once(known: Campus) -> None:
    assert shown(known) == (None, [])
    add(known, "week1/b.txt")
    add(known, "./a.txt", "a.txt", "week1/b.txt/")
    assert shown(known) == (MASTER, ["week1/b.txt", "a.txt"])


def test_a_path_inside_a_staged_folder_is_staged_with_it(known: Campus) -> None:
    add(known, "week1/b.txt")
    add(known, "week1")
    assert shown(known) == (MASTER, ["week1"])
    add(known, "week1/b.txt", "a.txt")
    assert shown(known) == (MASTER, ["week1", "a.txt"])


def test_another_state_clears_the_stage(course: Campus) -> None:
    state = course.snapshot(MASTER)
    add(course, "a.txt")
    add(course, "week1", state=state)
    assert shown(course) == (state, ["week1"])
    # The same state by another name stays the same state.
    add(course, "a.txt", state=f"{MASTER}@latest")
    assert shown(course) == (state, ["week1", "a.txt"])
    add(course, "a.txt")
    assert shown(course) == (MASTER, ["a.txt"])


def test_everyone_has_a_stage_of_their_own(known: Campus) -> None:
    known.write("intro/anna", {"mine": "1"})
    add(known, "a.txt")
    add(known, "mine", state="intro/anna", user="anna")
    assert shown(known) == (MASTER, ["a.txt"])
    known.call("stage_clear", "anna")
    assert (shown(known, "anna"), shown(known)) == ((None, []), (MASTER, ["a.txt"]))


@pytest.mark.parametrize(
    ("objects", "error"),
    [
        (["missing"], NotFound),
        (["a.txt", "missing"], NotFound),
        (["a.txt/below"], NotFound),
        (["week1/missing"], NotFound),
        (["../anna/x"], InvalidInput),
        (["/etc/passwd"], InvalidInput),
        ([""], InvalidInput),
        (["."], InvalidInput),
        ([".ipynb_checkpoints/a.txt"], NotFound),
        (["__pycache__"], NotFound),
        (["x.log"], NotFound),
        (["week1/logs/keep.txt"], NotFound),
    ],
)
def test_what_a_state_does_not_hold_is_not_staged(
    known: Campus, objects: list[str], error: type[NuvoError]
) -> None:
    odd = {".ipynb_checkpoints/a.txt": "", "__pycache__/m.pyc": "", "x.log": "", "week1/logs/keep.txt": ""}
    known.write(MASTER, odd | {".nuvoignore": "*.log\n", "week1/.nuvoignore": "logs/\n"})
    add(known, "week1")
    with pytest.raises(error) as caught:
        add(known, *objects)
    assert caught.value.hint
    assert shown(known) == (MASTER, ["week1"])


def test_a_stage_names_a_state_and_no_path(known: Campus) -> None:
    with pytest.raises(InvalidInput, match="names a path"):
        add(known, "b.txt", state=f"{MASTER}:week1")


def test_objects_are_taken_off_all_or_none(known: Campus) -> None:
    add(known, "a.txt", "week1")

    def remove(*paths: str) -> Any:
        return known.call("stage_remove", PROFESSOR, objects=[{"path": path} for path in paths])

    with pytest.raises(NotFound, match="'missing' is not staged"):
        remove("a.txt", "missing")
    assert shown(known) == (MASTER, ["a.txt", "week1"])
    remove("./a.txt")
    assert shown(known) == (MASTER, ["week1"])
    assert remove("week1") == Stage(None)
    assert shown(known) == (None, [])


def test_tables_and_applications_are_staged_by_name_or_by_path(known: Campus) -> None:
    files = {
        "tables/rides.parquet": "x",
        "tables/s/t.parquet": "x",
        ".nuvo/applications/py/app.json": "{}",
    }
    known.write(MASTER, files)
    objects = [
        {"path": "week1"},
        {"path": "rides", "kind": "table"},
        {"path": "tables/s/t.parquet"},
        {"path": "py", "kind": "application"},
    ]
    stage = known.call("stage_add", PROFESSOR, state=MASTER, objects=objects)
    assert [(item.path, item.kind) for item in stage.objects] == [
        ("week1", "file"),
        ("tables/rides.parquet", "table"),
        ("tables/s/t.parquet", "table"),
        (".nuvo/applications/py", "application"),
    ]
    known.call("stage_remove", PROFESSOR, objects=[{"path": "s.t", "kind": "table"}])
    with pytest.raises(NotFound, match="has no application 'r'"):
        known.call("stage_add", PROFESSOR, state=MASTER, objects=[{"path": "r", "kind": "application"}])
    shutil.rmtree(known.workspace(MASTER) / "tables")
    shutil.rmtree(known.workspace(MASTER) / ".nuvo")
