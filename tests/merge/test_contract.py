"""The merge contract, strategy by situation: the table of docs/merge.md, read as a test."""

from __future__ import annotations

import pytest

from nuvo_jupyter.merge import plan, resolve_all
from nuvo_jupyter.model.changes import Action, Change, Outcome, Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind

from .trees import FOLDER, Tree, apply_to, closed, file, link, read, tree

LABEL = "from DS 2026-11-20"
BESIDE = "name (from DS 2026-11-20).txt"
S, S0, MINE = file("new\n"), file("old\n"), file("mine\n")
EXTRA, OVERWRITE, REPLACE, RENAME, MERGE, SKIP = Strategy


def deliver(
    source: Tree, target: Tree, base: Tree, strategy: Strategy, objects: list[str] | None = None
) -> tuple[dict[str, Change], Tree]:
    planned = plan(source, target, base, strategy=strategy, objects=objects, label=LABEL)
    changes = resolve_all(planned, read, source, target, base, LABEL)
    return {change.path: change for change in changes}, apply_to(target, changes)


# target, source, base of one file "name.txt" | strategy → outcome, what is at its place, what is beside it
ABSENT = None
TABLE: list[tuple[str, Node | None, Node | None, Node | None, dict[Strategy, tuple[str | None, Node | None, Node | None]]]] = [
    (
        "target absent", ABSENT, S, None,
        dict.fromkeys((EXTRA, OVERWRITE, REPLACE, RENAME, MERGE), ("created", S, None)) | {SKIP: (None, None, None)},
    ),
    (
        "target equal", S, S, None,
        dict.fromkeys((EXTRA, OVERWRITE, REPLACE, RENAME, MERGE), ("kept", S, None)) | {SKIP: (None, S, None)},
    ),
    (
        "both made one", MINE, S, None,
        {
            EXTRA: ("kept", MINE, None),
            OVERWRITE: ("replaced", S, None),
            REPLACE: ("replaced", S, None),
            RENAME: ("renamed", MINE, S),
            MERGE: ("conflict", MINE, S),
            SKIP: (None, MINE, None),
        },
    ),
    (
        "only the target changed", MINE, S, S,
        {
            EXTRA: ("kept", MINE, None),
            OVERWRITE: ("replaced", S, None),
            REPLACE: ("replaced", S, None),
            RENAME: ("renamed", MINE, S),
            MERGE: ("kept", MINE, None),
        },
    ),
    (
        "only the source changed", S0, S, S0,
        {
            EXTRA: ("kept", S0, None),
            OVERWRITE: ("replaced", S, None),
            REPLACE: ("replaced", S, None),
            RENAME: ("renamed", S0, S),
            MERGE: ("replaced", S, None),
        },
    ),
    ("both changed the same place", MINE, S, S0, {MERGE: ("conflict", MINE, S)}),
    (
        "both changed different places",
        file("A\nb\nc\n"), file("a\nb\nC\n"), file("a\nb\nc\n"),
        {MERGE: ("merged", file("A\nb\nC\n"), None)},
    ),
    ("both changed alike", S, S, S0, {MERGE: ("kept", S, None)}),
    (
        "deleted here, not changed since", ABSENT, S, S,
        {
            EXTRA: ("created", S, None),
            OVERWRITE: ("created", S, None),
            REPLACE: ("created", S, None),
            RENAME: ("created", S, None),
            MERGE: ("kept", None, None),
        },
    ),
    ("deleted here, changed since", ABSENT, S, S0, {OVERWRITE: ("created", S, None), MERGE: ("kept", None, None)}),
    (
        "only in the target, never distributed", MINE, ABSENT, None,
        {
            EXTRA: (None, MINE, None),
            OVERWRITE: (None, MINE, None),
            REPLACE: ("deleted", None, None),
            RENAME: (None, MINE, None),
            MERGE: (None, MINE, None),
        },
    ),
    (
        "dropped by the source, untouched here", S0, ABSENT, S0,
        {
            EXTRA: (None, S0, None),
            OVERWRITE: (None, S0, None),
            REPLACE: ("deleted", None, None),
            RENAME: (None, S0, None),
            MERGE: ("deleted", None, None),
        },
    ),
    ("dropped by the source, edited here", MINE, ABSENT, S0, {MERGE: ("kept", MINE, None), REPLACE: ("deleted", None, None)}),
    ("deleted on both sides", ABSENT, ABSENT, S0, {MERGE: (None, None, None), REPLACE: (None, None, None)}),
    (
        "only executable differs", file("new\n", 0o755), S, None,
        {
            EXTRA: ("kept", file("new\n", 0o755), None),
            OVERWRITE: ("replaced", S, None),
            REPLACE: ("replaced", S, None),
            RENAME: ("kept", file("new\n", 0o755), None),
            MERGE: ("kept", file("new\n", 0o755), None),
        },
    ),
    (
        "only other permissions differ", file("new\n", 0o640), S, None,
        {
            EXTRA: ("kept", file("new\n", 0o640), None),
            OVERWRITE: ("kept", file("new\n", 0o640), None),
            REPLACE: ("replaced", S, None),
            RENAME: ("kept", file("new\n", 0o640), None),
            MERGE: ("kept", file("new\n", 0o640), None),
        },
    ),
    (
        "made executable by the source, edited here", MINE, file("old\n", 0o755), S0,
        {MERGE: ("merged", file("mine\n", 0o755), None)},
    ),
    (
        "made executable here, edited by the source", file("old\n", 0o755), S, S0,
        {MERGE: ("merged", file("new\n", 0o755), None)},
    ),
    (
        "a link here", link("elsewhere"), S, None,
        {
            EXTRA: ("kept", link("elsewhere"), None),
            OVERWRITE: ("replaced", S, None),
            REPLACE: ("replaced", S, None),
            RENAME: ("renamed", link("elsewhere"), S),
            MERGE: ("conflict", link("elsewhere"), S),
        },
    ),
    (
        "a link comes", MINE, link("elsewhere"), S0,
        {
            OVERWRITE: ("replaced", link("elsewhere"), None),
            RENAME: ("renamed", MINE, link("elsewhere")),
            MERGE: ("conflict", MINE, link("elsewhere")),
        },
    ),
]  # fmt: skip
CASES = [
    pytest.param(
        strategy, there, wanted, before, *expected, folder, whole,
        id=f"{strategy.value}: {name}, {'whole state' if whole else f'staged {folder}'}",
    )
    for name, there, wanted, before, outcomes in TABLE
    for strategy, expected in outcomes.items()
    for folder, whole in (("", True), ("week 1/", True), ("", False), ("week 1/", False))
    if whole or folder or wanted is not None  # what the source does not have cannot be staged
]  # fmt: skip


