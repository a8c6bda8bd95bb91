"""Odd names the whole way: snapshot, distribute, pull, restore; and spaces and people with odd names."""

from __future__ import annotations

import os
from typing import Any

import pytest

from .campus import PROFESSOR, Campus

ODD: dict[str, str | bytes] = {
    "a b": "1",
    "-rf": "2",
    "--": "3",
    "line\nbreak": "4",
    "tab\tand\rreturn": "5",
    "🎓 ünï": "6",
    "u\u0308 decomposed": "7",
    "\udcff\udcfe.txt": b"8",
    "\udcff/inside \udcfe": b"9",
    "looks \\xff escaped": "10",
    "\\": "11",
    "x" * 255: "12",
    "@1:a": "13",
    "*?[!a]{b}": "14",
    "~": "15",
    ".hidden/.deep": "16",
    "$HOME `id` ; &": "17",
    "con.txt ": "18",
    "é" * 127: "19",
    "\u202egpj.exe": "20",
}


def contents(campus: Campus, instance: str) -> dict[bytes, bytes]:
    """Every file's content by its real name."""
    top = os.fsencode(campus.workspace(instance))
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, top)] = file.read()
    return found


EXPECTED = {
    os.fsencode(name): content if isinstance(content, bytes) else content.encode()
    for name, content in ODD.items()
}


@pytest.mark.parametrize("strategy", ["overwrite", "merge", "replace", "extra"])
def test_odd_names_arrive_and_come_back(course: Campus, strategy: str) -> None:
    for name in course.files("intro/master"):
        (course.workspace("intro/master") / name).unlink()
    (course.workspace("intro/master") / "week1").rmdir()
    course.write("intro/master", ODD)
    course.run(
        "distribute", PROFESSOR, source="intro/master", whole=True, to=["all"], strategies={"file": strategy}
    )
    assert contents(course, "intro/anna") == contents(course, "intro/distributed") == EXPECTED
    state = course.snapshot("intro/anna", "anna")
    for found in EXPECTED:
        os.unlink(os.path.join(os.fsencode(course.workspace("intro/anna")), found))
    paths = [entry.path for entry in course.call("browse", "anna", state=state)]
    course.run("restore", "anna", source=state, paths=paths)
    assert contents(course, "intro/anna") == EXPECTED


def test_each_odd_name_is_staged_and_distributed_by_the_path_that_is_shown(course: Campus) -> None:
    course.write("intro/master", ODD)
    paths = [entry.path for entry in course.call("browse", PROFESSOR, state="intro/master")]
    course.call("stage_add", PROFESSOR, state="intro/master", objects=[{"path": path} for path in paths])
    task = course.run("distribute", PROFESSOR, to=["anna"])
    assert contents(course, "intro/anna").items() >= EXPECTED.items()
    outcomes = course.outcomes(task, "intro/anna")
    assert "\\xff\\xfe.txt" in outcomes
    assert set(outcomes.values()) == {"created"}
    course.run("recall", PROFESSOR, space="intro", distribution=task.distribution)
    assert contents(course, "intro/anna") == {}


def test_the_longest_name_beside_which_a_copy_is_put(course: Campus) -> None:
    long: dict[str, str | bytes] = {"x" * 251 + ".txt": "theirs"}
    course.write("intro/master", long)
    course.write("intro/anna", {"x" * 251 + ".txt": "mine"})
    task = course.run(
        "distribute",
        PROFESSOR,
        source=f"intro/master:{'x' * 251}.txt",
        to=["anna"],
        strategies={"file": "rename"},
    )
    found = contents(course, "intro/anna")
    assert sorted(found.values()) == [b"mine", b"theirs"]
    assert all(len(name) <= 255 for name in found)
    assert set(course.outcomes(task, "intro/anna").values()) == {"renamed"}


@pytest.mark.parametrize(
    "name",
    [
        "Introduction to Data Science (FS 26)",
        "Änderung 🎓",
        "-rf",
        "{username}",
        "50% of *",
        "a.b-c_d",
        "x" * 100,
    ],
)
def test_spaces_and_people_may_have_odd_names(campus: Campus, name: str) -> None:
    campus.space(name, workspace=str(campus.folder / "material"))
    campus.write(f"{name}/master", {"a": "1"})
    campus.run("instance_create", PROFESSOR, space=name, name=name, people=[name])
    campus.run("distribute", PROFESSOR, source=f"{name}/master", whole=True, to=[name])
    assert campus.content(f"{name}/{name}:a", name) == b"1"
    assert (
        campus.call("locate", name, folder=str(campus.workspace(f"{name}/{name}"))).instance
        == f"{name}/{name}"
    )
    campus.run("snapshot_create", name, instance=f"{name}/{name}", name=name if name != "x" * 100 else "y")


def test_a_file_where_a_folder_comes_and_the_other_way_round(course: Campus) -> None:
    course.write("intro/anna", {"week1": "a file", "a.txt/inside": "a folder"})
    before = contents(course, "intro/anna")
    task = course.finish(course.call("distribute", PROFESSOR, source="intro/master", whole=True, to=["anna"]))
    outcomes = course.outcomes(task, "intro/anna")
    assert task.state in ("done", "failed")
    assert {"a.txt", "week1"} <= set(outcomes) or {"a.txt", "week1/b.txt"} <= set(outcomes)
    after = contents(course, "intro/anna")
    backup = course.deliveries(task)["intro/anna"].task.backup
    assert backup is not None
    course.run("restore", "anna", source=backup)
    assert contents(course, "intro/anna") == before
    assert after != {}


def test_nothing_outside_is_written_through_a_students_links(course: Campus) -> None:
    outside = course.folder / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("not yours")
    (course.workspace("intro/anna") / "week1").symlink_to(outside)
    (course.workspace("intro/anna") / "a.txt").symlink_to(outside / "b.txt")
    course.finish(course.call("distribute", PROFESSOR, source="intro/master", whole=True, to=["anna"]))
    assert {path.name: path.read_text() for path in outside.iterdir()} == {"b.txt": "not yours"}


def test_requests_over_their_limits_are_refused_by_their_declaration(known: Campus) -> None:
    import msgspec

    bad: list[tuple[str, dict[str, Any]]] = [
        ("space_create", {"name": "x" * 201}),
        ("space_create", {"name": "x", "unknown": 1}),
        ("snapshot_list", {"instance": "intro/anna", "limit": 0}),
        ("task_show", {"id": 2**60}),
        ("recall", {"space": "intro", "scope": "everyone"}),
        ("stage_add", {"state": "intro/anna", "objects": []}),
        (
            "distribute",
            {"source": "intro/master", "whole": True, "to": ["all"], "strategies": {"file": "clobber"}},
        ),
    ]
    for name, request in bad:
        with pytest.raises(msgspec.ValidationError):
            known.call(name, PROFESSOR, **request)
