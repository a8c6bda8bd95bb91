"""Every operation × every role: who may, who is refused, and to whom it does not exist.

The space is private. Refusals name the missing role and who grants it; to those who may not know of the space,
everything in it is as if it were not there, word for word.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nuvo_jupyter.engine.operations import BY_NAME, OPERATIONS
from nuvo_jupyter.model.applications import Definition, Python
from nuvo_jupyter.model.errors import NotFound, NuvoError, Refused
from nuvo_jupyter.workspace.applications import definition, lock
from nuvo_jupyter.workspace.tables.connection import Connection

from .campus import PROFESSOR, Campus, Keeper

# By role: the user who holds it. `otto`, `vera` and `anna` hold theirs in the instance secret/anna that all is about.
WHO = {
    "stranger": "stranger",
    "member": "mona",
    "faculty": "fritz",
    "observer": "otto",
    "viewer": "vera",
    "editor of another instance": "ben",
    "editor": "anna",
    "admin": PROFESSOR,
    "manager": None,
}


@dataclass
class Scene:
    """The course and the ids of what happened in it."""

    campus: Campus
    distribution: int = 0
    task: int = 0
    delivery: int = 0
    preview: int = 0
    verification: int = 0
    repair: int = 0
    collection: int = 0
    usage: int = 0
    forgotten: int = 0


Fields = Callable[[Scene], dict[str, Any]]


def fields(**given: Any) -> Fields:
    return lambda scene: given


STAGED = [{"path": "a.txt"}]


def _application(scene: Scene) -> dict[str, Any]:
    """A request about an application, which is made anew."""
    folder = scene.campus.workspace("secret/anna") / ".nuvo" / "applications"
    shutil.rmtree(folder, ignore_errors=True)
    python = Python(implementation="cpython", version="3.11.7", system="linux", machine="x86_64")
    empty = Definition(name="py", python=python, complete=True)
    definition.write(folder / "py", empty, lock.write([], "3.11"), "", (), (), {}, {})
    return {"instance": "secret/anna", "name": "py"}


def _tables(scene: Scene, **given: Any) -> dict[str, Any]:
    """A request that changes tables, and the files it needs as they were."""
    folder = scene.campus.workspace("secret/anna") / "tables"
    for name in ("rows", "v"):
        (folder / f"{name}.parquet").unlink(missing_ok=True)
    (folder / "u.parquet").write_bytes((folder / "t.parquet").read_bytes())
    (folder.parent / "rows.csv").write_text("a\n1\n")
    return given


# Per operation: its request, and for each role in the order of WHO: A allowed, R refused, N not found.
TABLE: dict[str, tuple[Fields, str]] = {
    "status": (fields(), "AAA AAAA AA"),
    "locate": (lambda scene: {"folder": str(scene.campus.folder / "secret" / "anna")}, "AAA AAAA AA"),
    "space_create": (fields(name="mine", kind="research"), "RAA AAAA AA"),
    "space_list": (fields(), "AAA AAAA AA"),
    "space_show": (fields(space="secret"), "NNN AAAA AA"),
    "space_update": (fields(space="secret", description="new"), "NNN RRRR AA"),
    "space_delete": (fields(space="secret"), "NNN RRRR AA"),
    # Roles in a deleted space's instances count for nothing.
    "space_recover": (fields(space="gone"), "NNN NNNN AA"),
    "member_list": (fields(space="secret"), "NNN AAAA AA"),
    "role_grant": (fields(instance="secret/anna", username="zoe", role="viewer"), "NNN RRRR AA"),
    "role_revoke": (fields(instance="secret/anna", username="vera"), "NNN RRRR AA"),
    "access_ask": (fields(instance="secret/anna"), "NNN AAAA AA"),
    "access_list": (fields(space="secret"), "NNN RRRR AA"),
    "roster_add": (fields(space="secret", people="zoe"), "NNN RRRR AA"),
    "instance_create": (fields(space="secret", name="zoe"), "NNN RRRR AA"),
    "instance_list": (fields(space="secret"), "NNN AAAA AA"),
    "instance_show": (fields(instance="secret/anna"), "NNN AARA AA"),
    "instance_update": (fields(instance="secret/anna", state_description="new"), "NNN RRRA AA"),
    "instance_delete": (fields(instance="secret/anna"), "NNN RRRR AA"),
    "instance_recover": (fields(instance="secret/old"), "NNN RRRR AA"),
    "snapshot_create": (fields(instance="secret/anna"), "NNN RRRA AA"),
    "snapshot_list": (fields(instance="secret/anna"), "NNN RARA AA"),
    "snapshot_show": (fields(state="secret/anna@1"), "NNN RARA AA"),
    "snapshot_update": (fields(state="secret/anna@1", description="new"), "NNN RRRA AA"),
    "snapshot_delete": (fields(state="secret/anna@1"), "NNN RRRA AA"),
    "snapshot_recover": (fields(state="secret/anna@2"), "NNN RRRA AA"),
    "browse": (fields(state="secret/anna@1"), "NNN AARA AA"),
    "read": (fields(state="secret/anna@1:a.txt"), "NNN RARA AA"),
    "history": (fields(instance="secret/anna", path="a.txt"), "NNN RARA AA"),
    "compare": (fields(left="secret/anna@1", right="secret/anna"), "NNN RARA AA"),
    "diff": (fields(left="secret/anna@1:a.txt", right="secret/anna:a.txt"), "NNN RARA AA"),
    "restore": (fields(source="secret/anna@1"), "NNN RRRA AA"),
    "restore_preview": (fields(source="secret/anna@1"), "NNN RRRA AA"),
    "table_list": (fields(state="secret/anna@1"), "NNN RARA AA"),
    "table_show": (fields(state="secret/anna@1", table="t"), "NNN RARA AA"),
    "table_compare": (fields(left="secret/anna@1", right="secret/anna", table="t"), "NNN RARA AA"),
    "table_import": (lambda scene: _tables(scene, instance="secret/anna", path="rows.csv"), "NNN RRRA AA"),
    "table_rename": (
        lambda scene: _tables(scene, instance="secret/anna", table="u", name="v"),
        "NNN RRRA AA",
    ),
    "table_delete": (lambda scene: _tables(scene, instance="secret/anna", table="u"), "NNN RRRA AA"),
    "application_list": (fields(instance="secret/anna"), "NNN RARA AA"),
    "application_show": (lambda scene: _application(scene), "NNN RARA AA"),
    "application_compare": (
        lambda scene: {
            "left": (made := _application(scene))["instance"],
            "right": "secret/anna",
            "name": made["name"],
        },
        "NNN RARA AA",
    ),
    "application_add": (
        lambda scene: {"instance": "secret/anna", "name": "new", "prefix": str(scene.campus.folder)},
        "NNN RRRA AA",
    ),
    "application_build": (lambda scene: _application(scene), "NNN RRRA AA"),
    "application_rename": (lambda scene: _application(scene) | {"new": "renamed"}, "NNN RRRA AA"),
    "application_delete": (lambda scene: _application(scene), "NNN RRRA AA"),
    "crate_export": (fields(state="secret/anna@1"), "NNN RARA AA"),
    "crate_import": (fields(instance="secret/anna", path="a.txt"), "NNN RRRA AA"),
    "stage_show": (fields(), "AAA AAAA AA"),
    "stage_add": (fields(state="secret/anna@1", objects=STAGED), "NNN RARA AA"),
    "stage_remove": (fields(objects=STAGED), "NNN NNNN AN"),
    "stage_clear": (fields(), "AAA AAAA AA"),
    "distribute_preview": (
        fields(source="secret/anna@1", objects=STAGED, to=["secret/ben"]),
        "NNN RRRR AA",
    ),
    "preview_show": (lambda scene: {"id": scene.preview}, "NNN NNNN AA"),
    "preview_target": (lambda scene: {"id": scene.preview, "instance": "secret/anna"}, "NNN NNNN AA"),
    "distribute": (fields(source="secret/anna@1", objects=STAGED, to=["secret/ben"]), "NNN RRRR AA"),
    "distribution_list": (fields(space="secret"), "NNN AAAA AA"),
    "distribution_show": (lambda scene: {"id": scene.distribution}, "NNN NNAA AA"),
    "distribution_retry": (lambda scene: {"id": scene.distribution}, "NNN NNRR AA"),
    "delivery_show": (lambda scene: {"id": scene.delivery}, "NNN NNNA AA"),
    "pull": (fields(instance="secret/anna"), "NNN RRRA AA"),
    "pull_preview": (fields(instance="secret/anna"), "NNN RRRA AA"),
    "recall": (fields(space="secret", objects=STAGED), "NNN RRRR AA"),
    "task_list": (fields(), "AAA AAAA AA"),
    "task_show": (lambda scene: {"id": scene.task}, "NNN NNAA AA"),
    "task_cancel": (lambda scene: {"id": scene.task}, "NNN NNRR AA"),
    "notification_list": (fields(), "AAA AAAA AA"),
    "notification_read": (fields(ids=[1]), "AAA AAAA AA"),
    "audit_list": (fields(space="secret"), "NNN AAAA AA"),
    "audit_export": (fields(space="secret"), "NNN AAAA AA"),
    "verify": (fields(), "RRR RRRR RA"),
    "repair": (fields(), "RRR RRRR RA"),
    "verify_show": (lambda scene: {"id": scene.verification}, "RRR RRRR RA"),
    "collect": (fields(dry_run=True), "RRR RRRR RA"),
    "collect_show": (lambda scene: {"id": scene.collection}, "RRR RRRR RA"),
    "usage": (fields(space="secret"), "NNN RRRR AA"),
    "usage_show": (lambda scene: {"id": scene.usage}, "NNN NNNN AA"),
    "retention_show": (fields(space="secret"), "NNN RRRR AA"),
    "retention_set": (fields(space="secret", last=3), "NNN RRRR AA"),
    "forget": (fields(space="secret", dry_run=True), "NNN RRRR AA"),
    "forget_show": (lambda scene: {"id": scene.forgotten}, "NNN NNNN AA"),
    "schedule_show": (fields(instance="secret/anna"), "NNN RARA AA"),
    "schedule_set": (fields(instance="secret/anna", minutes=5), "NNN RRRA AA"),
    "repair_show": (lambda scene: {"id": scene.repair}, "RRR RRRR RA"),
}

CASES = [
    (name, role, answer)
    for name, (_, answers) in TABLE.items()
    for role, answer in zip(WHO, answers.replace(" ", ""), strict=True)
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Keeper]]:
    campus = Campus(tmp_path_factory.mktemp("campus"))
    campus.space("secret")
    campus.space("gone")
    campus.call("space_delete", PROFESSOR, space="gone")
    campus.call("role_grant", username="fritz", role="faculty")
    campus.call("role_grant", username="mona", role="member")
    campus.write("secret/master", {"a.txt": "one\n", "README.md": "read me\n"})
    campus.run("roster_add", PROFESSOR, space="secret", people="anna\nben\nold")
    campus.write("secret/anna", {"a.txt": "mine\n"})
    with Connection(campus.workspace("secret/anna") / "tables") as tables:
        tables.execute("CREATE TABLE t AS SELECT 1 AS a")
    campus.call("role_grant", PROFESSOR, instance="secret/anna", username="vera", role="viewer")
    campus.call("role_grant", PROFESSOR, instance="secret/anna", username="otto", role="observer")
    campus.call("instance_delete", PROFESSOR, instance="secret/old")
    campus.run("distribute", PROFESSOR, source="secret/master", whole=True, to=["all"])
    campus.snapshot("secret/anna", "anna")
    campus.call("snapshot_delete", "anna", state="secret/anna@2")
    preview = campus.run(
        "distribute_preview", PROFESSOR, source="secret/master@1", whole=True, to=["secret/anna"]
    )
    verification = campus.run("verify")
    repair = campus.run("repair")
    collection = campus.run("collect")
    usage = campus.run("usage", PROFESSOR, space="secret")
    forgotten = campus.run("forget", PROFESSOR, space="secret")
    task = campus.call(
        "distribute", PROFESSOR, source="secret/master@1", whole=True, to=["secret/anna", "secret/ben"]
    )
    campus.call("task_cancel", PROFESSOR, id=task.id)
    campus.call("stage_add", PROFESSOR, state="secret/anna@1", objects=STAGED)
    shown = campus.call("distribution_show", PROFESSOR, id=task.distribution)
    scene = Scene(
        campus,
        task.distribution,
        task.id,
        shown.deliveries[0].id,
        preview.id,
        verification.id,
        repair.id,
        collection.id,
        usage.id,
        forgotten.id,
    )
    keeper = Keeper(campus)
    yield scene, keeper
    keeper.close()
    campus.close()


@pytest.fixture
def scene(made: tuple[Scene, Keeper]) -> Iterator[Scene]:
    yield made[0]
    made[1].restore()


def test_every_operation_is_in_the_table() -> None:
    assert set(TABLE) == {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize(("name", "role", "answer"), CASES, ids=[f"{name}-{role}" for name, role, _ in CASES])
def test_who_may_do_what(scene: Scene, name: str, role: str, answer: str) -> None:
    request = TABLE[name][0](scene)
    before = scene.campus.last_entry()
    if answer == "A":
        scene.campus.call(name, WHO[role], **request)
        return
    with pytest.raises(Refused if answer == "R" else NotFound) as caught:
        scene.campus.call(name, WHO[role], **request)
    if answer == "R":
        assert caught.value.hint
        assert "space" in caught.value.hint or "manager" in caught.value.hint
    entries = [entry for entry in scene.campus.trail(before) if entry.action == name]
    assert [entry.outcome for entry in entries] == (
        [] if not BY_NAME[name].changes else ["refused" if answer == "R" else "failed"]
    )


HIDDEN = [name for name, (_, answers) in TABLE.items() if answers.startswith("NNN")]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_private_cannot_be_told_from_what_does_not_exist(scene: Scene, name: str) -> None:
    request = TABLE[name][0](scene)
    nowhere: dict[str, Any]
    if "id" in request:
        nowhere = request | {"id": 10**6}
    else:
        nowhere = {
            key: value.replace("secret", "hollow").replace("gone", "none")
            if isinstance(value, str)
            else value
            for key, value in request.items()
        }
    errors = []
    for asked in (request, nowhere):
        with pytest.raises(NuvoError) as caught:
            scene.campus.call(name, "mona", **asked)
        errors.append(repr(caught.value.to_dict()))
    errors[0] = errors[0].replace("secret", "hollow").replace("gone", "none")
    if "id" in request:
        errors[0] = errors[0].replace(f" {request['id']}.", f" {10**6}.")
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("snapshot_list", {"instance": "anna"}),
        ("snapshot_list", {"instance": "secret/nobody"}),
        ("browse", {"state": "home/secret/anna@77"}),
        ("browse", {"state": "secret/anna@77"}),
        ("instance_recover", {"instance": "secret/old"}),
        ("instance_show", {"instance": "secret/old"}),
        ("space_show", {"space": "gone"}),
        ("space_show", {"space": "home/gone"}),
        ("snapshot_show", {"state": "secret/anna@2"}),
        ("role_grant", {"space": "secret", "username": "mona", "role": "admin"}),
        ("role_grant", {"space": "secret", "instance": "anna", "username": "mona", "role": "editor"}),
        ("distribute", {"source": "secret/master", "whole": True, "to": ["all"]}),
        ("distribute", {"source": "mine/master", "whole": True, "to": ["secret/anna"]}),
        ("distribute", {"source": "mine/master", "whole": True, "to": ["all"], "space": "secret"}),
        ("compare", {"left": "mine/master", "right": "secret/anna"}),
        ("compare", {"left": "mine/master", "right": "secret/anna@1"}),
        ("diff", {"left": "mine/master:a.txt", "right": "secret/anna@1:a.txt"}),
        ("restore", {"source": "mine/master@1", "instance": "secret/anna"}),
        ("pull", {"instance": "mine/master", "source": "secret/distributed"}),
        ("pull", {"instance": "mine/master", "source": "secret/master"}),
        ("roster_add", {"space": "mine", "people": "zoe", "source": "secret/anna@1"}),
        ("task_list", {"space": "secret"}),
        ("distribution_list", {"instance": "secret/anna"}),
        ("audit_list", {"instance": "secret/anna"}),
    ],
)
def test_no_way_around_tells_of_what_is_private(scene: Scene, name: str, asked: dict[str, Any]) -> None:
    scene.campus.call("space_create", "mona", name="mine", kind="research")
    scene.campus.snapshot("mine/master", "mona")
    hollow: dict[str, Any] = {
        key: value.replace("secret", "hollow").replace("gone", "none").replace("anna", "nobody")
        if isinstance(value, str)
        else [one.replace("secret", "hollow").replace("anna", "nobody") for one in value]
        if isinstance(value, list)
        else value
        for key, value in asked.items()
    }
    errors = []
    for request in (asked, hollow):
        with pytest.raises(NuvoError) as caught:
            scene.campus.call(name, "mona", **request)
        errors.append(repr(caught.value.to_dict()))
    same = errors[0].replace("secret", "hollow").replace("gone", "none").replace("anna", "nobody")
    assert same == errors[1].replace("anna", "nobody")


def test_a_stranger_is_told_of_no_private_folder(scene: Scene) -> None:
    folder = str(scene.campus.folder / "secret" / "anna")
    located = scene.campus.call("locate", "mona", folder=folder)
    assert located.instance is None
    with pytest.raises(NotFound) as caught:
        scene.campus.call("snapshot_create", "mona", folder=folder)
    assert "secret/anna" not in caught.value.message.replace(folder, "")
    with pytest.raises(NuvoError) as overlap:
        scene.campus.call("space_create", "mona", name="mine", kind="research", workspace=f"{folder}/inside")
    assert overlap.value.code == "already_exists"
    assert "secret/anna" not in overlap.value.message.replace(folder, "")


def test_what_one_tried_and_was_not_told_of_does_not_show_in_ones_audit_trail(scene: Scene) -> None:
    for asked in ({"instance": "anna"}, {"instance": "secret/anna"}):
        with pytest.raises(NotFound):
            scene.campus.call("instance_update", "mona", description="mine now", **asked)
    entries = scene.campus.call("audit_list", "mona")
    assert len(entries) == 2
    assert {(entry.space, entry.instance, entry.outcome) for entry in entries} == {(None, None, "failed")}


@pytest.mark.parametrize(
    ("visibility", "seen_by"), [("private", set()), ("faculty", {"fritz"}), ("public", {"fritz", "mona"})]
)
def test_visibility_lets_people_see_that_a_space_exists_and_ask_for_access(
    scene: Scene, visibility: str, seen_by: set[str]
) -> None:
    call = scene.campus.call
    call("space_update", PROFESSOR, space="secret", visibility=visibility)
    for user in ("fritz", "mona", "stranger"):
        names = {space.name for space in call("space_list", user)}
        if user in seen_by:
            assert "secret" in names
            call("access_ask", user, instance="secret/anna", message="please")
            with pytest.raises(Refused, match="needs the role instance viewer") as caught:
                call("snapshot_list", user, instance="secret/anna")
            assert PROFESSOR in (caught.value.hint or "")
        else:
            assert "secret" not in names
            with pytest.raises(NotFound):
                call("access_ask", user, instance="secret/anna")
    asked = {request.person.username for request in call("access_list", PROFESSOR, space="secret")}
    assert asked == seen_by
    for user in seen_by:
        call("role_grant", PROFESSOR, instance="secret/anna", username=user, role="observer")
    assert call("access_list", PROFESSOR, space="secret") == ()


def test_an_observer_reads_the_readme_and_nothing_else(scene: Scene) -> None:
    scene.campus.write("secret/anna", {"README.md": "hello", "deep/README.md": "no", "b.txt": "no"})
    state = scene.campus.snapshot("secret/anna", "anna")
    for of in ("secret/anna", state):
        assert [entry.path for entry in scene.campus.call("browse", "otto", state=of)] == ["README.md"]
        assert scene.campus.call("browse", "otto", state=f"{of}:deep") == ()
        assert scene.campus.content(f"{of}:README.md", "otto") == b"hello"
        assert scene.campus.content(f"{of}:./README.md", "otto") == b"hello"
        for path in ("b.txt", "deep/README.md", "missing"):
            with pytest.raises(Refused, match="instance viewer"):
                scene.campus.call("read", "otto", state=f"{of}:{path}")


def test_every_editor_sees_distributed_and_nobody_elses_state(scene: Scene) -> None:
    assert scene.campus.call("browse", "ben", state="secret/distributed@latest")
    with pytest.raises(Refused):
        scene.campus.call("browse", "vera", state="secret/distributed")
    for foreign in ("secret/anna", "secret/master"):
        with pytest.raises(Refused):
            scene.campus.call("browse", "ben", state=foreign)
    names = {instance.name for instance in scene.campus.call("instance_list", "ben", space="secret")}
    assert names == {"ben", "distributed"}


@pytest.mark.parametrize("state", ["secret/ben", "secret/ben@1", "secret/master@1"])
def test_both_sides_of_a_comparison_need_a_viewer(scene: Scene, state: str) -> None:
    for name, path in (("compare", ""), ("diff", ":a.txt")):
        for sides in (("secret/anna@1", state), (state, "secret/anna@1")):
            with pytest.raises(Refused, match="instance viewer"):
                scene.campus.call(name, "anna", left=sides[0] + path, right=sides[1] + path)


def test_an_editor_of_a_target_sees_their_own_delivery_only(scene: Scene) -> None:
    shown = scene.campus.call("distribution_show", "ben", id=scene.distribution)
    assert [delivery.instance for delivery in shown.deliveries] == ["secret/ben"]


def test_courses_are_made_by_faculty(scene: Scene) -> None:
    with pytest.raises(Refused, match="organization faculty") as caught:
        scene.campus.call("space_create", "mona", name="mine", kind="course")
    assert scene.campus.owner in (caught.value.hint or "")
    assert "admin" not in [space.name for space in scene.campus.call("space_list", "mona")]
    made = scene.campus.call("space_create", "fritz", name="mine", kind="course")
    assert "space admin" in made.rights


def test_renaming_and_archiving_an_instance_need_an_admin(scene: Scene) -> None:
    for change in ({"name": "anna2"}, {"archived": True}):
        with pytest.raises(Refused, match="space admin"):
            scene.campus.call("instance_update", "anna", instance="secret/anna", **change)
        scene.campus.call("instance_update", PROFESSOR, instance="secret/anna", **change)
        scene.campus.call(
            "instance_update", PROFESSOR, instance="anna2", name="anna"
        ) if "name" in change else None


def test_an_admin_of_one_space_does_not_change_what_is_known_of_people(scene: Scene) -> None:
    call = scene.campus.call
    call("role_grant", username="fritz", role="faculty", email="fritz@example.org")
    call("space_create", "mona", name="mine", kind="research")
    call(
        "role_grant",
        "mona",
        space="mine",
        username="fritz",
        role="admin",
        email="mona@example.org",
        name="Fritz F.",
    )
    fritz = next(one.person for one in call("member_list", None) if one.person.username == "fritz")
    assert (fritz.email, fritz.name) == ("fritz@example.org", "Fritz F.")
    call("role_grant", username="fritz", role="faculty", email="new@example.org")
    fritz = next(one.person for one in call("member_list", None) if one.person.username == "fritz")
    assert fritz.email == "new@example.org"


def test_the_last_manager_stays(scene: Scene) -> None:
    owner = scene.campus.owner
    for name, request in (
        ("role_revoke", {"username": owner}),
        ("role_grant", {"username": owner, "role": "member"}),
    ):
        with pytest.raises(NuvoError) as caught:
            scene.campus.call(name, **request)
        assert caught.value.code == "not_now"
    scene.campus.call("role_grant", username="fritz", role="manager")
    scene.campus.call("role_revoke", "fritz", username=owner)


@pytest.mark.parametrize(
    "request_",
    [
        {"role": "editor"},
        {"role": "manager", "space": "secret"},
        {"role": "viewer", "space": "secret"},
        {"role": "admin", "instance": "secret/anna"},
    ],
)
def test_a_role_exists_only_where_it_belongs(scene: Scene, request_: dict[str, Any]) -> None:
    with pytest.raises(NuvoError) as caught:
        scene.campus.call("role_grant", username="zoe", **request_)
    assert caught.value.code == "invalid_input"
    assert "Choose one of" in (caught.value.hint or "")


def test_roles_can_be_taken_back(scene: Scene) -> None:
    call = scene.campus.call
    call("role_revoke", PROFESSOR, instance="anna", space="secret", username="vera")
    with pytest.raises(NotFound):
        call("browse", "vera", state="secret/anna")
    with pytest.raises(NotFound, match="holds no role"):
        call("role_revoke", PROFESSOR, instance="secret/anna", username="vera")


def test_acting_as_another_user_is_refused_in_ordinary_homes(scene: Scene) -> None:
    scene.campus.sql("DELETE FROM setting")
    with pytest.raises(Refused, match="demo and tests only"):
        scene.campus.call("status", "anna")
    assert scene.campus.call("status").username == scene.campus.owner
