"""Deliveries end to end: what lands in targets, what is backed up, what counts as last distributed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.orders import DistributionOrder
from nuvo_jupyter.delivery.settle import retry
from nuvo_jupyter.model.changes import ObjectKind, Strategies, Strategy
from nuvo_jupyter.model.tasks import DistributionKind
from nuvo_jupyter.store.tree import flatten
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]


def base_of(course: Course, name: str) -> set[str]:
    row = next(row for row in course.rows(t.instance) if row.name == name)
    return set() if row.base_root is None else set(flatten(course.context.store, row.base_root))


def test_all_targets_get_the_state_of_one_snapshot_and_are_backed_up_before(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"week1/a.txt": "A", "b.txt": "B"})
    write(course.folder("anna"), {"mine.txt": "mine", "b.txt": "old"})
    rows = course.distribute(["anna", "ben"])
    assert {name: row.state for name, row in rows.items()} == {"": "done", "anna": "done", "ben": "done"}
    assert read(course.folder("anna")) == {"mine.txt": "mine", "b.txt": "B", "week1/a.txt": "A"}
    assert read(course.folder("ben")) == {"b.txt": "B", "week1/a.txt": "A"}
    assert course.outcomes(rows["anna"])["b.txt"] == "replaced"
    assert (rows[""].done, rows[""].total) == (2, 2)
    snapshots = {row.id: row for row in course.rows(t.snapshot)}
    backup = snapshots[rows["anna"].backup_id]
    assert backup.reason == "before_distribution"
    assert set(flatten(course.context.store, backup.root)) == {"mine.txt", "b.txt"}
    assert base_of(course, "anna") == base_of(course, "ben") == {"b.txt", "week1", "week1/a.txt"}
    assert len({row.base_root for row in course.rows(t.instance) if row.name in ("anna", "ben")}) == 1


def test_everything_goes_through_distributed_and_piles_up_there(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    course.distribute(["anna"], ["a.txt"], through=True)
    write(course.folder("master"), {"b.txt": "B"})
    rows = course.distribute(["anna", "ben"], ["b.txt"], through=True)
    assert rows[""].state == "done"
    assert (rows[""].done, rows[""].total) == (3, 3)
    assert read(course.folder("distributed")) == {"a.txt": "A", "b.txt": "B"}
    assert read(course.folder("ben")) == {"b.txt": "B"}
    latest = [row for row in course.rows(t.snapshot) if row.instance_id == course.ids["distributed"]][-1]
    assert set(flatten(course.context.store, latest.root)) == {"a.txt", "b.txt"}
    rows = course.distribute(["ben"], None, through=True)
    assert read(course.folder("ben")) == {"a.txt": "A", "b.txt": "B"}


@pytest.mark.parametrize("strategy", ["extra", "overwrite", "rename"])
def test_distributed_holds_what_was_handed_out_whatever_the_targets_keep(
    make_course: Make, strategy: str
) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "1"})
    course.distribute(["anna"], ["a.txt"], through=True)
    write(course.folder("master"), {"a.txt": "2"})
    rows = course.distribute(["anna"], ["a.txt"], strategy, through=True)
    assert read(course.folder("distributed")) == {"a.txt": "2"}
    assert (
        course.outcomes(rows["anna"])["a.txt"]
        == {"extra": "kept", "overwrite": "replaced", "rename": "renamed"}[strategy]
    )


def test_when_distributed_cannot_get_it_nobody_does(make_course: Make) -> None:
    course = make_course("anna")
    course.distribute(["anna"], through=True)
    write(course.folder("master"), {"a.txt": "A"})
    course.folder("distributed").rmdir()
    rows = course.distribute(["anna"], through=True)
    assert {name: row.state for name, row in rows.items()} == {
        "": "failed",
        "distributed": "failed",
        "anna": "cancelled",
    }
    assert course.problem(rows[""])["code"] == "workspace_unavailable"
    assert "Distributed" in course.problem(rows["anna"])["message"]
    assert read(course.folder("anna")) == {}


def test_a_source_that_is_missing_fails_the_distribution_and_can_be_retried(make_course: Make) -> None:
    course = make_course("anna")
    course.folder("master").rmdir()
    rows = course.distribute(["anna"])
    assert (rows[""].state, rows["anna"].state) == ("failed", "cancelled")
    write(course.folder("master"), {"a.txt": "A"})
    with course.context.catalog.write() as connection:
        assert retry(course.context, connection, rows[""].id) == 1
    assert course.run(rows[""].id).state == "done"
    assert read(course.folder("anna")) == {"a.txt": "A"}


def test_merge_keeps_both_sides_and_moves_the_base_on(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "one\ntwo\nthree\nfour\nfive\n", "gone.txt": "x"})
    course.distribute(["anna"], None, Strategy.MERGE)
    write(course.folder("anna"), {"a.txt": "one!\ntwo\nthree\nfour\nfive\n"})
    write(course.folder("master"), {"a.txt": "one\ntwo\nthree\nfour\nfive!\n"})
    (course.folder("master") / "gone.txt").unlink()
    rows = course.distribute(["anna"], None, Strategy.MERGE)
    assert course.outcomes(rows["anna"]) == {"a.txt": "merged", "gone.txt": "deleted"}
    assert read(course.folder("anna")) == {"a.txt": "one!\ntwo\nthree\nfour\nfive!\n"}
    assert base_of(course, "anna") == {"a.txt"}
    again = course.distribute(["anna"], None, Strategy.MERGE)
    assert course.outcomes(again["anna"]) == {"a.txt": "kept"}


def test_what_extra_kept_does_not_count_as_distributed(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    write(course.folder("anna"), {"a.txt": "mine"})
    course.distribute(["anna"], None, Strategy.EXTRA)
    assert base_of(course, "anna") == {"b.txt"}


def test_restoring_a_snapshot_brings_back_files_and_base(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    course.distribute(["anna"])
    kept = course.snapshot("anna")
    write(course.folder("master"), {"a.txt": "A2", "b.txt": "B"})
    course.distribute(["anna"])
    assert base_of(course, "anna") == {"a.txt", "b.txt"}
    rows = course.distribute(
        ["anna"], None, Strategy.REPLACE, kind=DistributionKind.RESTORE, source="anna", snapshot=kept
    )
    assert rows[""].state == "done"
    assert read(course.folder("anna")) == {"a.txt": "A"}
    assert base_of(course, "anna") == {"a.txt"}
    assert {row.id: row.reason for row in course.rows(t.snapshot)}[rows["anna"].backup_id] == "before_restore"


def test_a_new_instance_gets_its_folder_and_no_backup(make_course: Make) -> None:
    course = make_course()
    write(course.folder("master"), {"a.txt": "A"})
    folder = course.add("anna", make=False)
    rows = course.distribute(["anna"], kind=DistributionKind.CREATE)
    assert rows[""].state == "done"
    assert rows["anna"].backup_id is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert read(folder) == {"a.txt": "A"}


def test_a_missing_target_fails_alone(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    course.folder("anna").rmdir()
    rows = course.distribute(["anna", "ben"])
    assert {name: row.state for name, row in rows.items()} == {"": "failed", "anna": "failed", "ben": "done"}
    assert course.problem(rows["anna"])["code"] == "workspace_unavailable"
    assert course.problem(rows[""])["message"] == "1 of 2 deliveries failed."


def test_staged_objects_that_cannot_be_delivered_are_named(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    rows = course.distribute(["anna"], ["a.txt", "nothing.txt"])
    assert rows["anna"].state == "failed"
    assert course.problem(rows["anna"])["code"] == "some_objects_failed"
    assert "nothing.txt" in course.problem(rows["anna"])["message"]
    assert course.outcomes(rows["anna"]) == {"a.txt": "created", "nothing.txt": "failed"}
    assert read(course.folder("anna")) == {"a.txt": "A"}


def test_an_edit_between_backup_and_apply_is_kept(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "new", "b.txt": "new"})
    write(course.folder("anna"), {"a.txt": "old", "b.txt": "old"})

    def edit(task: int) -> None:
        # Announced once the backup is taken and the delivery enters its last step.
        row = next((row for row in course.rows(t.task) if row.id == task), None)
        if row is not None and row.step == "apply" and row.state == "running":
            write(course.folder("anna"), {"a.txt": "edited just now"})

    object.__setattr__(course.context, "announce", edit)
    rows = course.distribute(["anna"])
    assert course.outcomes(rows["anna"]) == {"a.txt": "conflict", "b.txt": "replaced"}
    assert read(course.folder("anna")) == {"a.txt": "edited just now", "b.txt": "new"}
    assert base_of(course, "anna") == {"b.txt"}


def test_open_pages_are_asked_to_save_before_the_backup(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A"})
    object.__setattr__(
        course.context,
        "prepare",
        lambda instance: write(course.folder("anna"), {"a.txt": f"saved {instance}"}),
    )
    rows = course.distribute(["anna"], None, Strategy.EXTRA)
    assert course.outcomes(rows["anna"]) == {"a.txt": "kept"}
    backup = {row.id: row for row in course.rows(t.snapshot)}[rows["anna"].backup_id]
    assert set(flatten(course.context.store, backup.root)) == {"a.txt"}


def test_recall_removes_what_is_as_distributed_and_lists_what_was_edited(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"week1/a.txt": "A", "week1/b.txt": "B"})
    sent = course.distribute(["anna", "ben"], ["week1"])
    write(course.folder("anna"), {"week1/a.txt": "edited"})
    write(course.folder("ben"), {"own.txt": "own"})
    number = sent[""].distribution_id
    rows = course.distribute(["anna", "ben"], None, kind=DistributionKind.RECALL, recalled=number)
    assert rows[""].state == "done"
    assert course.outcomes(rows["anna"]) == {"week1/a.txt": "kept", "week1/b.txt": "deleted"}
    assert read(course.folder("anna")) == {"week1/a.txt": "edited"}
    assert read(course.folder("ben")) == {"own.txt": "own"}
    assert not (course.folder("ben") / "week1").exists()
    assert base_of(course, "anna") == base_of(course, "ben") == set()
    assert rows["anna"].backup_id is not None


def test_late_joiners_do_not_get_what_was_recalled(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "mistake.txt": "oops"})
    course.distribute(["anna"], ["a.txt", "mistake.txt"], through=True)
    course.distribute(["distributed", "anna"], ["mistake.txt"], kind=DistributionKind.RECALL)
    latest = [row for row in course.rows(t.snapshot) if row.instance_id == course.ids["distributed"]][-1]
    assert set(flatten(course.context.store, latest.root)) == {"a.txt"}
    assert latest.base_root is not None
    assert set(flatten(course.context.store, latest.base_root)) == {"a.txt"}


def test_what_goes_to_distributed_by_name_reaches_late_joiners(make_course: Make) -> None:
    course = make_course()
    write(course.folder("master"), {"a.txt": "A"})
    course.distribute(["distributed"])
    number = len(course.rows(t.snapshot))
    latest = course.rows(t.snapshot)[-1]
    assert latest.instance_id == course.ids["distributed"]
    assert set(flatten(course.context.store, latest.root)) == {"a.txt"}
    course.distribute(["distributed"], snapshot=course.rows(t.snapshot)[0].id)
    assert len(course.rows(t.snapshot)) == number + 1, "only the backup: nothing has changed"


def test_recall_of_paths_goes_by_what_was_last_distributed(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    course.distribute(["anna"])
    rows = course.distribute(["anna"], ["a.txt"], kind=DistributionKind.RECALL)
    assert course.outcomes(rows["anna"]) == {"a.txt": "deleted"}
    assert base_of(course, "anna") == {"b.txt"}


def test_distributing_twice_changes_nothing(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "empty": None})
    course.distribute(["anna"])
    assert (course.folder("anna") / "empty").is_dir()
    before = base_of(course, "anna")
    rows = course.distribute(["anna"], None, Strategy.REPLACE)
    assert course.outcomes(rows["anna"]) == {"a.txt": "kept"}
    assert base_of(course, "anna") == before == {"a.txt", "empty"}


def test_tables_and_applications_go_by_strategies_of_their_own(make_course: Make) -> None:
    course = make_course("anna")
    app = ".nuvo/applications/py/app.json"
    theirs = {"a.txt": "A", "tables/grades.parquet": "1", app: "new"}
    write(course.folder("master"), theirs)
    write(course.folder("anna"), {"a.txt": "mine", "tables/grades.parquet": "mine", app: "mine"})
    strategies = Strategies(file=Strategy.EXTRA, table=Strategy.RENAME, application=Strategy.OVERWRITE)
    for only_files, outcomes in (
        (True, {"a.txt": "kept"}),
        (False, {"a.txt": "kept", "tables/grades.parquet": "renamed", app: "replaced"}),
    ):
        order = DistributionOrder(
            kind=DistributionKind.DISTRIBUTE,
            objects=None,
            strategies=strategies,
            only_files=only_files,
            through=course.ids["distributed"],
        )
        said = {item.instance.split("/")[1]: item for item in course.preview(["anna"], order)}
        rows = course.distribute(["anna"], through=True, order=order)
        assert course.outcomes(rows["anna"]) == outcomes
        assert {item.path: item.outcome.value for item in said["anna"].outcomes} == outcomes
        kinds = {item.path: item.kind for item in said["anna"].outcomes}
        assert kinds["a.txt"] is ObjectKind.FILE
        assert only_files or (kinds["tables/grades.parquet"], kinds[app]) == (
            ObjectKind.TABLE,
            ObjectKind.APPLICATION,
        )
        assert rows["distributed"].state == rows[""].state == "done"
    assert (course.folder("anna") / "tables/grades.parquet").read_text() == "mine"
    assert (course.folder("anna") / app).read_text() == "new"
    assert len(list((course.folder("anna") / "tables").iterdir())) == 2
