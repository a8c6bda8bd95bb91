"""Spaces and instances: create, list, rename, archive, delete, recover; where folders may lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import AlreadyExists, Gone, InvalidInput, NotFound, NotNow, NuvoError

from .campus import PROFESSOR, Campus

DAY = 24 * 3600


def names(campus: Campus, **fields: Any) -> list[str]:
    return [space.name for space in campus.call("space_list", PROFESSOR, **fields)]


def test_a_space_has_master_and_distributed(known: Campus) -> None:
    space = known.call("space_create", PROFESSOR, name=" stats ", description="d", timezone="Europe/Zurich")
    assert (space.name, space.kind, space.visibility, space.timezone) == (
        "stats",
        "course",
        "private",
        "Europe/Zurich",
    )
    assert space.instances == 2
    made = known.call("instance_list", PROFESSOR, space="stats")
    assert [(one.name, one.kind) for one in made] == [("master", "master"), ("distributed", "distributed")]
    for one in made:
        assert Path(one.workspace).is_dir()
    assert names(known) == ["intro", "stats"]
    assert known.call("space_show", PROFESSOR, space="home/stats") == space


def test_the_home_is_private(known: Campus) -> None:
    assert known.home.stat().st_mode & 0o777 == 0o700
    assert (known.home / "store").stat().st_mode & 0o777 == 0o700
    assert (known.home / "catalog.sqlite").stat().st_mode & 0o777 == 0o600
    assert known.workspace("intro/anna").stat().st_mode & 0o777 == 0o700


def test_an_open_home_is_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    os.chmod(home, 0o755)
    engine = Engine.open(Nuvo(home=str(home)))
    engine.close()
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for home in (tmp_path / "home", tmp_path / "home" / "below", Path("/proc/nuvo")):
        with pytest.raises(NuvoError) as caught:
            Engine.open(Nuvo(home=str(home)))
        assert str(home) in caught.value.message
        assert "NUVO_HOME" in (caught.value.hint or "")


def test_names_are_taken_once(known: Campus) -> None:
    with pytest.raises(AlreadyExists):
        known.call("space_create", PROFESSOR, name="intro")
    known.call("space_create", PROFESSOR, name="stats")
    with pytest.raises(AlreadyExists):
        known.call("space_update", PROFESSOR, space="stats", name="intro")
    with pytest.raises(AlreadyExists):
        known.call("instance_create", PROFESSOR, space="intro", name="anna")
    with pytest.raises(AlreadyExists):
        known.call("instance_update", PROFESSOR, instance="intro/anna", name="ben")
    assert names(known) == ["intro", "stats"]
    # To what it is called already.
    known.call("space_update", PROFESSOR, space="stats", name="stats")
    known.call("instance_update", PROFESSOR, instance="intro/anna", name="anna")


def test_renaming_keeps_everything(known: Campus) -> None:
    number = known.call("space_show", PROFESSOR, space="intro").id
    space = known.call(
        "space_update", PROFESSOR, space="intro", name="intro 2026", description="new", timezone="UTC"
    )
    assert (space.id, space.name, space.description) == (number, "intro 2026", "new")
    with pytest.raises(NotFound):
        known.call("space_show", PROFESSOR, space="intro")
    anna = known.call(
        "instance_update", PROFESSOR, instance="intro 2026/anna", name="anna b", description="x"
    )
    assert (anna.name, anna.description, anna.reference) == ("anna b", "x", "intro 2026/anna b")
    assert known.call("instance_show", "anna", instance="anna b").workspace == anna.workspace


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a/b"},
        {"name": ""},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"template": "relative/{username}"},
        {"template": "/home/{user}/{space}"},
        {"template": "/home/{space}"},
        {"template": "/home/../{username}"},
    ],
)
def test_settings_that_make_no_sense_are_refused_and_nothing_changed(
    known: Campus, change: dict[str, str]
) -> None:
    before = known.call("space_show", PROFESSOR, space="intro")
    with pytest.raises(InvalidInput) as caught:
        known.call("space_update", PROFESSOR, space="intro", description="changed", **change)
    assert caught.value.hint
    assert known.call("space_show", PROFESSOR, space="intro") == before
    with pytest.raises(InvalidInput):
        known.call("space_create", PROFESSOR, **({"name": "new"} | change))
    assert names(known) == ["intro"]


def test_an_archived_space_takes_nothing(known: Campus) -> None:
    known.call("space_update", PROFESSOR, space="intro", archived=True)
    refused: list[tuple[str, dict[str, Any]]] = [
        ("snapshot_create", {"instance": "intro/anna"}),
        ("roster_add", {"space": "intro", "people": "carl"}),
        ("instance_create", {"space": "intro", "name": "carl"}),
        ("distribute", {"source": "intro/master", "whole": True, "to": ["all"]}),
        ("distribute", {"source": "intro/master", "whole": True, "to": ["anna"]}),
        ("distribute", {"source": "intro/distributed", "whole": True, "to": ["all"]}),
        ("recall", {"space": "intro", "objects": [{"path": "a.txt"}]}),
    ]
    for name, request in refused:
        with pytest.raises(NotNow, match="archive"):
            known.call(name, PROFESSOR, **request)
    assert known.call("browse", PROFESSOR, state="intro/master")
    known.call("space_update", PROFESSOR, space="intro", archived=False)
    known.call("roster_add", PROFESSOR, space="intro", people="carl")


def test_an_archived_instance_takes_nothing(known: Campus) -> None:
    known.call("instance_update", PROFESSOR, instance="intro/anna", archived=True)
    for name, request in (
        ("snapshot_create", {"instance": "intro/anna"}),
        ("distribute", {"source": "intro/master", "whole": True, "to": ["anna"]}),
        ("pull", {"instance": "intro/anna", "source": "intro/master"}),
    ):
        with pytest.raises(NotNow, match="archive"):
            known.call(name, PROFESSOR, **request)
    known.call("distribute", PROFESSOR, source="intro/master", whole=True, to=["all"])
    targets = {one.instance for one in known.call("distribution_show", PROFESSOR, id=1).deliveries}
    assert "intro/anna" not in targets


@pytest.mark.parametrize("kind", ["master", "distributed"])
def test_master_and_distributed_go_only_with_their_space(known: Campus, kind: str) -> None:
    for name, change in (
        ("instance_delete", {}),
        ("instance_update", {"name": "x"}),
        ("instance_update", {"archived": True}),
    ):
        with pytest.raises(NotNow, match="cannot be"):
            known.call(name, PROFESSOR, instance=f"intro/{kind}", **change)


def test_a_deleted_space_is_gone_and_recoverable_for_a_day(known: Campus) -> None:
    deleted = known.call("space_delete", PROFESSOR, space="intro")
    assert deleted.deleted_at is not None
    assert names(known) == []
    assert names(known, deleted=True) == ["intro"]
    for name, request in (("space_show", {"space": "intro"}), ("browse", {"state": "intro/anna"})):
        with pytest.raises(Gone, match="was deleted") as caught:
            known.call(name, PROFESSOR, **request)
        assert "recovered until" in (caught.value.hint or "")
    with pytest.raises(NotFound):
        known.call("instance_show", "anna", instance="intro/anna")
    assert known.call("instance_list", PROFESSOR) == ()
    known.sql("UPDATE space SET deleted_at = deleted_at - ?", DAY - 60)
    known.call("space_recover", PROFESSOR, space="intro")
    assert known.call("instance_show", "anna", instance="intro/anna").name == "anna"
    with pytest.raises(NotNow, match="not deleted"):
        known.call("space_recover", PROFESSOR, space="intro")


def test_after_a_day_a_space_is_not_recovered(known: Campus) -> None:
    known.call("space_delete", PROFESSOR, space="intro")
    known.sql("UPDATE space SET deleted_at = deleted_at - ?", DAY + 60)
    for name in ("space_recover", "space_show"):
        with pytest.raises(NotFound, match="24 hours"):
            known.call(name, PROFESSOR, space="intro")
    assert names(known, deleted=True) == []


def test_after_a_day_an_instance_is_not_recovered(known: Campus) -> None:
    known.call("instance_delete", PROFESSOR, instance="intro/anna")
    listed = {one.name for one in known.call("instance_list", PROFESSOR, space="intro", deleted=True)}
    assert "anna" in listed
    known.sql("UPDATE instance SET deleted_at = deleted_at - ?", DAY + 60)
    for reference in ("intro/anna", "anna"):
        with pytest.raises(NotFound):
            known.call("instance_recover", PROFESSOR, instance=reference)
    listed = {one.name for one in known.call("instance_list", PROFESSOR, space="intro", deleted=True)}
    assert "anna" not in listed


def test_names_of_deleted_things_can_be_taken_again(known: Campus) -> None:
    known.call("space_delete", PROFESSOR, space="intro")
    known.call("space_create", PROFESSOR, name="intro")
    with pytest.raises(AlreadyExists, match="called 'intro' now") as caught:
        known.call("space_recover", PROFESSOR, space="intro")
    assert "Rename" in (caught.value.hint or "")
    # Its folder was taken, too.
    known.call("space_update", PROFESSOR, space="intro", name="other")
    with pytest.raises(AlreadyExists, match="overlaps"):
        known.call("space_recover", PROFESSOR, space="intro")
    known.call("space_delete", PROFESSOR, space="other")
    known.call("space_recover", PROFESSOR, space="intro")
    assert known.call("instance_show", "anna", instance="intro/anna")


def test_an_instance_is_recovered_unless_its_name_or_folder_was_taken(known: Campus) -> None:
    known.call("instance_delete", PROFESSOR, instance="intro/anna")
    with pytest.raises(Gone):
        known.call("instance_show", PROFESSOR, instance="intro/anna")
    known.call("instance_create", PROFESSOR, space="intro", name="anna", people=["anna"])
    with pytest.raises(AlreadyExists, match="called 'anna' now"):
        known.call("instance_recover", PROFESSOR, instance="intro/anna")
    known.call("instance_update", PROFESSOR, instance="intro/anna", name="anna 2")
    with pytest.raises(AlreadyExists, match="overlaps"):
        known.call("instance_recover", PROFESSOR, instance="intro/anna")
    known.call("instance_delete", PROFESSOR, instance="intro/anna 2")
    assert known.call("instance_recover", PROFESSOR, instance="intro/anna").deleted_at is None
    assert known.call("snapshot_list", "anna", instance="intro/anna") == ()


def test_nothing_is_deleted_while_work_on_it_is_unfinished(known: Campus) -> None:
    task = known.call("snapshot_create", "anna", instance="intro/anna")
    for name, request in (
        ("instance_delete", {"instance": "intro/anna"}),
        ("space_delete", {"space": "intro"}),
    ):
        with pytest.raises(NotNow, match=r"not finished|still running"):
            known.call(name, PROFESSOR, **request)
    known.call("task_cancel", "anna", id=task.id)
    known.call("space_delete", PROFESSOR, space="intro")


@pytest.mark.parametrize(
    ("folder", "error"),
    [
        ("{master}", AlreadyExists),
        ("{master}/inside", AlreadyExists),
        ("{folder}/intro", AlreadyExists),
        ("{folder}/x/../intro/master", AlreadyExists),
        ("{folder}/link", AlreadyExists),
        ("{home}", InvalidInput),
        ("{home}/distributed/x", InvalidInput),
        ("{folder}", AlreadyExists),
        ("/", InvalidInput),
        ("relative", InvalidInput),
        ("{folder}/file", InvalidInput),
        ("{folder}/nul\0", InvalidInput),
    ],
)
def test_every_instance_has_a_folder_of_its_own(known: Campus, folder: str, error: type[NuvoError]) -> None:
    (known.folder / "file").write_text("")
    if not (known.folder / "link").is_symlink():
        (known.folder / "link").symlink_to(known.folder / "intro" / "master")
    where = folder.format(master=known.workspace("intro/master"), folder=known.folder, home=known.home)
    for name, request in (
        ("space_create", {"name": "new"}),
        ("instance_create", {"space": "intro", "name": "new"}),
    ):
        with pytest.raises(error):
            known.call(name, PROFESSOR, workspace=where, **request)
    assert names(known) == ["intro"]


def test_spaces_are_told_apart_where_instances_have_the_same_name(known: Campus) -> None:
    known.call("space_create", PROFESSOR, name="stats")
    with pytest.raises(InvalidInput, match="several spaces: intro, stats"):
        known.call("instance_show", PROFESSOR, instance="master")
    assert known.call("instance_show", PROFESSOR, instance="home/stats/master").space == "stats"
    for reference in ("other/stats/master", "stats/nobody", "nowhere/master", "nobody"):
        with pytest.raises(NotFound):
            known.call("instance_show", PROFESSOR, instance=reference)
    # Only one is known to anna.
    assert known.call("instance_show", "anna", instance="distributed").space == "intro"


def test_spaces_and_instances_are_listed_with_what_one_may_do(known: Campus) -> None:
    space = known.call("space_list", "anna")[0]
    assert (space.name, space.instances, space.rights) == ("intro", 2, ("anyone", "organization member"))
    mine = {one.name: one.rights for one in known.call("instance_list", "anna")}
    assert "instance editor" in mine["anna"]
    assert "instance editor" not in mine["distributed"]
    assert "instance viewer" in mine["distributed"]


def test_the_engine_asks_for_absolute_folders(known: Campus) -> None:
    for folder in ("relative", "a\0b"):
        with pytest.raises(InvalidInput):
            known.call("locate", folder=folder)
        with pytest.raises(InvalidInput):
            known.call("snapshot_create", folder=folder)


def test_locate_finds_the_instance_around_a_folder(known: Campus) -> None:
    inside = known.workspace("intro/anna") / "a b"
    located = known.call("locate", "anna", folder=str(known.workspace("intro/anna")))
    assert (located.instance, located.path) == ("intro/anna", "")
    located = known.call("locate", "anna", folder=f"{inside}/c/..")
    assert (located.instance, located.path) == ("intro/anna", "a b")
    assert known.call("locate", "ben", folder=str(inside)).instance is None
    outside = known.call("locate", folder=str(known.folder / "data: 1/x@y"))
    assert outside.instance is None
    assert outside.suggested_space == "x y"


def test_a_folder_that_holds_the_home_can_be_captured_without_it(tmp_path: Path) -> None:
    """A user's whole home folder is a workspace like any other; Nuvo's own part of it is left out."""
    campus = Campus(tmp_path / "user" / ".local")
    (tmp_path / "user" / "thesis.txt").write_text("chapter 1\n")
    task = campus.run("snapshot_create", folder=str(tmp_path / "user"))
    assert task.snapshot is not None
    assert [entry.path for entry in campus.call("browse", state=task.snapshot)] == [".local", "thesis.txt"]
    assert campus.call("browse", state=f"{task.snapshot}:.local") == ()


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("instance_create", {"space": "intro", "name": "é" * 150, "source": ""}),
        ("instance_create", {"space": "intro", "name": "carl", "people": ["é" * 150], "source": ""}),
        ("instance_create", {"space": "intro", "name": "carl", "workspace": "/" + "a" * 300, "source": ""}),
        ("instance_create", {"space": "intro", "name": "carl", "workspace": "/a" * 2040 + "/" * 16}),
        ("roster_add", {"space": "intro", "people": "é" * 150}),
        ("space_create", {"name": "other", "workspace": "/" + "a" * 300}),
        ("space_update", {"space": "intro", "template": "/home/{username}\0"}),
        ("snapshot_create", {"folder": "/" + "a" * 300}),
        ("locate", {"folder": "/" + "a" * 300}),
    ],
)
def test_folders_that_cannot_be_are_named(known: Campus, operation: str, fields: dict[str, Any]) -> None:
    known.call("space_update", PROFESSOR, space="intro", template=f"{known.folder}/{{username}}")
    with pytest.raises(InvalidInput):
        known.call(operation, PROFESSOR, **fields)


def test_giving_a_role_says_whether_the_person_was_known(campus: Campus) -> None:
    campus.space()
    first = campus.call("role_grant", username="nina", role="viewer", instance="intro/master")
    again = campus.call("role_grant", username="nina", role="editor", instance="intro/master")
    assert (first.created, again.created) == (True, False)
    assert not any(member.created for member in campus.call("member_list", space="intro"))
