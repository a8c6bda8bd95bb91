"""What a preview says in a terminal and in a notebook."""

from __future__ import annotations

from datetime import UTC, datetime

from nuvo_jupyter.clients.previewed import rows
from nuvo_jupyter.model.applications import (
    ApplicationChange,
    ApplicationComparison,
    PackageChange,
    PackageChangeKind,
    in_words,
)
from nuvo_jupyter.model.changes import ObjectKind, ObjectOutcome, Outcome
from nuvo_jupyter.model.tasks import Preview, Problem, TargetPreview, Task, TaskKind, TaskState

FOLDER = ".nuvo/applications/science"


def preview(*targets: TargetPreview) -> Preview:
    task = Task(1, TaskKind.PREVIEW, "Preview", TaskState.DONE, "", 1, 1, datetime.now(UTC), "prof")
    return Preview(task, "intro/master@1", targets, len(targets))


def application(path: str, outcome: Outcome, detail: str = "") -> ObjectOutcome:
    return ObjectOutcome(f"{FOLDER}/{path}", outcome, detail=detail, kind=ObjectKind.APPLICATION)


def test_an_application_is_one_row_and_what_is_in_its_way_another() -> None:
    compared = ApplicationComparison(
        packages=(PackageChange(name="numpy", kind=PackageChangeKind.UPGRADED, before="1.26", after="2.0"),),
        unchanged=58,
        warnings=("It was made with Python 3.13, and here is Python 3.11.",),
    )
    target = TargetPreview(
        "intro/anna",
        {},
        (
            ObjectOutcome("a.txt", Outcome.CREATED),
            ObjectOutcome("b.txt", Outcome.KEPT),
            application("app.json", Outcome.REPLACED),
            application("wheels/x.whl", Outcome.CONFLICT, "in the way"),
        ),
        applications=(ApplicationChange(name="science", outcome=Outcome.REPLACED, comparison=compared),),
    )
    assert rows(preview(target)) == [
        ("intro/anna", "created", "a.txt", "", ""),
        ("intro/anna", "conflict", f"{FOLDER}/wheels/x.whl", "", "in the way"),
        ("intro/anna", "replaced", "application science", "", "numpy 1.26 → 2.0; 58 packages the same"),
        ("intro/anna", "warning", "application science", "", compared.warnings[0]),
    ]


def test_a_target_of_which_nothing_changes_or_nothing_is_known_says_so() -> None:
    same = TargetPreview("intro/anna", {"kept": 1}, (ObjectOutcome("a.txt", Outcome.KEPT),))
    gone = TargetPreview("intro/ben", {}, (), Problem("workspace_unavailable", "It is gone."))
    assert rows(preview(same, gone)) == [
        ("intro/anna", "kept", "", "", "Nothing would change."),
        ("intro/ben", "failed", "", "", "It is gone."),
    ]


def test_a_long_comparison_names_some_packages_and_counts_the_others() -> None:
    packages = tuple(
        PackageChange(name=name, kind=kind, before=before, after=after)
        for name, kind, before, after in (
            ("a", PackageChangeKind.ADDED, None, "1"),
            ("b", PackageChangeKind.REMOVED, "1", None),
            ("c", PackageChangeKind.REBUILT, "1", "1"),
            ("d", PackageChangeKind.DOWNGRADED, "2", "1"),
        )
    )
    compared = ApplicationComparison(packages=packages, kernel=True, settings=("a/b.json",))
    assert in_words(compared, 3) == (
        "+a 1, −b, c 1 with other content, 1 more; its kernel is started otherwise; settings: a/b.json"
    )
    assert in_words(ApplicationComparison()) == ""
