"""What a plan does not depend on: files it is enough to know of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge import plan, resolve_all
from nuvo_jupyter.merge.concerned import concerned
from nuvo_jupyter.merge.recall import plan_recall
from nuvo_jupyter.model.changes import Change, Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind

from .test_plan_properties import LABEL, situations
from .trees import Tree, file, read

UNREAD = (b"\0" * 32,)


def half_read(target: Mapping[str, Node], source: Tree, base: Tree, strategy: Strategy) -> Tree:
    """The target as it is known when only what matters of it was read."""
    matters = concerned(source, base, strategy)
    return {
        path: node
        if node.kind is not NodeKind.FILE or matters is None or matters(path)
        else msgspec.structs.replace(node, content=UNREAD)
        for path, node in target.items()
    }


def said(changes: Sequence[Change]) -> list[tuple[object, ...]]:
    return [
        (change.path, change.outcome, change.action, change.at, change.detail, change.kind)
        for change in changes
    ]


@given(situations(), st.sampled_from(Strategy))
@settings(deadline=None, max_examples=400)
def test_the_plan_is_the_same_when_only_what_matters_was_read(
    situation: tuple[Tree, Tree, Tree, list[str] | None], strategy: Strategy
) -> None:
    source, target, base, objects = situation
    known = half_read(target, source, base, strategy)
    plans = []
    for there in (target, known):
        changes = plan(source, there, base, strategy=strategy, objects=objects, label=LABEL)
        plans.append(said(resolve_all(changes, read, source, there, base, LABEL)))
    assert plans[0] == plans[1]
    assert said(plan_recall(target, base, objects)) == said(
        plan_recall(half_read(target, base, base, Strategy.MERGE), base, objects)
    )


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("week1/x.txt", True), ("old.txt", True), ("own.txt", False), ("x (from course 1).txt", True),
        ("week1 (from course 1)/deep/y.txt", True), ("tables/grades.parquet", True), ("tables.txt", False),
        (".nuvo/applications/env/app.json", True), ("db.sqlite", False), ("db.sqlite-wal", True), ("t.duckdb.wal", True),
    ],
)  # fmt: skip
def test_what_matters(path: str, matters: bool) -> None:
    asked = concerned({"week1/x.txt": file("x")}, {"old.txt": file("o")}, Strategy.OVERWRITE)
    assert asked is not None
    assert asked(path) is matters


def test_where_everything_else_is_removed_all_matters() -> None:
    assert concerned({}, {}, Strategy.REPLACE) is None
