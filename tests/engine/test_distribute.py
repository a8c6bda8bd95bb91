"""Distributing, pulling, recalling and restoring: what is asked for, what is refused, and what it does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from nuvo_jupyter.model.errors import (
    EmptyStage,
    Gone,
    InvalidInput,
    NotFound,
    NotNow,
    NuvoError,
    Refused,
    SameState,
)
from nuvo_jupyter.workspace.tables.connection import Connection

from .campus import PROFESSOR, Campus

MASTER = "intro/master"
MATERIAL = {"a.txt": "one\n", "week1/b.txt": "two\n"}


def queued(campus: Campus) -> int:
    return len(campus.call("task_list", limit=1000))


def stage(campus: Campus, *paths: str, state: str = MASTER) -> None:
    campus.call("stage_add", PROFESSOR, state=state, objects=[{"path": path} for path in paths])


# Refusals: nothing is queued.


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        ({"to": ["all"]}, EmptyStage, "Nothing is staged"),
        ({"source": MASTER, "to": ["all"]}, EmptyStage, "Nothing of intro/master is staged"),
        ({"source": MASTER, "objects": [], "to": ["all"]}, EmptyStage, "Nothing is staged"),
        ({"source": MASTER, "whole": True, "to": []}, InvalidInput, "No target"),
        ({"source": MASTER, "whole": True, "to": ["all", "anna"]}, InvalidInput, "already holds"),
        ({"source": MASTER, "whole": True, "to": ["master"]}, SameState, "source itself"),
        ({"source": MASTER, "whole": True, "to": ["anna", "intro/master"]}, SameState, "source itself"),
        ({"source": MASTER, "whole": True, "to": ["nobody"]}, NotFound, "no instance 'nobody'"),
        ({"source": MASTER, "whole": True, "to": ["anna", "nobody"]}, NotFound, "no instance 'nobody'"),
        ({"source": MASTER, "whole": True, "to": ["anna@1"]}, InvalidInput, "more than an instance"),
        ({"source": MASTER, "whole": True, "to": ["distributed"]}, NotNow, "distributing to all"),
        ({"source": "intro/nobody", "whole": True, "to": ["all"]}, NotFound, "nobody"),
        ({"source": f"{MASTER}@7", "whole": True, "to": ["all"]}, NotFound, "no snapshot '7'"),
        ({"source": f"{MASTER}:missing", "to": ["all"]}, NotFound, "holds no 'missing'"),
        ({"source": f"{MASTER}:../x", "to": ["all"]}, InvalidInput, "leaves the instance"),
        ({"source": MASTER, "objects": [{"path": "/etc"}], "to": ["all"]}, InvalidInput, "absolute"),
        ({"source": f"{MASTER}:a.txt", "whole": True, "to": ["all"]}, InvalidInput, "whole state and some"),
        (
            {
                "source": MASTER,
                "whole": True,
                "to": ["all"],
                "strategies": {"file": "skip", "table": "skip", "application": "skip"},
            },
            InvalidInput,
            "nothing would be distributed",
        ),
        (
            {
                "source": MASTER,
                "whole": True,
                "to": ["all"],
                "only_files": True,
                "strategies": {"file": "skip"},
            },
            InvalidInput,
            "nothing would be distributed",
        ),
        (
            {"source": f"{MASTER}:a.txt", "to": ["all"], "strategies": {"file": "skip"}},
            InvalidInput,
            "nothing would be distributed",
        ),
        ({"source": MASTER, "whole": True, "to": ["all"], "space": "nowhere"}, NotFound, "no space"),
    ],
)
@pytest.mark.parametrize("operation", ["distribute", "distribute_preview"])
def test_what_makes_no_sense_is_refused_and_nothing_queued(
    known: Campus, operation: str, request_: dict[str, Any], error: type[NuvoError], message: str
) -> None:
    before = queued(known)
    with pytest.raises(error, match=message) as caught:
        known.call(operation, PROFESSOR, **request_)
    assert caught.value.hint
    assert queued(known) == before


def test_what_was_staged_in_one_course_is_not_sent_to_it_from_another(known: Campus) -> None:
    known.space("other")
    stage(known, "a.txt")
    before = queued(known)
    for operation in ("distribute", "distribute_preview"):
        with pytest.raises(EmptyStage, match=MASTER) as caught:
            known.call(operation, PROFESSOR, to=["all"], here="other/master")
        assert "--space" in (caught.value.hint or "")
    assert queued(known) == before
    known.call("distribute", PROFESSOR, to=["anna"], here=MASTER)
    known.call("distribute", PROFESSOR, to=["anna"], here="other/master", space="intro")
    assert queued(known) == before + 2


def test_one_target_refused_means_nothing_is_queued(known: Campus) -> None:
    before = queued(known)
    known.write("intro/anna", {"mine": "1"})
    known.call("role_grant", PROFESSOR, instance="intro/anna", username="ben", role="viewer")
    known.call("roster_add", PROFESSOR, space="intro", people="carl", source="")
    with pytest.raises(Refused, match=r"instance editor.*carl") as caught:
        known.call("distribute", "ben", source="intro/anna", whole=True, to=["ben", "carl"])
    assert PROFESSOR in (caught.value.hint or "")
    # The roster's own task is there, no other.
    assert queued(known) == before + 1
    assert known.call("distribution_list", limit=10) == ()


def test_all_needs_an_admin_of_the_space(known: Campus) -> None:
    known.write("intro/anna", {"mine": "1"})
    with pytest.raises(Refused, match="space admin"):
        known.call("distribute", "anna", source="intro/anna", whole=True, to=["all"])


def test_a_stage_whose_state_was_deleted_distributes_nothing(course: Campus) -> None:
    state = course.snapshot(MASTER)
    stage(course, "a.txt", state=state)
    course.call("snapshot_delete", PROFESSOR, state=state)
    with pytest.raises(Gone) as caught:
        course.call("distribute", PROFESSOR, to=["anna"])
    assert caught.value.hint
    course.write("intro/ben", {"x": "1"})
    stage(course, "x", state="intro/ben")
    course.call("instance_delete", PROFESSOR, instance="intro/ben")
    with pytest.raises(Gone):
        course.call("distribute", PROFESSOR, to=["anna"])
    assert course.call("distribution_list", PROFESSOR) == ()


# Distributing.


def test_the_whole_state_goes_to_all_through_distributed(course: Campus) -> None:
    course.write("intro/anna", {"a.txt": "hers\n", "own.txt": "own"})
    task = course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"], message="Welcome")
    assert course.files("intro/anna") == MATERIAL | {"own.txt": "own"}
    assert course.files("intro/ben") == course.files("intro/distributed") == MATERIAL
    assert course.outcomes(task, "intro/anna")["a.txt"] == "replaced"
    deliveries = course.deliveries(task)
    assert set(deliveries) == {"intro/distributed", "intro/anna", "intro/ben"}
    backup = deliveries["intro/anna"].task.backup
    assert backup is not None
    assert course.content(f"{backup}:a.txt", "anna") == b"hers\n"
    shown = course.call("distribution_show", PROFESSOR, id=task.distribution)
    assert (shown.kind, shown.space, shown.source, shown.objects, shown.message) == (
        "distribute",
        "intro",
        f"{MASTER}@1",
        None,
        "Welcome",
    )
    assert task.counts == {"done": 3}
    assert course.call("browse", "anna", state=deliveries["intro/anna"].review)


def test_all_is_cumulative_and_what_one_gets_is_what_distributed_holds(course: Campus) -> None:
    course.run("distribute", PROFESSOR, source=f"{MASTER}:a.txt", to=["all"])
    course.run("distribute", PROFESSOR, source=f"{MASTER}:week1", to=["all"])
    assert course.files("intro/distributed") == course.files("intro/anna") == MATERIAL
    assert course.content("intro/distributed@latest:a.txt", "ben") == b"one\n"


def test_staged_objects_go_to_some(course: Campus) -> None:
    stage(course, "week1")
    task = course.run("distribute", PROFESSOR, to=["anna"])
    assert course.files("intro/anna") == {"week1/b.txt": "two\n"}
    assert course.files("intro/ben") == course.files("intro/distributed") == {}
    shown = course.call("distribution_show", PROFESSOR, id=task.distribution)
    assert [item.path for item in shown.objects] == ["week1"]
    # With the state named, and named otherwise.
    course.run("distribute", PROFESSOR, source="home/intro/master", to=["intro/ben", "ben"])
    assert course.files("intro/ben") == {"week1/b.txt": "two\n"}


def test_objects_named_in_the_request_leave_the_stage_alone(course: Campus) -> None:
    stage(course, "week1")
    course.run("distribute", PROFESSOR, source=MASTER, objects=[{"path": "a.txt"}], to=["anna"])
    assert course.files("intro/anna") == {"a.txt": "one\n"}
    course.run("distribute", PROFESSOR, objects=[{"path": "a.txt"}], to=["ben"])
    assert course.files("intro/ben") == {"a.txt": "one\n"}
    assert [item.path for item in course.call("stage_show", PROFESSOR).objects] == ["week1"]


def test_a_preview_says_what_then_happens(course: Campus) -> None:
    course.write("intro/anna", {"a.txt": "hers\n"})
    request: dict[str, Any] = {
        "source": MASTER,
        "whole": True,
        "to": ["all"],
        "strategies": {"file": "rename"},
    }
    before = course.files("intro/anna")
    preview = course.call(
        "preview_show", PROFESSOR, id=course.run("distribute_preview", PROFESSOR, **request).id
    )
    assert course.files("intro/anna") == before
    assert course.call("snapshot_list", PROFESSOR, instance=MASTER) == ()
    foreseen = {
        one.instance: {item.path: item.outcome.value for item in one.outcomes} for one in preview.targets
    }
    task = course.run("distribute", PROFESSOR, **request)
    assert foreseen == {target: course.outcomes(task, target) for target in course.deliveries(task)}
    assert foreseen["intro/anna"]["a.txt"] == "renamed"


def test_tables_are_distributed_by_name_unless_only_files_are_wanted(course: Campus) -> None:
    objects = [{"path": "a.txt"}, {"path": "rides", "kind": "table"}]
    with pytest.raises(NotFound, match="has no table 'rides'"):
        course.call("distribute", PROFESSOR, source=MASTER, objects=objects, to=["anna"])
    with Connection(course.workspace("intro/master") / "tables") as tables:
        tables.execute("CREATE TABLE rides AS SELECT range AS n FROM range(10)")
    task = course.run("distribute", PROFESSOR, source=MASTER, objects=objects, to=["anna"])
    assert course.outcomes(task, "intro/anna") == {
        "a.txt": "created",
        "tables": "created",
        "tables/rides.parquet": "created",
    }
    with Connection(course.workspace("intro/anna") / "tables") as tables:
        assert tables.execute("SELECT sum(n) FROM rides").fetchall() == [(45,)]
    task = course.run("distribute", PROFESSOR, source=MASTER, objects=objects, to=["ben"], only_files=True)
    assert course.outcomes(task, "intro/ben") == {"a.txt": "created"}
    assert not (course.workspace("intro/ben") / "tables").exists()
    course.run("recall", PROFESSOR, space="intro", objects=objects[1:])
    assert not (course.workspace("intro/anna") / "tables" / "rides.parquet").exists()


def test_a_distribution_to_another_space(course: Campus) -> None:
    course.call("space_create", PROFESSOR, name="stats")
    course.run("roster_add", PROFESSOR, space="stats", people="anna")
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"], space="stats")
    assert course.files("stats/anna") == course.files("stats/distributed") == MATERIAL
    assert course.files("intro/anna") == {}
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["stats/master"])
    assert course.files("stats/master") == MATERIAL


def test_past_distributions_are_listed_to_those_concerned(course: Campus) -> None:
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["anna"])
    for _ in range(3):
        course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["ben"])

    def ids(user: str, **fields: Any) -> list[int]:
        return [one.id for one in course.call("distribution_list", user, **fields)]

    every = ids(PROFESSOR)
    assert every == sorted(every, reverse=True)
    assert len(ids(PROFESSOR, limit=2)) == 2
    # Not cut before what others got is left out.
    mine = ids("anna", limit=1)
    assert len(mine) == 1
    assert course.call("distribution_show", "anna", id=mine[0]).deliveries[0].instance == "intro/anna"
    assert ids("anna", instance="intro/anna") == ids(PROFESSOR, instance="intro/anna")
    assert len(ids("ben", space="intro")) == 3
    for unknown in (0, 10**9):
        with pytest.raises((NotFound, msgspec.ValidationError)):
            course.call("distribution_show", "anna", id=unknown)


# Retry and cancel.


def break_workspace(campus: Campus, instance: str) -> None:
    folder = campus.workspace(instance)
    folder.rename(folder.with_name("moved"))


def mend_workspace(campus: Campus, instance: str) -> None:
    folder = campus.workspace(instance)
    folder.with_name("moved").rename(folder)


def test_retry_delivers_to_the_failed_targets_only(course: Campus) -> None:
    break_workspace(course, "intro/anna")
    task = course.finish(course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"]))
    assert task.state == "failed"
    assert task.counts == {"done": 2, "failed": 1}
    problem = course.deliveries(task)["intro/anna"].task.problem
    assert problem is not None
    assert problem.code == "workspace_unavailable"
    mend_workspace(course, "intro/anna")
    course.write("intro/ben", {"a.txt": "edited since"})
    again = course.finish(course.call("distribution_retry", PROFESSOR, id=task.distribution))
    assert (again.state, again.counts) == ("done", {"done": 3})
    assert course.files("intro/anna") == MATERIAL
    assert course.files("intro/ben")["a.txt"] == "edited since"
    with pytest.raises(NotNow, match="No delivery"):
        course.call("distribution_retry", PROFESSOR, id=task.distribution)


def test_retry_asks_again_whether_one_may(course: Campus) -> None:
    course.call("role_grant", PROFESSOR, instance="intro/ben", username="anna", role="editor")
    course.write("intro/anna", {"x": "1"})
    task = course.call("distribute", "anna", source="intro/anna", whole=True, to=["ben"])
    course.call("task_cancel", "anna", id=task.id)
    course.call("role_revoke", PROFESSOR, instance="intro/ben", username="anna")
    with pytest.raises(Refused, match="instance editor"):
        course.call("distribution_retry", "anna", id=task.distribution)
    course.call("instance_update", PROFESSOR, instance="intro/ben", archived=True)
    with pytest.raises(NotNow, match="archived"):
        course.call("distribution_retry", PROFESSOR, id=task.distribution)
    assert course.files("intro/ben") == {}


def test_a_cancelled_distribution_changes_nothing_until_it_is_retried(course: Campus) -> None:
    task = course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    assert course.call("task_cancel", PROFESSOR, id=task.id).state == "cancelled"
    assert course.finish(task).state == "cancelled"
    assert course.files("intro/anna") == {}
    assert course.call("task_cancel", PROFESSOR, id=task.id).state == "cancelled"
    course.finish(course.call("distribution_retry", PROFESSOR, id=task.distribution))
    assert course.files("intro/anna") == MATERIAL


def test_tasks_are_listed_to_those_concerned(course: Campus) -> None:
    course.snapshot("intro/anna", "anna")
    course.snapshot("intro/ben", "ben")
    active = course.call("snapshot_create", "anna", instance="intro/anna")

    def titles(user: str | None, **fields: Any) -> list[str]:
        return [one.title for one in course.call("task_list", user, **fields)]

    assert titles("anna") == ["Snapshot of intro/anna"] * 2
    assert titles("anna", space="intro", limit=1) == ["Snapshot of intro/anna"]
    assert titles("anna", active=True) == ["Snapshot of intro/anna"]
    assert len(titles(PROFESSOR)) == len(titles(None)) == len(titles(PROFESSOR, space="intro")) == 4
    course.finish(active)
    assert titles(None, active=True) == []
    assert course.call("task_show", "anna", id=active.id, wait=1).state == "done"
    for user, number in (("ben", active.id), ("anna", 10**9)):
        with pytest.raises(NotFound, match=f"no task {number}"):
            course.call("task_show", user, id=number)


# Pull.


def test_an_editor_pulls_from_distributed(course: Campus) -> None:
    with pytest.raises(NotFound, match="Nothing has been distributed"):
        course.call("pull", "anna", instance="intro/anna")
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    (course.workspace("intro/anna") / "a.txt").unlink()
    course.write("intro/anna", {"week1/b.txt": "edited\n"})
    task = course.run(
        "pull", "anna", instance="intro/anna", paths=["a.txt"], strategies={"file": "overwrite"}
    )
    assert course.files("intro/anna") == {"a.txt": "one\n", "week1/b.txt": "edited\n"}
    assert course.deliveries(task)["intro/anna"].task.backup is not None
    # By default what both sides have is merged.
    course.run("pull", "anna", instance="intro/anna")
    assert course.files("intro/anna")["week1/b.txt"] == "edited\n"
    course.run(
        "pull",
        "anna",
        instance="intro/anna",
        source="intro/distributed:week1",
        strategies={"file": "overwrite"},
    )
    assert course.files("intro/anna") == MATERIAL


def test_master_is_pulled_from_where_permitted(course: Campus) -> None:
    course.snapshot(MASTER)
    request = {"instance": "intro/anna", "source": MASTER}
    with pytest.raises(Refused, match="may not pull") as caught:
        course.call("pull", "anna", **request)
    assert "admin of the space" in (caught.value.hint or "")
    course.call("space_update", PROFESSOR, space="intro", pull_from_master=True)
    course.run("pull", "anna", **request)
    assert course.files("intro/anna") == MATERIAL
    # That lets nobody look into it otherwise.
    with pytest.raises(Refused):
        course.call("browse", "anna", state=MASTER)
    with pytest.raises(Refused):
        course.call("pull", "anna", instance="intro/anna", source="intro/ben")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"instance": "intro/anna", "source": "intro/anna"}, SameState),
        ({"instance": "intro/distributed"}, NotNow),
        ({"instance": "intro/anna", "source": MASTER, "paths": ["missing"]}, NotFound),
        ({"instance": "intro/anna", "source": MASTER, "paths": ["../x"]}, InvalidInput),
        ({"instance": "intro/anna", "source": f"{MASTER}@9"}, NotFound),
        (
            {"instance": "intro/anna", "source": f"{MASTER}:a.txt", "strategies": {"file": "skip"}},
            InvalidInput,
        ),
        ({"instance": "intro/nobody"}, NotFound),
        (
            {"instance": "intro/anna", "source": MASTER, "strategies": {"append_rows": True}},
            InvalidInput,
        ),
        (
            {"instance": "intro/anna", "source": MASTER, "strategies": {"table": "merge", "key": ["id"]}},
            InvalidInput,
        ),
        (
            {
                "instance": "intro/anna",
                "source": MASTER,
                "strategies": {"table": "merge", "append_rows": True},
                "only_files": True,
            },
            InvalidInput,
        ),
    ],
)
def test_a_pull_that_makes_no_sense_is_refused(
    course: Campus, request_: dict[str, Any], error: type[NuvoError]
) -> None:
    course.snapshot(MASTER)
    before = queued(course)
    with pytest.raises(error):
        course.call("pull", PROFESSOR, **request_)
    assert queued(course) == before


# Recall.


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ("others", {"intro/master", "intro/distributed", "intro/prof"}),
        ("students", {"intro/master"}),
        ("all", set()),
    ],
)
def test_recall_by_scope(course: Campus, scope: str, left: set[str]) -> None:
    course.run("instance_create", PROFESSOR, space="intro", name="prof", people=[PROFESSOR], source="")
    task = course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    recalled = course.run("recall", PROFESSOR, space="intro", distribution=task.distribution, scope=scope)
    holders = {
        name
        for name in ("intro/master", "intro/distributed", "intro/prof", "intro/anna", "intro/ben")
        if "a.txt" in course.files(name)
    }
    assert holders == left
    assert course.outcomes(recalled, "intro/anna")["a.txt"] == "deleted"


def test_a_recall_leaves_edited_copies_and_lists_them(course: Campus) -> None:
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    course.write("intro/anna", {"a.txt": "edited\n"})
    task = course.run("recall", PROFESSOR, space="intro", objects=[{"path": "a.txt"}])
    assert course.files("intro/anna") == {"a.txt": "edited\n", "week1/b.txt": "two\n"}
    assert course.files("intro/ben") == {"week1/b.txt": "two\n"}
    assert course.outcomes(task, "intro/anna") == {"a.txt": "kept"}
    course.run("roster_add", PROFESSOR, space="intro", people="carl")
    assert course.files("intro/carl") == {"week1/b.txt": "two\n"}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, InvalidInput),
        ({"distribution": 999}, NotFound),
        ({"distribution": "restore"}, NotNow),
        ({"objects": [{"path": "../x"}]}, InvalidInput),
        ({"objects": [{"path": "a.txt"}]}, NotFound),
    ],
)
def test_a_recall_that_makes_no_sense_is_refused(
    course: Campus, request_: dict[str, Any], error: type[NuvoError]
) -> None:
    if request_.get("distribution") == "restore":
        state = course.snapshot("intro/anna", "anna")
        request_ = {"distribution": course.run("restore", "anna", source=state).distribution}
    with pytest.raises(error) as caught:
        course.call("recall", PROFESSOR, space="intro", **request_)
    assert caught.value.message


def test_a_mistyped_path_is_not_recalled_from_a_class(course: Campus) -> None:
    course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    backups = len(course.call("snapshot_list", "anna", instance="intro/anna"))
    with pytest.raises(NotFound, match=r"week1/c\.txt"):
        course.call("recall", PROFESSOR, space="intro", objects=[{"path": "a.txt"}, {"path": "week1/c.txt"}])
    assert "a.txt" in course.files("intro/anna")
    assert len(course.call("snapshot_list", "anna", instance="intro/anna")) == backups


def test_what_is_on_its_way_can_be_recalled(course: Campus) -> None:
    course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    course.run("recall", PROFESSOR, space="intro", objects=[{"path": "a.txt"}])
    assert course.files("intro/anna") == {"week1/b.txt": "two\n"}


def test_a_distribution_of_another_space_is_not_recalled_here(course: Campus) -> None:
    task = course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["anna"])
    course.call("space_create", PROFESSOR, name="stats")
    with pytest.raises(NotFound):
        course.call("recall", PROFESSOR, space="stats", distribution=task.distribution)


# Restore.


def test_everything_is_restored_and_that_can_be_undone(course: Campus) -> None:
    course.write("intro/anna", {"a": "1", "d/b": "2"})
    state = course.snapshot("intro/anna", "anna")
    course.write("intro/anna", {"a": "changed", "c": "new"})
    changed = course.files("intro/anna")
    task = course.run("restore", "anna", source=state)
    assert course.files("intro/anna") == {"a": "1", "d/b": "2"}
    backup = course.deliveries(task)["intro/anna"].task.backup
    assert backup == "intro/anna@2"
    course.run("restore", "anna", source=backup)
    assert course.files("intro/anna") == changed


def test_some_paths_are_restored(course: Campus) -> None:
    course.write("intro/anna", {"a": "1", "d/b": "2", "d/c": "3"})
    state = course.snapshot("intro/anna", "anna")
    course.write("intro/anna", {"a": "x", "d/b": "x", "d/c": "x", "d/mine": "m"})
    course.run("restore", "anna", source=f"{state}:d/b")
    assert course.files("intro/anna") == {"a": "x", "d/b": "2", "d/c": "x", "d/mine": "m"}
    course.run("restore", "anna", source=state, paths=["d"])
    assert course.files("intro/anna") == {"a": "x", "d/b": "2", "d/c": "3", "d/mine": "m"}
    course.run("restore", "anna", source=state, paths=["a"], strategy="rename")
    files = course.files("intro/anna")
    assert files["a"] == "x"
    assert "1" in files.values()


def test_restoring_into_another_instance_needs_its_editor(course: Campus) -> None:
    course.write("intro/anna", {"a": "1"})
    state = course.snapshot("intro/anna", "anna")
    with pytest.raises(Refused, match=r"instance editor to restore into it in intro/ben"):
        course.call("restore", "anna", source=state, instance="intro/ben")
    course.call("role_grant", PROFESSOR, instance="intro/ben", username="anna", role="editor")
    course.run("restore", "anna", source=state, instance="intro/ben", paths=["a"])
    assert course.files("intro/ben") == {"a": "1"}


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"source": "intro/anna"}, InvalidInput),
        ({"source": "intro/anna@9"}, NotFound),
        ({"source": "intro/anna@1:missing"}, NotFound),
        ({"source": "intro/anna@1", "paths": ["a", "missing"]}, NotFound),
        ({"source": "intro/anna@1", "paths": ["../a"]}, InvalidInput),
        ({"source": "intro/anna@1", "paths": [""]}, InvalidInput),
        ({"source": "intro/anna@1", "strategy": "skip"}, InvalidInput),
        ({"source": "intro/anna@1", "instance": "intro/distributed"}, NotNow),
        ({"source": "intro/anna@1", "instance": "intro/nobody"}, NotFound),
        ({"source": "intro/anna@1", "instance": "intro/ben@1"}, InvalidInput),
    ],
)
def test_a_restore_that_makes_no_sense_is_refused(
    course: Campus, request_: dict[str, Any], error: type[NuvoError]
) -> None:
    course.write("intro/anna", {"a": "1"})
    course.snapshot("intro/anna", "anna")
    before = queued(course)
    with pytest.raises(error):
        course.call("restore", PROFESSOR, **request_)
    assert queued(course) == before


def test_an_observer_takes_nothing_out(course: Campus) -> None:
    course.snapshot(MASTER)
    course.call("role_grant", PROFESSOR, instance=MASTER, username="anna", role="observer")
    for name, request in (
        ("distribute", {"source": f"{MASTER}@1", "whole": True, "to": ["anna"]}),
        ("restore", {"source": f"{MASTER}@1", "instance": "intro/anna"}),
        ("pull", {"source": f"{MASTER}@1", "instance": "intro/anna"}),
    ):
        with pytest.raises(Refused):
            course.call(name, "anna", **request)


def test_who_joins_while_something_is_on_its_way_to_all_gets_it(course: Campus) -> None:
    old = course.run("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    course.write(MASTER, {"late.txt": "late\n"})
    task = course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    joined = course.call("instance_create", PROFESSOR, space="intro", name="zoe")
    assert course.finish(task).state == "done"
    assert course.finish(joined).state == "done"
    assert course.files("intro/zoe") == course.files(MASTER)
    assert course.deliveries(task).keys() == course.deliveries(old).keys() | {"intro/zoe"}
    done = course.call("task_show", PROFESSOR, id=task.id)
    assert done.done == done.total == len(course.deliveries(task))


def test_who_joins_before_anything_was_distributed_gets_what_is_on_its_way(course: Campus) -> None:
    task = course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    course.run("instance_create", PROFESSOR, space="intro", name="zoe")
    assert course.finish(task).state == "done"
    assert course.files("intro/zoe") == course.files(MASTER)


def test_who_starts_from_something_else_is_no_target_of_what_is_on_its_way(course: Campus) -> None:
    task = course.call("distribute", PROFESSOR, source=MASTER, whole=True, to=["all"])
    course.run("instance_create", PROFESSOR, space="intro", name="zoe", source="")
    assert course.finish(task).state == "done"
    assert course.files("intro/zoe") == {}


def test_files_are_not_looked_at_while_others_wait_for_the_catalog(course: Campus) -> None:
    """What vanishes once the catalog is locked is not missed: nothing looks any more."""
    path = course.workspace(MASTER) / "a.txt"

    def vanish(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            path.unlink(missing_ok=True)

    sa.event.listen(course.catalog.engine, "before_cursor_execute", vanish)
    try:
        task = course.call("distribute", PROFESSOR, source=MASTER, objects=[{"path": "a.txt"}], to=["anna"])
    finally:
        sa.event.remove(course.catalog.engine, "before_cursor_execute", vanish)
    assert task.state in ("queued", "waiting")
    assert not path.exists()


def test_many_targets_are_as_good_as_few(course: Campus) -> None:
    for number in range(6):
        course.run("instance_create", PROFESSOR, space="intro", name=f"more{number}", source="")
    names = [f"more{number}" for number in range(6)]
    task = course.run(
        "distribute", PROFESSOR, source=MASTER, objects=[{"path": "a.txt"}], to=[*names, "intro/anna"]
    )
    assert course.deliveries(task).keys() == {*(f"intro/{name}" for name in names), "intro/anna"}
    with pytest.raises(NotFound, match="nobody"):
        course.call(
            "distribute", PROFESSOR, source=MASTER, objects=[{"path": "a.txt"}], to=[*names, "nobody"]
        )


def test_a_preview_is_read_page_by_page(course: Campus) -> None:
    task = course.run("distribute_preview", PROFESSOR, source=MASTER, whole=True, to=["all"])
    whole = course.call("preview_show", PROFESSOR, id=task.id)
    assert whole.total == len(whole.targets) == 3
    assert task.counts == {"created": sum(len(target.outcomes) for target in whole.targets)}
    pages = [
        course.call("preview_show", PROFESSOR, id=task.id, after=after, limit=2, objects=0)
        for after in (0, 2)
    ]
    assert [len(page.targets) for page in pages] == [2, 1]
    read = [target for page in pages for target in page.targets]
    assert [target.counts for target in read] == [target.counts for target in whole.targets]
    assert all(target.outcomes == () for target in read)
    last = whole.targets[-1]
    objects = [
        outcome
        for after in range(len(last.outcomes) + 1)
        for outcome in course.call(
            "preview_target", PROFESSOR, id=task.id, instance=last.instance, after=after, limit=1
        ).outcomes
    ]
    assert tuple(objects) == last.outcomes
    with pytest.raises(NotFound, match="no target"):
        course.call("preview_target", PROFESSOR, id=task.id, instance="intro/nobody")