@pytest.mark.parametrize(
    ("strategy", "there", "wanted", "before", "outcome", "after", "beside", "folder", "whole"), CASES
)
def test_contract_for_a_file(
    strategy: Strategy,
    there: Node | None,
    wanted: Node | None,
    before: Node | None,
    outcome: str | None,
    after: Node | None,
    beside: Node | None,
    folder: str,
    whole: bool,
) -> None:
    def state(node: Node | None) -> Tree:
        return closed({f"{folder}other": file("other"), **({f"{folder}name.txt": node} if node else {})})

    objects = None if whole else [folder.rstrip("/") or "name.txt"]
    changes, result = deliver(state(wanted), state(there), state(before), strategy, objects)
    change = changes.get(f"{folder}name.txt")
    assert (change.outcome.value if change else None) == outcome
    assert result.get(f"{folder}name.txt") == after
    assert result.get(f"{folder}{BESIDE}") == beside
    assert result[f"{folder}other"] == file("other")


INSIDE = tree(d__x="x", d__sub__y="y", d__empty=FOLDER)
PLACE = "d (from DS 2026-11-20)"


@pytest.mark.parametrize("there", [MINE, link("elsewhere")], ids=["file", "link"])
@pytest.mark.parametrize("strategy", [OVERWRITE, RENAME, MERGE])
def test_a_folder_where_something_else_lies_is_put_beside_with_all_in_it(
    strategy: Strategy, there: Node
) -> None:
    changes, after = deliver(INSIDE, {"d": there}, {}, strategy)
    assert after == {"d": there} | {PLACE + path[1:]: node for path, node in INSIDE.items()}
    outcome = Outcome.RENAMED if strategy is RENAME else Outcome.CONFLICT
    assert {change.outcome for change in changes.values()} == {outcome}
    assert changes["d/sub/y"].at == f"{PLACE}/sub/y"


