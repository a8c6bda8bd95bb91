"""Rosters: names, e-mail addresses and CSV, separate and joint instances, late joiners, sharing a state."""

from __future__ import annotations

from typing import Any

import pytest

from nuvo_jupyter.engine.roster import parse_roster
from nuvo_jupyter.model.errors import InvalidInput, NotNow, NuvoError

from .campus import PROFESSOR, Campus

ANNA = ("anna", "Anna Meier", "anna@example.org")
BEN = ("ben", "Ben Özdemir", "ben@example.org")


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("anna\nben\n", [("anna", "", ""), ("ben", "", "")]),
        ("\n  anna  \r\n\r\nben", [("anna", "", ""), ("ben", "", "")]),
        ("Anna@Example.org", [("anna", "", "Anna@Example.org")]),
        ("Anna Meier", [("anna.meier", "Anna Meier", "")]),
        ("Ben Özdemir", [("ben.ozdemir", "Ben Özdemir", "")]),
        ("Jörg Weiß", [("jorg.weiss", "Jörg Weiß", "")]),
        ("Anna Meier <anna@example.org>", [ANNA]),
        ('"Anna Meier" <anna@example.org>', [ANNA]),
        ("anna,Anna Meier,anna@example.org\nben,Ben Özdemir,ben@example.org", [ANNA, BEN]),
        ("anna;Anna Meier;anna@example.org\nben;Ben Özdemir;ben@example.org", [ANNA, BEN]),
        ("anna\tAnna Meier\tanna@example.org", [ANNA]),
        ("\ufeffusername,name,email\nanna,Anna Meier,anna@example.org", [ANNA]),
        ("E-Mail;Name;User\nanna@example.org;Anna Meier;anna", [ANNA]),
        ("email\nanna@example.org\nben@example.org", [("anna", "", ANNA[2]), ("ben", "", BEN[2])]),
        ("username,group,email\nanna,3,anna@example.org", [("anna", "", "anna@example.org")]),
        ("First name,Surname,Email address\nAnna,Meier,anna@example.org", [ANNA]),
        ('name,username\n"Meier, Anna",anna', [("anna", "Meier, Anna", "")]),
        ("anna\nben;Ben Özdemir;ben@example.org", [("anna", "", ""), BEN]),
        ("anna\nanna\n", [("anna", "", "")]),
        ("# Group 1\nanna\n\n  # of two\n", [("anna", "", "")]),
        ("anna,Anna Meier,anna@example.org\n,,\n", [ANNA]),
        ("user name,name\nÅsa,Åsa", [("Åsa", "Åsa", "")]),
    ],
)
def test_a_roster_is_read(text: str, people: list[tuple[str, str, str]]) -> None:
    assert [(one.username, one.name, one.email) for one in parse_roster(text)] == people


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names nobody"),
        ("\n \n", "names nobody"),
        ("username,email\n", "names nobody"),
        ("anna@a.org\nanna@b.org", "Line 2: the user name 'anna' is there twice"),
        ("username,email\nanna,no address", "Line 2: 'no address' is no e-mail address"),
        ("a/b", "cannot be a user name"),
        ("王芳 李", "Line 1 of the roster names nobody"),
        ("name\n" + "x" * 200_000, "no CSV"),
        ("x" * 201, "cannot be a user name"),
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(NuvoError, match=message) as caught:
        parse_roster(text)
    assert caught.value.status == 400


def instances(campus: Campus, user: str | None = None) -> dict[str, Any]:
    return {one.name: one for one in campus.call("instance_list", user, space="intro")}


def test_each_person_gets_an_instance_of_their_own(campus: Campus) -> None:
    campus.space()
    campus.run(
        "roster_add",
        PROFESSOR,
        space="intro",
        people="anna,Anna Meier,anna@example.org\nben,Ben,",
        description="d",
    )
    made = instances(campus)
    assert set(made) == {"master", "distributed", "anna", "ben"}
    assert made["anna"].kind == "personal"
    assert [(one.person.username, one.person.email, one.role) for one in made["anna"].people] == [
        ("anna", "anna@example.org", "editor")
    ]
    assert set(instances(campus, "anna")) == {"anna", "distributed"}
    assert campus.workspace("intro/anna").is_dir()


def test_people_who_have_an_instance_are_left_alone(course: Campus) -> None:
    before = instances(course)
    course.run("roster_add", PROFESSOR, space="intro", people="anna\ncarl")
    after = instances(course)
    assert after["anna"] == before["anna"]
    assert set(after) - set(before) == {"carl"}
    assert course.trail()[-1].detail["made"] == 1 or course.trail()[-2].detail["made"] == 1


