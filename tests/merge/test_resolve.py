"""From a three-way merge in a plan to what is done with the file."""

from __future__ import annotations

import pytest

from nuvo_jupyter.merge import resolve, resolve_all
from nuvo_jupyter.merge.text import TEXT_MAX
from nuvo_jupyter.model.changes import Action, Change, Outcome
from nuvo_jupyter.model.errors import NotFound
from nuvo_jupyter.model.nodes import Node, NodeKind

from .trees import file, read

LABEL = "from DS 1"
BASE, MINE, THEIRS = file("a\nb\nc\n"), file("A\nb\nc\n"), file("a\nb\nC\n")


def open_merge(before: Node | None, there: Node, wanted: Node, path: str = "w/x.txt") -> Change:
    return Change(path, Outcome.MERGED, Action.MERGE, path, expected=there, base=before, source=wanted)


def test_a_merge_becomes_content_to_put_in_the_targets_place() -> None:
    change = resolve(open_merge(BASE, MINE, THEIRS), read, (), LABEL)
    assert change.action is Action.PUT
    assert change.outcome is Outcome.MERGED
    assert change.data == b"A\nb\nC\n"
    assert change.node == Node(NodeKind.FILE, 0o644, 6)
    assert change.expected == MINE


def test_a_merge_that_gives_the_sources_content_needs_no_other() -> None:
    grown = file("A\nb\nC\n")
    change = resolve(open_merge(BASE, MINE, grown), read, (), LABEL)
    assert (change.data, change.node) == (None, grown)


def test_a_merge_that_gives_the_targets_content_changes_nothing() -> None:
    change = resolve(open_merge(BASE, file("A\nb\nC\n"), THEIRS), read, (), LABEL)
    assert (change.action, change.outcome) == (Action.KEEP, Outcome.KEPT)


@pytest.mark.parametrize("path", ["w/x.txt", "w/x.ipynb"])
def test_a_conflict_puts_the_source_beside_under_a_free_name(path: str) -> None:
    other = file("1\nb\nc\n")
    name, extension = path.rsplit(".", 1)
    change = resolve(open_merge(BASE, MINE, other, path), read, {f"{name} (from DS 1).{extension}"}, LABEL)
    assert change.outcome is Outcome.CONFLICT
    assert change.at == f"{name} (from DS 1) 2.{extension}"
    assert (change.node, change.expected) == (other, None)


def test_what_is_too_large_is_not_even_read() -> None:
    def forbidden(node: Node) -> bytes:
        raise AssertionError(node)

    large = Node(NodeKind.FILE, 0o644, TEXT_MAX + 1, content=(b"x",))
    change = resolve(open_merge(BASE, MINE, large), forbidden, (), LABEL)
    assert change.outcome is Outcome.CONFLICT
    assert "too large" in change.detail


@pytest.mark.parametrize("error", [OSError("no such disk"), NotFound("no such blob")])
def test_content_that_cannot_be_read_fails_by_name(error: Exception) -> None:
    def broken(_: Node) -> bytes:
        raise error

    change = resolve(open_merge(BASE, MINE, THEIRS), broken, (), LABEL)
    assert (change.action, change.outcome) == (Action.KEEP, Outcome.FAILED)
    assert "no such" in change.detail


def test_copies_of_one_plan_take_different_names() -> None:
    target = {"x.txt": MINE}
    taken = Change("y", Outcome.RENAMED, Action.PUT, "x (from DS 1).txt", BASE)
    changes = resolve_all([taken, open_merge(None, MINE, THEIRS, "x.txt")], read, {}, target, {}, LABEL)
    assert [change.at for change in changes] == ["x (from DS 1).txt", "x (from DS 1) 2.txt"]


def test_other_changes_stay_as_they_are() -> None:
    change = Change("x", Outcome.CREATED, Action.PUT, "x", BASE)
    assert resolve(change, read, (), LABEL) is change