def test_extra_creates_nothing_where_a_file_is_in_the_way_and_says_so() -> None:
    changes, after = deliver(INSIDE, {"d": MINE}, {}, EXTRA)
    assert after == {"d": MINE}
    assert changes["d/x"].outcome is Outcome.CONFLICT
    assert "'d' is a file" in changes["d/x"].detail


@pytest.mark.parametrize("there", [MINE, link("elsewhere")], ids=["file", "link"])
def test_replace_makes_room_for_a_folder(there: Node) -> None:
    _, after = deliver(INSIDE, {"d": there}, {}, REPLACE)
    assert after == INSIDE


def test_replace_makes_room_for_a_file() -> None:
    _, after = deliver({"d": S}, INSIDE, {}, REPLACE)
    assert after == {"d": S}


@pytest.mark.parametrize("strategy", [OVERWRITE, RENAME, MERGE])
def test_a_file_where_a_folder_lies_is_put_beside(strategy: Strategy) -> None:
    changes, after = deliver({"d": S}, INSIDE, {}, strategy)
    assert after == INSIDE | {PLACE: S}
    assert changes["d"].at == PLACE


def test_merge_turns_an_untouched_file_into_a_folder_and_back() -> None:
    assert deliver(INSIDE, {"d": S}, {"d": S}, MERGE)[1] == INSIDE
    assert deliver({"d": S}, INSIDE, INSIDE, MERGE)[1] == {"d": S}


def test_merge_keeps_a_folder_in_which_something_was_done() -> None:
    changes, after = deliver({"d": S}, INSIDE | {"d/mine": MINE}, INSIDE, MERGE)
    assert after == {"d": FOLDER, "d/mine": MINE, PLACE: S}
    assert changes["d"].outcome is Outcome.CONFLICT


def test_merge_puts_only_what_is_new_beside_a_file_that_was_a_folder() -> None:
    source = INSIDE | {"d/x": file("x2"), "d/new": S}
    changes, after = deliver(source, {"d": MINE}, INSIDE, MERGE)
    assert after == {"d": MINE, PLACE: FOLDER, f"{PLACE}/new": S}
    assert changes["d/x"].outcome is Outcome.KEPT
    assert "overwrite" in changes["d/x"].detail


@pytest.mark.parametrize("strategy", [OVERWRITE, REPLACE, RENAME, MERGE])
def test_what_is_in_the_way_to_a_staged_object_is_no_part_of_it(strategy: Strategy) -> None:
    _, after = deliver(INSIDE, {"d": MINE}, {"d": MINE}, strategy, ["d/sub"])
    assert after == {"d": MINE, PLACE: FOLDER, f"{PLACE}/sub": FOLDER, f"{PLACE}/sub/y": file("y")}


@pytest.mark.parametrize("strategy", [EXTRA, OVERWRITE, REPLACE, RENAME, MERGE])
def test_parents_of_staged_objects_are_made_as_in_the_source_and_nothing_else(strategy: Strategy) -> None:
    shut = Node(NodeKind.FOLDER, 0o700)
    changes, after = deliver(INSIDE | {"d": shut, "z": S}, {"mine": MINE}, {}, strategy, ["d/sub/y"])
    assert after == {"mine": MINE, "d": shut, "d/sub": FOLDER, "d/sub/y": file("y")}
    assert changes["d"].outcome is Outcome.CREATED
    # Parents that are there stay as they are.
    assert deliver(INSIDE | {"d": shut}, tree(d__mine="m"), {}, strategy, ["d/sub/y"])[1]["d"] == FOLDER


@pytest.mark.parametrize("strategy", [EXTRA, OVERWRITE, REPLACE, RENAME, MERGE])
def test_empty_folders_are_delivered(strategy: Strategy) -> None:
    assert deliver({"e": FOLDER}, {}, {}, strategy)[1] == {"e": FOLDER}


def test_a_staged_path_the_source_does_not_have_fails_by_name_and_the_rest_goes_on() -> None:
    changes, after = deliver(tree(a="1"), {}, tree(gone__x="1"), OVERWRITE, ["a", "gone"])
    assert changes["gone"].outcome is Outcome.FAILED
    assert changes["gone"].detail
    assert after == tree(a="1")