def test_a_joint_instance_is_shared_by_all(course: Campus) -> None:
    course.run("roster_add", PROFESSOR, space="intro", people="anna\ncarl", joint="team 1")
    team = instances(course)["team 1"]
    assert team.kind == "group"
    assert {one.person.username for one in team.people} == {"anna", "carl"}
    course.write("intro/team 1", {"x": "1"})
    for user in ("anna", "carl"):
        assert course.content("intro/team 1:x", user) == b"1"


def test_nothing_is_made_when_one_line_is_wrong(course: Campus) -> None:
    before = set(instances(course))
    for people in ("carl\na/b", "carl\nmaster", "carl\nall"):
        with pytest.raises(InvalidInput):
            course.call("roster_add", PROFESSOR, space="intro", people=people)
    assert set(instances(course)) == before


def test_late_joiners_get_what_distributed_holds(course: Campus) -> None:
    course.run("distribute", PROFESSOR, source="intro/master", whole=True, to=["all"])
    course.write("intro/master", {"later.txt": "later"})
    course.run("distribute", PROFESSOR, source="intro/master:later.txt", to=["all"])
    course.run("roster_add", PROFESSOR, space="intro", people="carl")
    assert course.files("intro/carl") == {"a.txt": "one\n", "week1/b.txt": "two\n", "later.txt": "later"}
    assert course.files("intro/carl") == course.files("intro/anna")


def test_new_instances_start_from_the_snapshot_asked_for_or_empty(course: Campus) -> None:
    state = course.snapshot("intro/master")
    course.write("intro/master", {"a.txt": "changed"})
    course.run("roster_add", PROFESSOR, space="intro", people="carl", source=state)
    assert course.files("intro/carl")["a.txt"] == "one\n"
    course.run("distribute", PROFESSOR, source=state, whole=True, to=["all"])
    course.run("roster_add", PROFESSOR, space="intro", people="dora", source="")
    assert course.files("intro/dora") == {}


def test_a_current_state_is_shared_once_and_snapshots_always(course: Campus) -> None:
    with pytest.raises(InvalidInput, match="is a current state") as caught:
        course.call("roster_add", PROFESSOR, space="intro", people="carl", source="intro/master")
    assert "share" in (caught.value.hint or "")
    course.run("roster_add", PROFESSOR, space="intro", people="carl", share_state=True)
    assert course.files("intro/carl") == course.files("intro/master")
    shared = course.call("snapshot_list", PROFESSOR, instance="intro/master")
    assert [(one.number, one.reason) for one in shared] == [(1, "distributed")]
    with pytest.raises(NotNow, match="was shared before") as refused:
        course.call("roster_add", PROFESSOR, space="intro", people="dora", share_state=True)
    assert "intro/master@latest" in (refused.value.hint or "")
    assert "dora" not in instances(course)
    course.run(
        "roster_add", PROFESSOR, space="intro", people="dora", source="intro/master@latest", share_state=True
    )
    course.run("roster_add", PROFESSOR, space="intro", people="emil", source="intro/master@1")
    assert course.files("intro/emil") == course.files("intro/dora") == course.files("intro/master")


@pytest.mark.parametrize("source", ["intro/nobody@1", "intro/master@1:a.txt", "intro/master@9"])
def test_a_source_that_cannot_be_is_refused_and_nothing_made(course: Campus, source: str) -> None:
    course.snapshot("intro/master")
    before = set(instances(course))
    with pytest.raises(NuvoError):
        course.call("roster_add", PROFESSOR, space="intro", people="carl", source=source)
    assert set(instances(course)) == before


def test_the_spaces_template_says_where_folders_lie(campus: Campus) -> None:
    template = str(campus.folder / "homes" / "{username}" / "{space}")
    campus.space(template=template, workspace=str(campus.folder / "material"))
    campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben")
    campus.run("roster_add", PROFESSOR, space="intro", people="anna\nben", joint="team")
    campus.run("instance_create", PROFESSOR, space="intro", name="anna again", people=["anna"])
    where = {name: one.workspace.removeprefix(f"{campus.folder}/") for name, one in instances(campus).items()}
    assert where["master"] == "material"
    assert where["anna"] == "homes/anna/intro"
    assert where["ben"] == "homes/ben/intro"
    assert where["team"] == "homes/team/intro"
    assert where["anna again"] == "homes/anna/intro-anna again"


def test_a_name_that_looks_like_a_placeholder_stays_as_it_is(campus: Campus) -> None:
    campus.space(template=str(campus.folder / "homes" / "{username}" / "{space}"))
    campus.run("instance_create", PROFESSOR, space="intro", name="{space}", people=["{instance}"])
    assert instances(campus)["{space}"].workspace == str(campus.folder / "homes" / "{instance}" / "intro")
