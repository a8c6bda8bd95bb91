"""The audit trail: one entry for every change, with its outcome, and who may read which."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.exc import DatabaseError

from nuvo_jupyter.engine.operations import OPERATIONS
from nuvo_jupyter.model.applications import Definition, Python
from nuvo_jupyter.model.errors import NotFound, NuvoError, Refused
from nuvo_jupyter.workspace.applications import definition, lock
from nuvo_jupyter.workspace.tables.connection import Connection

from .campus import PROFESSOR, Campus, Keeper

STAGED = [{"path": "a.txt"}]
Fields = dict[str, Any]

# Per changing operation: who does it, a request that succeeds, and one that fails (`None`: cannot fail by its request);
# `{…}` are ids known once the scene is made.
CHANGES: dict[str, tuple[str | None, Fields, Fields | None]] = {
    "space_create": (PROFESSOR, {"name": "new"}, {"name": "intro"}),
    "space_update": (PROFESSOR, {"space": "intro", "description": "d"}, {"space": "intro", "timezone": "x"}),
    "space_delete": (PROFESSOR, {"space": "other"}, {"space": "nowhere"}),
    "space_recover": (PROFESSOR, {"space": "gone"}, {"space": "intro"}),
    "role_grant": (
        PROFESSOR,
        {"instance": "intro/anna", "username": "zoe", "role": "viewer"},
        {"instance": "intro/anna", "username": "zoe", "role": "admin"},
    ),
    "role_revoke": (
        PROFESSOR,
        {"instance": "intro/anna", "username": "anna"},
        {"instance": "intro/anna", "username": "zoe"},
    ),
    "access_ask": ("ben", {"instance": "intro/anna"}, {"instance": "intro/nobody"}),
    "roster_add": (PROFESSOR, {"space": "intro", "people": "carl"}, {"space": "intro", "people": ""}),
    "instance_create": (PROFESSOR, {"space": "intro", "name": "carl"}, {"space": "intro", "name": "anna"}),
    "instance_update": (
        PROFESSOR,
        {"instance": "intro/anna", "description": "d"},
        {"instance": "intro/anna", "name": "ben"},
    ),
    "instance_delete": (PROFESSOR, {"instance": "intro/anna"}, {"instance": "intro/master"}),
    "instance_recover": (PROFESSOR, {"instance": "intro/old"}, {"instance": "intro/anna"}),
    "snapshot_create": ("anna", {"instance": "intro/anna"}, {"instance": "intro/anna", "name": "7"}),
    "snapshot_update": (
        "anna",
        {"state": "intro/anna@1", "name": "n"},
        {"state": "intro/anna@1", "name": "latest"},
    ),
    "snapshot_delete": ("anna", {"state": "intro/anna@1"}, {"state": "intro/anna@9"}),
    "snapshot_recover": ("anna", {"state": "intro/anna@2"}, {"state": "intro/anna@1"}),
    "restore": ("anna", {"source": "intro/anna@1"}, {"source": "intro/anna@1:missing"}),
    "restore_preview": ("anna", {"source": "intro/anna@1"}, {"source": "intro/anna"}),
    "table_import": (
        PROFESSOR,
        {"instance": "intro/master", "path": "rows.csv"},
        {"instance": "intro/master", "path": "missing.csv"},
    ),
    "table_rename": (
        PROFESSOR,
        {"instance": "intro/master", "table": "t", "name": "u"},
        {"instance": "intro/master", "table": "missing", "name": "u"},
    ),
    "table_delete": (
        PROFESSOR,
        {"instance": "intro/master", "table": "d"},
        {"instance": "intro/master", "table": "missing"},
    ),
    "application_add": (
        PROFESSOR,
        {"instance": "intro/master", "name": "py", "prefix": sys.prefix},
        {"instance": "intro/master", "name": "../py", "prefix": sys.prefix},
    ),
    "application_build": (
        PROFESSOR,
        {"instance": "intro/master", "name": "a"},
        {"instance": "intro/master", "name": "missing"},
    ),
    "application_rename": (
        PROFESSOR,
        {"instance": "intro/master", "name": "b", "new": "c"},
        {"instance": "intro/master", "name": "missing", "new": "c"},
    ),
    "application_delete": (
        PROFESSOR,
        {"instance": "intro/master", "name": "d"},
        {"instance": "intro/master", "name": "missing"},
    ),
    "crate_import": (
        PROFESSOR,
        {"instance": "intro/master", "path": "a.txt"},
        {"instance": "intro/master", "path": "missing.zip"},
    ),
    "stage_add": (
        PROFESSOR,
        {"state": "intro/master", "objects": STAGED},
        {"state": "intro/master", "objects": [{"path": "missing"}]},
    ),
    "stage_remove": (PROFESSOR, {"objects": STAGED}, {"objects": [{"path": "missing"}]}),
    "stage_clear": (PROFESSOR, {}, None),
    "usage": (PROFESSOR, {"space": "intro"}, {"space": "intro", "states": ("intro/anna",)}),
    "collect": (None, {"dry_run": True}, None),
    "retention_set": (PROFESSOR, {"space": "intro", "daily": 7}, {"space": "intro", "within": "soon"}),
    "forget": (PROFESSOR, {"space": "intro", "dry_run": True}, {"space": "nowhere"}),
    "schedule_set": (
        PROFESSOR,
        {"instance": "intro/anna", "minutes": 10},
        {"instance": "intro/nobody", "minutes": 10},
    ),
    "distribute_preview": (
        PROFESSOR,
        {"source": "intro/master", "whole": True, "to": ["anna"]},
        {"source": "intro/master", "whole": True, "to": ["nobody"]},
    ),
    "distribute": (
        PROFESSOR,
        {"source": "intro/master", "whole": True, "to": ["anna"]},
        {"source": "intro/master", "whole": True, "to": ["nobody"]},
    ),
    "distribution_retry": (PROFESSOR, {"id": "{cancelled}"}, {"id": "{done}"}),
    "pull": ("anna", {"instance": "intro/anna"}, {"instance": "intro/anna", "paths": ["missing"]}),
    "pull_preview": ("anna", {"instance": "intro/anna"}, {"instance": "intro/anna", "paths": ["missing"]}),
    "recall": (PROFESSOR, {"space": "intro", "objects": STAGED}, {"space": "intro"}),
    "task_cancel": (PROFESSOR, {"id": "{task}"}, {"id": 999_999}),
    "verify": (None, {}, None),
    "repair": (None, {}, None),
}
# What is no change of any state, and not told of.
SILENT = {"notification_read"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Campus, Keeper, dict[str, int]]]:
    campus = Campus(tmp_path_factory.mktemp("campus"))
    for name in ("intro", "other", "gone"):
        campus.space(name)
    campus.call("space_delete", PROFESSOR, space="gone")
    campus.write("intro/master", {"a.txt": "1", "rows.csv": "a\n1\n"})
    with Connection(campus.workspace("intro/master") / "tables") as tables:
        tables.execute("CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE d AS SELECT 1 AS a")
    campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben\nold")
    campus.call("instance_delete", PROFESSOR, instance="intro/old")
    for _ in range(2):
        campus.snapshot("intro/anna", "anna")
    campus.call("snapshot_delete", "anna", state="intro/anna@2")
    done = campus.run("distribute", PROFESSOR, source="intro/master", whole=True, to=["all"])
    cancelled = campus.call("distribute", PROFESSOR, source="intro/master", whole=True, to=["ben"])
    campus.call("task_cancel", PROFESSOR, id=cancelled.id)
    campus.call("stage_add", PROFESSOR, state="intro/master", objects=STAGED)
    python = Python(implementation="cpython", version="3.11.7", system="linux", machine="x86_64")
    for name in "abd":
        empty = Definition(name=name, python=python, complete=True)
        folder = campus.workspace("intro/master") / ".nuvo" / "applications" / name
        definition.write(folder, empty, lock.write([], "3.11"), "", (), (), {}, {})
    keeper = Keeper(campus)
    yield (
        campus,
        keeper,
        {"done": done.distribution or 0, "cancelled": cancelled.distribution, "task": done.id},
    )
    keeper.close()
    campus.close()


@pytest.fixture
def scene(made: tuple[Campus, Keeper, dict[str, int]]) -> Iterator[Campus]:
    yield made[0]
    made[1].restore()


@pytest.fixture
def fill(made: tuple[Campus, Keeper, dict[str, int]]) -> Callable[[Fields], Fields]:
    def filled(request: Fields) -> Fields:
        return {
            key: made[2][value.strip("{}")] if isinstance(value, str) and value.startswith("{") else value
            for key, value in request.items()
        }

    return filled


def test_every_change_is_in_the_table() -> None:
    assert set(CHANGES) | SILENT == {operation.name for operation in OPERATIONS if operation.changes}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_leaves_one_entry(scene: Campus, fill: Callable[[Fields], Fields], name: str) -> None:
    user, request, _ = CHANGES[name]
    before = scene.last_entry()
    scene.call(name, user, **fill(request))
    entries = scene.trail(before)
    assert [(entry.who, entry.action, entry.outcome) for entry in entries] == [
        (user or scene.owner, name, "ok")
    ]
    if "instance" in request or "state" in request or "source" in request:
        assert entries[0].space == "intro"
        assert entries[0].state.startswith("intro/")
        assert entries[0].instance in ("anna", "master", "old")
    if "space" in request:
        assert entries[0].space == request["space"]


@pytest.mark.parametrize("name", [name for name, change in CHANGES.items() if change[2] is not None])
def test_a_change_that_fails_leaves_one_entry_that_says_why(
    scene: Campus, fill: Callable[[Fields], Fields], name: str
) -> None:
    user, _, request = CHANGES[name]
    assert request is not None
    before = scene.last_entry()
    with pytest.raises(NuvoError) as caught:
        scene.call(name, user, **fill(request))
    (entry,) = scene.trail(before)
    assert (entry.who, entry.action, entry.outcome) == (user, name, "failed")
    assert (entry.detail["code"], entry.detail["message"]) == (caught.value.code, caught.value.message)


def test_a_refusal_is_recorded_with_what_it_was_about(scene: Campus) -> None:
    before = scene.last_entry()
    for name, request in (
        ("instance_delete", {"instance": "intro/anna"}),
        ("distribute", {"source": "intro/master", "whole": True, "to": ["ben"]}),
        ("snapshot_create", {"folder": str(scene.workspace("intro/anna"))}),
        ("role_grant", {"space": "intro", "username": "ben", "role": "admin"}),
    ):
        with pytest.raises(Refused):
            scene.call(name, "ben", **request)
    entries = scene.trail(before)
    assert [(entry.space, entry.instance, entry.outcome) for entry in entries] == [
        ("intro", "anna", "refused"),
        ("intro", "master", "refused"),
        ("intro", "anna", "refused"),
        ("intro", None, "refused"),
    ]
    # Those who answer for the space read of them.
    mine = scene.call("audit_list", PROFESSOR, space="intro", after=before)
    assert [entry.id for entry in mine] == [entry.id for entry in entries]


def test_a_change_that_cannot_be_recorded_is_not_made(scene: Campus) -> None:
    before = scene.call("space_show", PROFESSOR, space="intro")
    scene.sql("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(DatabaseError, match="no room"):
        scene.call("space_update", PROFESSOR, space="intro", description="unrecorded")
    assert scene.call("space_show", PROFESSOR, space="intro") == before


def test_looking_leaves_no_entry(scene: Campus) -> None:
    before = scene.last_entry()
    scene.call("browse", PROFESSOR, state="intro/master")
    scene.call("audit_list", PROFESSOR)
    with pytest.raises(NotFound):
        scene.call("browse", PROFESSOR, state="intro/nobody")
    scene.call("notification_read", PROFESSOR, ids=[1])
    assert scene.trail(before) == []


def test_what_was_done_to_each_target_is_there(course: Campus) -> None:
    course.write("intro/anna", {"a.txt": "hers"})
    moved = course.workspace("intro/ben")
    moved.rename(moved.with_name("moved"))
    before = course.last_entry()
    task = course.finish(
        course.call("distribute", PROFESSOR, source="intro/master", whole=True, to=["anna", "ben"])
    )
    course.run("restore", "anna", source="intro/anna@1")
    course.snapshot("intro/anna", "anna")
    entries = {(entry.action, entry.instance, entry.who): entry for entry in course.trail(before)}
    done = entries["delivery", "anna", PROFESSOR]
    assert (done.outcome, done.space, done.state) == ("ok", "intro", "intro/anna@1")
    assert (done.detail["distribution"], done.detail["replaced"], done.detail["created"]) == (
        task.distribution,
        1,
        2,
    )
    failed = entries["delivery", "ben", PROFESSOR]
    assert (failed.outcome, failed.state, failed.detail["code"]) == (
        "failed",
        "intro/ben",
        "workspace_unavailable",
    )
    assert entries["delivery", "anna", "anna"].state == "intro/anna@2"
    assert entries["snapshot", "anna", "anna"].state == "intro/anna@3"


def test_admins_read_their_spaces_and_editors_their_own_part(scene: Campus) -> None:
    scene.call("space_update", PROFESSOR, space="other", description="not of anna's concern")
    scene.call("stage_clear", "ben")

    def read(user: str | None, **fields: Any) -> set[tuple[str | None, str | None, str]]:
        return {
            (entry.space, entry.instance, entry.who) for entry in scene.call("audit_list", user, **fields)
        }

    mine = read("anna")
    assert {("intro", "anna", "anna"), ("intro", "anna", PROFESSOR)} <= mine
    assert all(instance == "anna" for _, instance, who in mine if who != "anna")
    assert read("ben", space="intro") <= read("ben")
    assert {space for space, _, _ in read(PROFESSOR)} >= {"intro", "other", "gone"}
    assert read(None) >= read(PROFESSOR)
    assert read(None) >= mine
    assert {space for space, _, _ in read(PROFESSOR, space="other")} == {"other"}
    assert {instance for _, instance, _ in read(PROFESSOR, instance="intro/anna")} == {"anna"}
    assert {instance for _, instance, _ in read("anna", instance="intro/anna")} == {"anna"}
    with pytest.raises(Refused, match="read its audit trail"):
        read("ben", instance="intro/anna")
    with pytest.raises(NotFound):
        read("ben", space="other")
    assert read("nobody") == set()


def test_the_trail_is_read_in_pages(scene: Campus) -> None:
    every = [entry.id for entry in scene.trail()]
    first = scene.call("audit_list", limit=3)
    assert [entry.id for entry in first] == every[:3]
    rest = scene.call("audit_list", after=first[-1].id, limit=10_000)
    assert [entry.id for entry in rest] == every[3:]


def test_the_export_is_json_lines(scene: Campus) -> None:
    scene.call("space_update", PROFESSOR, space="intro", description="two\nlines, ünï, “quotes”\u2028")
    raw = scene.call("audit_export", limit=1)
    lines = b"".join(raw.body).decode().rstrip("\n").split("\n")
    read = [json.loads(line) for line in lines]
    trail = scene.trail()
    assert [entry["id"] for entry in read] == [entry.id for entry in trail]
    assert read[-1]["detail"]["description"] == "two\nlines, ünï, “quotes”\u2028"
    assert set(read[0]) == {"id", "at", "who", "action", "space", "instance", "state", "outcome", "detail"}
    last = b"".join(scene.call("audit_export", PROFESSOR, space="intro", after=trail[-2].id).body)
    assert json.loads(last)["id"] == trail[-1].id
    with pytest.raises(Refused):
        scene.call("audit_export", "ben", instance="intro/anna")


def test_a_long_export_comes_in_pieces(scene: Campus) -> None:
    with scene.catalog.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit (at, who, action, outcome, state, detail) "
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
            "SELECT 0, 'x', 'y', 'ok', '', '{}' FROM n"
        )
    pieces = list(scene.call("audit_export").body)
    assert len(pieces) > 2
    assert b"".join(pieces).count(b"\n") == len(scene.trail())


def test_long_requests_are_cut_in_the_trail(scene: Campus) -> None:
    before = scene.last_entry()
    scene.call("space_update", PROFESSOR, space="intro", description="x" * 50_000)
    with pytest.raises(NotFound):
        scene.call("stage_remove", PROFESSOR, objects=[{"path": str(number)} for number in range(5000)])
    described, unstaged = scene.trail(before)
    assert len(described.detail["description"]) < 3000
    assert len(unstaged.detail["objects"]) == 201


def test_what_is_no_text_is_refused_and_the_refusal_recorded(scene: Campus) -> None:
    before = scene.last_entry()
    with pytest.raises(NuvoError) as caught:
        scene.call("space_update", PROFESSOR, space="intro", description="\udcff")
    assert caught.value.code == "invalid_input"
    (entry,) = scene.trail(before)
    assert (entry.outcome, entry.detail["code"]) == ("failed", "invalid_input")
    assert b"".join(scene.call("audit_export", after=before).body)