def test_replace_deletes_only_inside_staged_folders() -> None:
    target = tree(d__mine="m", d__deep__mine="m", other__mine="m", top="m")
    _, after = deliver(tree(d__x="x", other__x="x"), target, {}, REPLACE, ["d"])
    assert after == tree(d__x="x", other__mine="m", top="m")


def test_merge_deletes_what_was_dropped_only_within_the_staged_objects() -> None:
    base = tree(d__x="x", d__dropped="1", other__dropped="1")
    changes, after = deliver(tree(d__x="x", other__x="x"), base, base, MERGE, ["d"])
    assert after == tree(d__x="x", other__dropped="1")
    assert "other/dropped" not in changes


def test_merge_deletes_a_dropped_folder_with_what_was_in_it_unless_something_of_the_students_is() -> None:
    base = tree(d__x="x", d__sub__y="y")
    assert deliver({}, base, base, MERGE)[1] == {}
    assert deliver({}, base | {"d/sub/mine": MINE}, base, MERGE)[1] == tree(d__sub__mine=MINE)


def test_merge_brings_a_deleted_folder_back_only_for_something_new() -> None:
    base = tree(d__x="x")
    assert deliver(base, {}, base, MERGE)[1] == {}
    assert deliver(base | {"d/new": S}, {}, base, MERGE)[1] == {"d": FOLDER, "d/new": S}


def test_staging_the_whole_state_as_an_empty_path_means_all_of_it() -> None:
    assert deliver(tree(a="1"), tree(b="2"), {}, REPLACE, [""])[1] == tree(a="1")


def test_a_copy_beside_is_found_again_whatever_date_it_bears() -> None:
    target = {"name.txt": MINE, "name (from DS 2026-01-01) 2.txt": S}
    changes, after = deliver({"name.txt": S}, target, {}, RENAME)
    assert after == target
    assert changes["name.txt"].outcome is Outcome.KEPT
    assert changes["name.txt"].at == "name (from DS 2026-01-01) 2.txt"


def test_a_copy_beside_takes_no_name_of_target_source_or_plan() -> None:
    source = {"name.txt": S, BESIDE: file("of the source")}
    target = {"name.txt": MINE, "name (from DS 2026-11-20) 2.txt": MINE}
    _, after = deliver(source, target, {}, RENAME)
    assert after == target | {BESIDE: source[BESIDE], "name (from DS 2026-11-20) 3.txt": S}


def test_a_folder_half_put_beside_is_completed() -> None:
    whole = deliver(INSIDE, {"d": MINE}, {}, OVERWRITE)[1]
    half = {path: node for path, node in whole.items() if not path.endswith("y")}
    assert deliver(INSIDE, half, {}, OVERWRITE)[1] == whole
    # A folder of that name that holds something else is another one.
    other = half | {f"{PLACE}/x": MINE}
    assert f"{PLACE} 2/x" in deliver(INSIDE, other, {}, OVERWRITE)[1]


def test_removals_come_first_and_children_before_their_folders() -> None:
    target = tree(d__a__b="1", z="1")
    planned = plan(tree(d="file", z="2"), target, {}, strategy=REPLACE, objects=None, label=LABEL)
    assert [(c.action, c.at) for c in planned] == [
        (Action.REMOVE, "d/a/b"),
        (Action.REMOVE, "d/a"),
        (Action.REMOVE, "d"),
        (Action.PUT, "d"),
        (Action.PUT, "z"),
    ]


@pytest.mark.parametrize(
    "name", ["-rf", "naïve 🙂.txt", "line\nbreak.txt", ".bashrc", "\\xff\\xfe.txt", "é" * 125 + ".txt"]
)
@pytest.mark.parametrize("strategy", [RENAME, MERGE])
def test_names_of_every_sort_are_put_beside(name: str, strategy: Strategy) -> None:
    _, after = deliver({name: S}, {name: MINE}, {}, strategy)
    assert sorted(map(str, after.values())) == sorted(map(str, [S, MINE]))
    assert deliver({name: S}, after, {}, strategy)[1] == after
