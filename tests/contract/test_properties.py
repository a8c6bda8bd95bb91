"""What holds for any folders, strategies and objects, through the engine, on real folders."""

from __future__ import annotations

import json
import os
from collections import Counter

import nbformat
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from nuvo_jupyter.workspace.check import APPEARED

from .course import Class, Done, lines, text_of
from .disk import Item, Tree
from .worlds import LEFT_OUT, Cell, captured, edited, notebooks, trees, worked_on, write_notebook


def examples(number: int) -> settings:
    """So many examples, each some deliveries to real folders; more, and made small, in the thorough profile."""
    thorough = settings().max_examples // 100
    phases = {Phase.explicit, Phase.reuse, Phase.generate} | ({Phase.shrink} if thorough > 1 else set())
    return settings(
        max_examples=number * max(1, thorough),
        phases=tuple(phases),
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Case:
    """One random situation: what was distributed before, what the student and the instructor made of it."""

    def __init__(self, data: st.DataObject, course: Class) -> None:
        self.course = course
        self.student = course.student()
        earlier = data.draw(st.one_of(st.none(), trees()), label="earlier")
        if earlier is not None:
            course.teach(earlier)
            assert course.distribute(self.student, "overwrite").task.state == "done"
        self.target: Tree = data.draw(worked_on(earlier or {}, caches=True), label="target")
        self.source: Tree = data.draw(worked_on(earlier or {}), label="source")
        course.work(self.student, self.target)
        course.teach(self.source)
        paths = (
            st.lists(st.sampled_from(sorted(self.source)), min_size=1, max_size=3, unique=True)
            if self.source
            else st.nothing()
        )
        self.staged: list[bytes] | None = data.draw(st.one_of(st.none(), paths), label="objects")
        self.objects = None if self.staged is None else [text_of(path) for path in self.staged]

    def in_scope(self, path: bytes) -> bool:
        """Whether a path is staged, or in a folder that is."""
        return self.staged is None or any(path == one or path.startswith(one + b"/") for one in self.staged)

    def distribute(self, strategy: str) -> tuple[Done, Tree]:
        """Preview, distribute, compare; what the student holds then."""
        expected = self.course.preview(self.student, strategy, self.objects)
        assert self.course.holds(self.student) == self.target, "a preview changed something"
        done = self.course.distribute(self.student, strategy, self.objects)
        assert done.task.state == "done", done.task.problem
        assert lines(expected.outcomes) == lines(done.delivery.outcomes), "the preview said something else"
        assert expected.counts == done.delivery.task.counts
        after = self.course.holds(self.student)
        assert not [path for path in after if b".~" in path]
        for word, number in done.delivery.task.counts.items():
            event(f"{strategy}: {word}", number)
        return done, after

    def check_backup(self, done: Done) -> None:
        """Every content the student had can be read from the backup."""
        for path, item in captured(self.target).items():
            if item.kind == "file":
                assert self.course.read(done.backup, path) == item.data

    def check_again(self, strategy: str, after: Tree) -> None:
        """Delivering the same again changes nothing."""
        again = self.course.distribute(self.student, strategy, self.objects)
        assert self.course.holds(self.student) == after
        assert set(again.delivery.task.counts) <= {"kept", "conflict"}, again.delivery.outcomes

    def check_restore(self, done: Done) -> None:
        """Restoring the backup gives what was before: types, contents, modes, links, empty folders."""
        self.course.restore(done.backup)
        restored = self.course.holds(self.student)
        assert captured(restored) == captured(self.target)
        assert all(self.target.get(path) == item for path, item in restored.items())


def bits(item: Item | None) -> Item | None:
    """As far as strategies other than ``replace`` look: of folders that they are there."""
    return item if item is None or item.kind != "folder" else Item("folder", 0)


@examples(15)
@pytest.mark.parametrize("strategy", ["extra", "rename"])
@given(data=st.data())
def test_extra_and_rename_leave_all_that_is_there(course: Class, strategy: str, data: st.DataObject) -> None:
    case = Case(data, course)
    done, after = case.distribute(strategy)
    assert {path: after.get(path) for path in case.target} == case.target
    for path, item in case.source.items():
        if case.in_scope(path) and path not in case.target and _reachable(path, case.target):
            assert bits(after.get(path)) == bits(item), "it was not delivered"
    case.check_backup(done)
    case.check_again(strategy, after)
    case.check_restore(done)


@examples(35)
@given(data=st.data())
def test_overwrite_deletes_nothing_and_changes_only_what_was_sent(course: Class, data: st.DataObject) -> None:
    case = Case(data, course)
    done, after = case.distribute("overwrite")
    for path, item in case.target.items():
        wanted = case.source.get(path)
        sent = wanted is not None and case.in_scope(path)
        if sent and wanted is not None and "folder" not in (item.kind, wanted.kind):
            # Only executable or not counts besides the content; other bits stay or come along.
            assert after[path][::2] == wanted[::2]
            assert (after[path].mode ^ wanted.mode) & 0o100 == 0
        else:
            assert after[path] == item
    case.check_backup(done)
    case.check_again("overwrite", after)
    case.check_restore(done)


@examples(35)
@given(data=st.data())
def test_replace_gives_exactly_the_source(course: Class, data: st.DataObject) -> None:
    case = Case(data, course)
    done, after = case.distribute("replace")
    if case.staged is None:
        assert without_kept_folders(after, case.source) == case.source
    else:
        for path in (after.keys() | case.source.keys() | case.target.keys()) - {*_caches(after)}:
            if case.in_scope(path) and _reachable(path, case.target) and not _keeps_cache(path, after):
                assert after.get(path) == case.source.get(path), path
            elif not case.in_scope(path) and path in case.target:
                assert after.get(path) == case.target[path], path
    case.check_backup(done)
    case.check_again("replace", after)
    case.check_restore(done)


@examples(45)
@given(data=st.data())
def test_merge_loses_nothing(course: Class, data: st.DataObject) -> None:
    case = Case(data, course)
    done, after = case.distribute("merge")
    for path, item in case.target.items():
        if not case.in_scope(path):
            assert after.get(path) == item
    contents = Counter(item.data for item in after.values() if item.kind == "file")
    for outcome in done.delivery.outcomes:
        path = os.fsencode(_name(outcome.path))
        if outcome.detail == APPEARED:
            # A folder that should make room holds caches, of which no plan knows; nothing is put beside it then.
            assert after[path] == case.target[path]
            continue
        if outcome.outcome == "conflict" and path in case.source and case.source[path].kind == "file":
            assert contents[case.source[path].data], "neither in its place nor beside"
        if outcome.outcome in ("kept", "conflict") and path in case.target and not outcome.at:
            assert after.get(path) == case.target[path]
    case.check_backup(done)
    case.check_again("merge", after)
    case.check_restore(done)


def _name(text: str) -> str:
    from nuvo_jupyter.model.paths import to_name

    return to_name(text)


def _reachable(path: bytes, target: Tree) -> bool:
    """Whether no file or link of the target lies where a folder above would be."""
    folder = os.path.dirname(path)
    while folder:
        if folder in target and target[folder].kind != "folder":
            return False
        folder = os.path.dirname(folder)
    return True


def _caches(found: Tree) -> set[bytes]:
    return {path for path in found if set(path.split(b"/")) & set(LEFT_OUT)}


def _keeps_cache(path: bytes, after: Tree) -> bool:
    """Whether caches below kept a folder that had to go, or keep from its place what was to come."""
    return any(cache.startswith(path + b"/") for cache in _caches(after)) or any(
        cache.startswith(folder + b"/") and after[folder].kind == "folder"
        for cache in _caches(after)
        for folder in _above(path)
        if folder in after
    )


def _above(path: bytes) -> list[bytes]:
    found = []
    while path := os.path.dirname(path):
        found.append(path)
    return found


def without_kept_folders(after: Tree, source: Tree) -> Tree:
    """What is there, without caches and the folders that are only kept because they hold some."""
    holding = {folder for cache in _caches(after) for folder in _above(cache)}
    seen = {path: item for path, item in after.items() if path not in _caches(after)}
    # Such a folder keeps from its place a file of the source, and says so.
    return {
        path: source.get(path, item) if path in holding else item
        for path, item in seen.items()
        if path not in holding or path in source
    }


@examples(45)
@given(data=st.data())
def test_no_cell_of_either_side_is_lost(course: Class, data: st.DataObject) -> None:
    student = course.student()
    base = data.draw(notebooks(), label="base")
    course.teach({b"n.ipynb": Item("file", 0o644, write_notebook(base))})
    course.distribute(student, "merge")
    mine = data.draw(edited(base, "mine"), label="mine")
    theirs = data.draw(edited(base, "theirs"), label="theirs")
    course.work(student, {b"n.ipynb": Item("file", 0o644, write_notebook(mine))})
    course.teach({b"n.ipynb": Item("file", 0o644, write_notebook(theirs))})
    expected = course.preview(student, "merge")
    done = course.distribute(student, "merge")
    assert lines(expected.outcomes) == lines(done.delivery.outcomes)
    event(done.outcomes["n.ipynb"])
    after = course.holds(student)
    assert after.keys() == {b"n.ipynb"}, "notebooks are merged, not put beside"
    found = json.loads(after[b"n.ipynb"].data)
    if after[b"n.ipynb"].data not in (write_notebook(mine), write_notebook(theirs)):
        # What one side wrote is left as it is; what the merge wrote is sound.
        nbformat.validate(found)
        ids = [one["id"] for one in found["cells"]]
        assert len(set(ids)) == len(ids)
    note(f"merged: {found['cells']}")
    there = {_text(one) for one in found["cells"]}
    began = {_text(one) for one in base}
    for side in (mine, theirs):
        assert {_text(one) for one in side} - began <= there, "an edit or a new cell is lost"
    # Of two equal cells each side may have removed another one.
    single = {text for text, number in Counter(_text(one) for one in base).items() if number == 1}
    assert {_text(one) for one in mine} & {_text(one) for one in theirs} & single <= there, (
        "both have it still"
    )
    again = course.distribute(student, "merge")
    assert again.outcomes == {"n.ipynb": "kept"}
    assert course.holds(student) == after


def _text(one: Cell) -> str:
    return "".join(one["source"])
