"""What holds for every plan, over random states in which names, kinds and contents clash."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge import plan, resolve_all
from nuvo_jupyter.model.changes import Action, Change, Outcome, Strategy
from nuvo_jupyter.model.nodes import NodeKind, same
from nuvo_jupyter.model.paths import is_inside

from .trees import Tree, apply_to, edited, read, trees

LABEL = "from X 1"
STRATEGIES = st.sampled_from(Strategy)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Tree, Tree, Tree, list[str] | None]:
    """Source, target, base and staged objects: related states, as after distributions, or unrelated ones."""
    base = draw(trees())
    source = draw(st.one_of(trees(), edited(base)))
    target = draw(st.one_of(trees(), edited(base)))
    base = draw(st.sampled_from([base, {}]))
    objects = draw(st.none() | st.lists(st.sampled_from([*sorted(source), "absent"]), max_size=3))
    return source, target, base, objects


def deliver(
    source: Tree, target: Tree, base: Tree, strategy: Strategy, objects: Sequence[str] | None
) -> tuple[list[Change], Tree]:
    planned = plan(source, target, base, strategy=strategy, objects=objects, label=LABEL)
    changes = resolve_all(planned, read, source, target, base, LABEL)
    return changes, apply_to(target, changes)


def in_scope(path: str, objects: Sequence[str] | None) -> bool:
    return objects is None or any(is_inside(path, staged) for staged in objects)


@given(situations(), STRATEGIES)
@settings(deadline=None, max_examples=250)
def test_every_file_in_scope_has_exactly_one_outcome_and_it_is_true(
    situation: tuple[Tree, Tree, Tree, list[str] | None], strategy: Strategy
) -> None:
    source, target, base, objects = situation
    changes, after = deliver(source, target, base, strategy, objects)
    about = [
        change.path
        for change in changes
        if change.path in source and source[change.path].kind is not NodeKind.FOLDER
    ]
    made_room = [c.path for c in changes if c.outcome is Outcome.DELETED and c.path in source]
    expected = (
        []
        if strategy is Strategy.SKIP
        else [
            path
            for path, node in source.items()
            if node.kind is not NodeKind.FOLDER and in_scope(path, objects)
        ]
    )
    # A folder that made room for a file has an outcome of its own.
    for path in made_room:
        if path in about and about.count(path) > 1:
            about.remove(path)
    assert sorted(about) == sorted(expected)
    touched = {change.at for change in changes if change.action is not Action.KEEP}
    for change in changes:
        if change.outcome in (Outcome.CREATED, Outcome.RENAMED, Outcome.REPLACED):
            assert same(after[change.at], source[change.path], exact=True)
        if change.outcome is Outcome.CONFLICT and change.action is Action.PUT:
            assert same(after[change.at], source[change.path], exact=True)
            assert change.at != change.path
        if change.outcome is Outcome.DELETED and change.path not in source:
            assert change.path not in after
        if change.outcome in (Outcome.KEPT, Outcome.FAILED):
            assert after.get(change.at) == target.get(change.at)
    for path in target.keys() | after.keys():
        if path not in touched:
            assert after.get(path) == target.get(path)


@given(situations(), STRATEGIES)
@settings(deadline=None, max_examples=250)
def test_a_second_delivery_changes_nothing(
    situation: tuple[Tree, Tree, Tree, list[str] | None], strategy: Strategy
) -> None:
    source, target, base, objects = situation
    _, after = deliver(source, target, base, strategy, objects)
    in_part = {path: node for path, node in base.items() if not in_scope(path, objects)}
    recorded = in_part | {path: node for path, node in source.items() if in_scope(path, objects)}
    again, same_still = deliver(source, after, recorded, strategy, objects)
    assert same_still == after
    assert [change for change in again if change.action is not Action.KEEP] == []
    # And so it is when the first was not recorded, as after a crash.
    assert deliver(source, after, base, strategy, objects)[1] == after


@given(situations(), STRATEGIES)
@settings(deadline=None, max_examples=250)
def test_nothing_of_the_target_goes_unless_the_strategy_says_so(
    situation: tuple[Tree, Tree, Tree, list[str] | None], strategy: Strategy
) -> None:
    source, target, base, objects = situation
    _, after = deliver(source, target, base, strategy, objects)
    for path, node in target.items():
        if strategy in (Strategy.EXTRA, Strategy.RENAME, Strategy.SKIP) or not in_scope(path, objects):
            assert after.get(path) == node
        elif strategy is Strategy.OVERWRITE:
            assert path in after
            assert after[path] == node or same(after[path], source.get(path), exact=True)
        elif (
            strategy is Strategy.MERGE and not same(node, base.get(path)) and node.kind is not NodeKind.FOLDER
        ):
            # Changed here: kept, or merged with what came.
            assert path in after
            assert after[path] == node or base.get(path) is not None


@given(situations())
@settings(deadline=None, max_examples=250)
def test_merge_without_a_base_loses_nothing(situation: tuple[Tree, Tree, Tree, list[str] | None]) -> None:
    source, target, _, objects = situation
    _, after = deliver(source, target, {}, Strategy.MERGE, objects)
    assert target.items() <= after.items()


@given(situations())
@settings(deadline=None, max_examples=250)
def test_merge_into_an_untouched_target_mirrors_the_source(
    situation: tuple[Tree, Tree, Tree, list[str] | None],
) -> None:
    source, base, _, _ = situation
    _, after = deliver(source, base, base, Strategy.MERGE, None)
    assert after.keys() == source.keys()
    assert all(same(after[path], source[path]) for path in source)


@given(situations())
@settings(deadline=None, max_examples=250)
def test_replacing_a_whole_state_gives_exactly_the_source(
    situation: tuple[Tree, Tree, Tree, list[str] | None],
) -> None:
    source, target, base, _ = situation
    _, after = deliver(source, target, base, Strategy.REPLACE, None)
    assert after.keys() == source.keys()
    assert all(same(after[path], source[path], exact=True) for path in source)


@given(situations())
@settings(deadline=None, max_examples=250)
def test_replacing_objects_gives_exactly_them(situation: tuple[Tree, Tree, Tree, list[str] | None]) -> None:
    source, target, base, objects = situation
    changes, after = deliver(source, target, base, Strategy.REPLACE, objects)
    beside = {
        change.path for change in changes if change.outcome is Outcome.CONFLICT or change.at != change.path
    }
    for path in source.keys() | after.keys():
        staged = [] if objects is None else [o for o in objects if o in source and is_inside(path, o)]
        if (objects is None or staged) and path not in beside:
            if any(folder in beside for folder in staged):
                continue
            assert same(after.get(path), source.get(path), exact=True)


@pytest.mark.parametrize("strategy", Strategy)
def test_an_empty_source_and_target_need_nothing(strategy: Strategy) -> None:
    assert plan({}, {}, {}, strategy=strategy, objects=None, label=LABEL) == []
