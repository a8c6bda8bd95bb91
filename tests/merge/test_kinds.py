"""States that hold files, tables and applications: each kind by its own strategy, tables and applications whole."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge import resolve_all
from nuvo_jupyter.merge.kinds import plan_kinds
from nuvo_jupyter.model.changes import Change, ObjectKind, Outcome, Strategies, Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.objects import application_of, kind_of
from nuvo_jupyter.model.paths import is_inside, parent

from .trees import FOLDER, Tree, apply_to, closed, file, link, read

LABEL = "from X 1"
APP = ".nuvo/applications/"
_PATHS = st.sampled_from(
    [
        "a.txt",
        "tables",
        "tables/notes.txt",
        "tables/t.parquet",
        "tables/u.parquet",
        "tables/v.sql",
        "tables/s/t.parquet",
        "tables/s/deep/x.parquet",
        ".nuvo",
        ".nuvo/other",
        ".nuvo/applications",
        APP + "py",
        APP + "py/app.json",
        APP + "py/wheels/x.whl",
        APP + "py/wheels",
        APP + "r/app.json",
        APP + "py (from X 1)/app.json",
    ]
)
_NODES = st.one_of(
    st.just(FOLDER), st.builds(file, st.sampled_from(["", "1\n", "2\n"])), st.builds(link, st.just("a.txt"))
)


@st.composite
def states(draw: st.DrawFn) -> Tree:
    """A state in which files, tables and applications meet each other and things in their way."""
    state: Tree = {}
    for path, node in draw(st.dictionaries(_PATHS, _NODES, max_size=8)).items():
        folders, folder = [], parent(path)
        while folder:
            folders.append(folder)
            folder = parent(folder)
        blocked = any(state.get(folder, FOLDER).kind is not NodeKind.FOLDER for folder in folders)
        if not blocked and path not in state:
            state = closed({**state, path: node})
    return state


_STRATEGIES = st.builds(
    Strategies, st.sampled_from(Strategy), st.sampled_from(Strategy), st.sampled_from(Strategy)
)


def deliver(
    source: Tree, target: Tree, base: Tree, strategies: Strategies, objects: list[str] | None = None
) -> tuple[list[Change], Tree]:
    changes = plan_kinds(source, target, base, strategies=strategies, objects=objects, label=LABEL)
    changes = resolve_all(changes, read, source, target, base, LABEL)
    return changes, apply_to(target, changes)


@given(states(), states(), states(), _STRATEGIES, st.data())
@settings(deadline=None, max_examples=400)
def test_every_plan_can_be_applied_and_leaves_other_kinds_alone(
    source: Tree, target: Tree, base: Tree, strategies: Strategies, data: st.DataObject
) -> None:
    objects = data.draw(st.none() | st.lists(st.sampled_from([*sorted(source), "absent"]), max_size=3))
    _, after = deliver(source, target, base, strategies, objects)
    skipped = {
        kind
        for kind, strategy in zip(
            ObjectKind, (strategies.file, strategies.table, strategies.application), strict=True
        )
        if strategy is Strategy.SKIP
    }
    for path, node in target.items():
        if (
            kind_of(path) in skipped
            and node.kind is not NodeKind.FOLDER
            and not _was_replaced(path, target, after)
        ):
            assert same(after.get(path), node)


@given(states(), states(), states())
@settings(deadline=None, max_examples=200)
def test_replacing_everything_gives_the_distributed_state(source: Tree, target: Tree, base: Tree) -> None:
    strategies = Strategies(Strategy.REPLACE, Strategy.REPLACE, Strategy.REPLACE)
    _, after = deliver(source, target, base, strategies)
    assert {p: n for p, n in after.items() if n.kind is not NodeKind.FOLDER} == {
        p: n for p, n in source.items() if n.kind is not NodeKind.FOLDER
    }
    assert after.keys() == source.keys()


@given(states(), states(), states(), _STRATEGIES)
@settings(deadline=None, max_examples=300)
def test_an_application_is_one_whole(source: Tree, target: Tree, base: Tree, strategies: Strategies) -> None:
    _, after = deliver(source, target, base, strategies)
    for folder in {application_of(path) for path in after} - {""}:
        held = _inside(after, folder)
        # A copy put beside has another name, so it may be any of the source's.
        versions = [
            _inside(state, name) for state in (source, target) for name in {application_of(p) for p in state}
        ]
        assert held in versions or not held


@given(
    states(),
    states(),
    states(),
    st.sampled_from([s for s in Strategy if s not in (Strategy.REPLACE, Strategy.MERGE)]),
)
@settings(deadline=None, max_examples=200)
def test_nothing_that_only_the_target_has_is_deleted(
    source: Tree, target: Tree, base: Tree, strategy: Strategy
) -> None:
    changes, after = deliver(source, target, base, Strategies(strategy, strategy, strategy))
    for path, node in target.items():
        replaced = application_of(path) and application_of(path) in {application_of(p) for p in source}
        if path not in source and not replaced and node.kind is not NodeKind.FOLDER:
            assert same(after.get(path), node)
    for change in changes:
        assert change.kind is kind_of(change.path) or (
            change.node is not None and change.node.kind is NodeKind.FOLDER
        )


def test_a_conflict_in_an_application_keeps_both_whole() -> None:
    source = closed({APP + "py/app.json": file("new\n"), APP + "py/lock": file("2\n")})
    target = closed({APP + "py/app.json": file("mine\n"), APP + "py/extra": file("x\n")})
    strategies = Strategies(application=Strategy.MERGE)
    changes, after = deliver(source, target, {}, strategies)
    assert _inside(after, APP + "py") == _inside(target, APP + "py")
    assert _inside(after, APP + "py (from X 1)") == _inside(source, APP + "py")
    assert {change.outcome for change in changes if change.kind is ObjectKind.APPLICATION} == {
        Outcome.CONFLICT
    }


def _application(lock: str = "1\n", app: str = "a\n", **more: str) -> Tree:
    files = {"app.json": app, "pylock.py.toml": lock, "kernel.json.in": "k\n"} | more
    return closed({APP + "py/" + name: file(text) for name, text in files.items()})


def test_an_application_differs_when_its_lock_does_and_not_by_what_each_machine_writes() -> None:
    source = _application(app="python 3.11.7\n", **{"settings/a/theme": "dark\n"})
    target = _application(app="python 3.11.9\n", **{"logos/logo-svg.svg": "x\n"})
    for strategy in (Strategy.MERGE, Strategy.RENAME, Strategy.EXTRA):
        for base in ({}, source, target, _application(app="older\n")):
            changes, after = deliver(source, target, base, Strategies(application=strategy))
            assert after == target
            assert {change.outcome for change in changes} <= {Outcome.KEPT}
    for strategy in (Strategy.OVERWRITE, Strategy.REPLACE):
        _, after = deliver(source, target, {}, Strategies(application=strategy))
        assert _inside(after, APP + "py") == _inside(source, APP + "py")


@pytest.mark.parametrize(
    "other",
    [
        _application(lock="2\n"),
        _application(**{"kernel.json.in": "other\n"}),
        _application(**{"wheels/x.whl": "x\n"}),
        _application(**{"conda.lock.json": "x\n"}),
    ],
    ids=["lock", "kernel", "wheels", "conda"],
)
def test_what_installs_or_starts_otherwise_is_another_application(other: Tree) -> None:
    mine = _application(app="mine\n")
    changes, after = deliver(other, mine, {}, Strategies(application=Strategy.MERGE))
    assert {change.outcome for change in changes if change.kind is ObjectKind.APPLICATION} == {
        Outcome.CONFLICT
    }
    assert _inside(after, APP + "py (from X 1)") == _inside(other, APP + "py")
    # Not touched since it came, so what is new replaces it.
    _, after = deliver(other, mine, mine, Strategies(application=Strategy.MERGE))
    assert _inside(after, APP + "py") == _inside(other, APP + "py")
    _, after = deliver(other, mine, _application(app="as it came\n"), Strategies(application=Strategy.MERGE))
    assert _inside(after, APP + "py") == _inside(other, APP + "py")


def test_times_and_modes_make_no_other_application() -> None:
    source = _application()
    later = {path: msgspec.structs.replace(node, mtime_ns=7) for path, node in source.items()}
    others = {path: msgspec.structs.replace(node, mode=node.mode ^ 0o022) for path, node in later.items()}
    for strategy in Strategy:
        # Only what replaces a whole state reproduces the permissions of its folders.
        for target in [later] if strategy is Strategy.REPLACE else [later, others]:
            changes, _ = deliver(source, target, {}, Strategies(application=strategy))
            assert {change.outcome for change in changes} <= {Outcome.KEPT}, strategy


def test_only_files_leaves_tables_and_applications() -> None:
    source = closed({"a.txt": file("1\n"), "tables/t.parquet": file("1\n"), APP + "py/app.json": file("1\n")})
    strategies = Strategies(table=Strategy.SKIP, application=Strategy.SKIP)
    _, after = deliver(source, {}, {}, strategies)
    assert {path for path, node in after.items() if node.kind is NodeKind.FILE} == {"a.txt"}


def _inside(state: Mapping[str, Node], folder: str) -> dict[str, tuple[NodeKind, tuple[bytes, ...], str]]:
    return {
        path[len(folder) :]: (node.kind, node.content, node.link)
        for path, node in state.items()
        if path != folder and is_inside(path, folder)
    }


def _was_replaced(path: str, target: Tree, after: Tree) -> bool:
    """Whether a folder that held a path made room for something of another kind."""
    while path:
        there = after.get(path)
        if there is not None and there.kind is not NodeKind.FOLDER and target[path].kind is NodeKind.FOLDER:
            return True
        path = parent(path)
    return False
