"""The merge contract (DESIGN, section 8; docs/merge.md), as a student meets it: real folders, through the engine.

Every situation lies in one file or folder of its own below ``week/``, so one distribution per strategy and
scope decides all of them.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import nbformat
import pytest

from nuvo_jupyter.model.errors import InvalidInput

from .course import Class, lines
from .disk import FOLDER, Item, Tree, file, link, tree

STRATEGIES = ("extra", "overwrite", "replace", "rename", "merge")
SCOPES = ("whole", "folder", "files")

B = file("1\n2\n3\n4\n5\n")
MINE = file("1 mine\n2\n3\n4\n5\n")
THEIRS = file("1\n2\n3\n4\n5 theirs\n")
BOTH = file("1 mine\n2\n3\n4\n5 theirs\n")
CLASH = file("1 theirs\n2\n3\n4\n5\n")
RUN = file("1\n2\n3\n4\n5\n", 0o755)
RUN_THEIRS = file("1\n2\n3\n4\n5 theirs\n", 0o755)
LINK = link("../elsewhere")
HERE, BESIDE, INSIDE = "", "~", "/in.txt"

Content = dict[str, Item]
"""Where, relative to the situation's own path (HERE, BESIDE it, INSIDE it) → what."""


class Result(NamedTuple):
    """What is there afterwards, and what is said of each place (two words where it has two outcomes)."""

    content: Content
    said: dict[str, str]


class Situation(NamedTuple):
    """One row of the contract: what was last distributed, what the target holds, what is distributed."""

    name: str
    base: Content
    target: Content
    source: Content
    results: dict[str, Result]


def one(content: Item | None, said: str = "", beside: Item | None = None) -> Result:
    """The result for a single file."""
    found = {HERE: content} if content is not None else {}
    if beside is not None:
        found[BESIDE] = beside
    return Result(found, {HERE: said} if said else {})


def row(
    name: str,
    b: Item | None,
    t: Item | None,
    s: Item | None,
    *results: Result,
) -> Situation:
    """A situation of single files; results in the order of STRATEGIES, the last one stands for the rest."""
    full = [*results, *[results[-1]] * (len(STRATEGIES) - len(results))]
    there = [{HERE: item} if item is not None else {} for item in (b, t, s)]
    return Situation(name, there[0], there[1], there[2], dict(zip(STRATEGIES, full, strict=True)))


def clash(name: str, base: Content, target: Content, source: Content, **results: Result) -> Situation:
    return Situation(name, base, target, source, results)


SITUATIONS = [
    # Columns: extra, overwrite, replace, rename, merge
    row("T absent", None, None, B, one(B, "created")),
    row("T = S", None, B, B, one(B, "kept")),
    row(
        "T ≠ S", None, MINE, THEIRS,
        one(MINE, "kept"), one(THEIRS, "replaced"), one(THEIRS, "replaced"),
        one(MINE, "renamed", THEIRS), one(MINE, "conflict", THEIRS),
    ),
    row(
        "only in T", None, MINE, None,
        one(MINE), one(MINE), one(None, "deleted"), one(MINE), one(MINE),
    ),
    row(
        "only the student edited", B, MINE, B,
        one(MINE, "kept"), one(B, "replaced"), one(B, "replaced"), one(MINE, "renamed", B), one(MINE, "kept"),
    ),
    row(
        "only the instructor edited", B, B, THEIRS,
        one(B, "kept"), one(THEIRS, "replaced"), one(THEIRS, "replaced"),
        one(B, "renamed", THEIRS), one(THEIRS, "replaced"),
    ),
    row(
        "both edited different places", B, MINE, THEIRS,
        one(MINE, "kept"), one(THEIRS, "replaced"), one(THEIRS, "replaced"),
        one(MINE, "renamed", THEIRS), one(BOTH, "merged"),
    ),
    row(
        "both edited the same place", B, MINE, CLASH,
        one(MINE, "kept"), one(CLASH, "replaced"), one(CLASH, "replaced"),
        one(MINE, "renamed", CLASH), one(MINE, "conflict", CLASH),
    ),
    row("both edited alike", B, MINE, MINE, one(MINE, "kept")),
    row(
        "the student deleted it", B, None, B,
        one(B, "created"), one(B, "created"), one(B, "created"), one(B, "created"), one(None, "kept"),
    ),
    row(
        "the student deleted it, the instructor edited it", B, None, THEIRS,
        one(THEIRS, "created"), one(THEIRS, "created"), one(THEIRS, "created"), one(THEIRS, "created"),
        one(None, "kept"),
    ),
    row(
        "the instructor dropped it", B, B, None,
        one(B), one(B), one(None, "deleted"), one(B), one(None, "deleted"),
    ),
    row(
        "the instructor dropped it, the student edited it", B, MINE, None,
        one(MINE), one(MINE), one(None, "deleted"), one(MINE), one(MINE, "kept"),
    ),
    row("both deleted it", B, None, None, one(None)),
    row(
        "the instructor made it executable", B, B, RUN,
        one(B, "kept"), one(RUN, "replaced"), one(RUN, "replaced"), one(B, "kept"), one(RUN, "replaced"),
    ),
    row(
        "the student made it executable, the instructor edited it", B, RUN, THEIRS,
        one(RUN, "kept"), one(THEIRS, "replaced"), one(THEIRS, "replaced"),
        one(RUN, "renamed", THEIRS), one(RUN_THEIRS, "merged"),
    ),
    row(
        "S is a link, T a file", None, MINE, LINK,
        one(MINE, "kept"), one(LINK, "replaced"), one(LINK, "replaced"),
        one(MINE, "renamed", LINK), one(MINE, "conflict", LINK),
    ),
    row(
        "S is a file, T a link", None, LINK, THEIRS,
        one(LINK, "kept"), one(THEIRS, "replaced"), one(THEIRS, "replaced"),
        one(LINK, "renamed", THEIRS), one(LINK, "conflict", THEIRS),
    ),
    row(
        "S is an empty folder, T absent", None, None, FOLDER, one(FOLDER, "created"),
    ),
    clash(
        "S is a folder, T a file", {}, {HERE: MINE}, {HERE: FOLDER, INSIDE: B},
        extra=Result({HERE: MINE}, {HERE: "conflict", INSIDE: "conflict"}),
        overwrite=Result(
            {HERE: MINE, BESIDE: FOLDER, BESIDE + INSIDE: B}, {HERE: "conflict", INSIDE: "conflict"}
        ),
        replace=Result({HERE: FOLDER, INSIDE: B}, {HERE: "deleted replaced", INSIDE: "created"}),
        rename=Result({HERE: MINE, BESIDE: FOLDER, BESIDE + INSIDE: B}, {HERE: "renamed", INSIDE: "renamed"}),
        merge=Result({HERE: MINE, BESIDE: FOLDER, BESIDE + INSIDE: B}, {HERE: "conflict", INSIDE: "conflict"}),
    ),
    clash(
        "S is a file, T a folder", {}, {HERE: FOLDER, INSIDE: MINE}, {HERE: B},
        extra=Result({HERE: FOLDER, INSIDE: MINE}, {HERE: "kept"}),
        overwrite=Result({HERE: FOLDER, INSIDE: MINE, BESIDE: B}, {HERE: "conflict"}),
        replace=Result({HERE: B}, {INSIDE: "deleted", HERE: "deleted replaced"}),
        rename=Result({HERE: FOLDER, INSIDE: MINE, BESIDE: B}, {HERE: "renamed"}),
        merge=Result({HERE: FOLDER, INSIDE: MINE, BESIDE: B}, {HERE: "conflict"}),
    ),
]  # fmt: skip

NAMES = {situation.name: f"week/s{number}.txt" for number, situation in enumerate(SITUATIONS)}
OUTSIDE, OURS = "own/notes.txt", "week/ours.txt"


def state(part: str) -> Tree:
    """All situations' bases, targets or sources as one folder."""
    items: dict[str | bytes, Item | str] = {OURS: "the same everywhere\n"}
    for situation in SITUATIONS:
        for where, item in getattr(situation, part).items():
            items[NAMES[situation.name] + where] = item
    return tree(items)


class World(NamedTuple):
    """What one distribution left, situation by situation."""

    found: dict[str, Content]
    said: dict[str, dict[str, str]]
    outside: Item | None


Worlds = dict[tuple[str, str], World]


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    """Those made already, by strategy and scope."""
    return {}


def world(course: Class, worlds: Worlds, strategy: str, scope: str) -> World:
    if (strategy, scope) not in worlds:
        worlds[strategy, scope] = make_world(course, strategy, scope)
    return worlds[strategy, scope]


def make_world(course: Class, strategy: str, scope: str) -> World:
    student = course.student()
    course.teach(state("base"))
    course.distribute(student, "overwrite")
    course.work(student, {**state("target"), **tree({OUTSIDE: "mine\n"})})
    course.teach(state("source"))
    before = course.holds(student)
    objects = None if scope == "whole" else ["week"] if scope == "folder" else staged_files()
    expected = course.preview(student, strategy, objects)
    done = course.distribute(student, strategy, objects)
    assert done.task.state == "done", done.task.problem
    assert lines(expected.outcomes) == lines(done.delivery.outcomes)
    assert expected.counts == done.delivery.task.counts
    after = course.holds(student)
    assert not [path for path in after if b".~" in path]
    for path, item in before.items():
        if item.kind == "file":
            assert course.read(done.backup, path) == item.data
    found: dict[str, Content] = {name: {} for name in NAMES}
    for path, item in after.items():
        name, where = place_of(path.decode())
        if name:
            found[name][where] = item
    said: dict[str, dict[str, str]] = {name: {} for name in NAMES}
    for outcome in done.delivery.outcomes:
        name, where = place_of(outcome.path)
        if name:
            word = outcome.outcome.value
            said[name][where] = f"{said[name][where]} {word}" if where in said[name] else word
            if outcome.at:
                assert place_of(outcome.at)[1].startswith(BESIDE), outcome
    # What no situation speaks of stays.
    assert after[OURS.encode()] == before[OURS.encode()]
    course.restore(done.backup)
    assert course.holds(student) == before
    return World(found, said, after.get(OUTSIDE.encode()))


def staged_files() -> list[str]:
    return [NAMES[situation.name] for situation in SITUATIONS if HERE in situation.source]


def place_of(path: str) -> tuple[str, str]:
    """The situation a path belongs to, and where in it."""
    for name, own in NAMES.items():
        if path == own or path.startswith(own + "/"):
            return name, path[len(own) :]
        # Files keep their extension; folders have none.
        label = r" \(from intro \d{4}-\d\d-\d\d\)"
        stem = re.escape(own.removesuffix(".txt"))
        beside = re.fullmatch(rf"{stem}(?:{label}\.txt|\.txt{label})(/.*)?", path)
        if beside:
            return name, BESIDE + (beside[1] or "")
    return "", ""


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_contract(course: Class, worlds: Worlds, situation: Situation, strategy: str, scope: str) -> None:
    made = world(course, worlds, strategy, scope)
    wanted = situation.results[strategy]
    if scope == "files" and HERE not in situation.source:
        # What the source has not cannot be staged, so nothing happens to it.
        wanted = Result(situation.target, {})
    assert made.found[situation.name] == wanted.content
    assert made.said[situation.name] == wanted.said


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_only_replacing_the_whole_state_deletes_outside_what_is_staged(
    course: Class, worlds: Worlds, strategy: str, scope: str
) -> None:
    gone = strategy == "replace" and scope == "whole"
    assert (world(course, worlds, strategy, scope).outside is None) == gone


def test_skip_touches_no_file_and_skipping_everything_is_refused(course: Class) -> None:
    student = course.student()
    course.teach(state("source"))
    before = state("target")
    course.work(student, before)
    done = course.distribute(student, "skip")
    assert (done.task.state, done.outcomes) == ("done", {})
    with pytest.raises(InvalidInput, match="nothing would be distributed"):
        course.distribute(student, "skip", ["week"])
    assert course.holds(student) == before


# nbgitpuller's situations: a student pulls, in sync at first


def in_sync(course: Class, content: Tree) -> str:
    course.teach(content)
    student = course.student()
    course.pull(student)
    assert course.holds(student) == content
    return student


def pulled(course: Class, student: str, theirs: Tree, mine: Tree) -> Tree:
    """What a student has who did ``mine`` and pulls when the instructor did ``theirs``."""
    course.work(student, mine)
    course.teach(theirs)
    done = course.pull(student)
    assert done.task.state == "done", done.task.problem
    return course.holds(student)


START = tree({"a.txt": B, "sub/b.txt": B})


def test_the_instructor_edits_adds_and_deletes_and_the_student_did_nothing(course: Class) -> None:
    student = in_sync(course, START)
    theirs = tree({"a.txt": THEIRS, "new/c.txt": B})
    assert pulled(course, student, theirs, START) == theirs


def test_edits_on_both_sides_are_merged_and_clashes_do_not_block_later_pulls(course: Class) -> None:
    student = in_sync(course, START)
    found = pulled(course, student, {**START, b"a.txt": CLASH}, {**START, b"a.txt": MINE})
    (beside,) = [path for path in found if path.startswith(b"a (from intro")]
    assert found == {**START, b"a.txt": MINE, beside: CLASH}
    later = {**START, b"a.txt": file(CLASH.data.replace(b"5", b"five")), b"d.txt": B}
    found = pulled(course, student, later, found)
    assert found[b"d.txt"] == B
    assert found[b"a.txt"] == file(MINE.data.replace(b"5", b"five"))


def test_both_create_the_same_file(course: Class) -> None:
    student = in_sync(course, START)
    found = pulled(course, student, {**START, b"c.txt": THEIRS}, {**START, b"c.txt": MINE})
    (beside,) = found.keys() - START.keys() - {b"c.txt"}
    assert (found[b"c.txt"], found[beside]) == (MINE, THEIRS)


def test_a_file_the_student_deleted_comes_back_only_when_asked_for(course: Class) -> None:
    student = in_sync(course, START)
    mine = {path: item for path, item in START.items() if path != b"a.txt"}
    assert pulled(course, student, START, mine) == mine
    assert pulled(course, student, {**START, b"a.txt": THEIRS}, mine) == mine
    # A fresh copy, without the edits the student once made.
    course.pull(student, "overwrite", ["a.txt"])
    assert course.holds(student) == {**START, b"a.txt": THEIRS}


def test_the_instructor_deletes_what_the_student_edited(course: Class) -> None:
    student = in_sync(course, START)
    mine = {**START, b"a.txt": MINE}
    theirs = {path: item for path, item in START.items() if path != b"a.txt"}
    assert pulled(course, student, theirs, mine) == mine


def test_both_delete_it(course: Class) -> None:
    student = in_sync(course, START)
    left = {path: item for path, item in START.items() if path != b"a.txt"}
    assert pulled(course, student, left, left) == left


def test_the_instructor_rewrites_everything_and_the_backup_holds_what_was(course: Class) -> None:
    student = in_sync(course, START)
    mine = tree({"a.txt": MINE, "sub/b.txt": MINE, "own.txt": MINE})
    course.work(student, mine)
    course.teach(tree({"a.txt": "all\n", "sub/b.txt": "new\n"}))
    done = course.pull(student, "replace")
    assert course.holds(student) == tree({"a.txt": "all\n", "sub/b.txt": "new\n"})
    assert {path: course.read(done.backup, path) for path in (b"a.txt", b"sub/b.txt", b"own.txt")} == {
        b"a.txt": MINE.data, b"sub/b.txt": MINE.data, b"own.txt": MINE.data,
    }  # fmt: skip
    course.restore(done.backup)
    assert course.holds(student) == mine


NAMES_OF_ALL_KINDS = [
    b"with spaces .txt", "emoji \U0001f9ea.txt".encode(), b"-rf", b"--help.txt", b"line\nbreak.txt",
    b"x" * 251 + b".txt", b"not utf-8 \xff\xfe.txt", b"back\\slash \\xff.txt", b"quo'te\".txt", b"a:b@c.txt", b"*?[x].txt", b"CON", b".hidden",
    "\u0065\u0301 decomposed".encode(), b"\x01\x7f control", "\u202e right to left".encode(), b"~", b"%41",
]  # fmt: skip


def test_names_of_all_kinds_are_delivered_merged_put_beside_and_restored(course: Class) -> None:
    start = tree({b"week 1/" + name: B for name in NAMES_OF_ALL_KINDS})
    student = in_sync(course, start)
    mine = tree({b"week 1/" + name: MINE for name in NAMES_OF_ALL_KINDS})
    theirs = tree({b"week 1/" + name: THEIRS for name in NAMES_OF_ALL_KINDS})
    merged = tree({b"week 1/" + name: BOTH for name in NAMES_OF_ALL_KINDS})
    assert pulled(course, student, theirs, mine) == merged
    clashing = tree({b"week 1/" + name: CLASH for name in NAMES_OF_ALL_KINDS})
    found = pulled(course, student, clashing, merged)
    assert {path: found[path] for path in merged} == merged
    assert sorted(found[path] for path in found.keys() - merged.keys()) == [CLASH] * len(NAMES_OF_ALL_KINDS)
    # One by one, as paths are typed.
    done = course.distribute(student, "overwrite", [f"week 1/{name}" for name in typed_names()])
    assert done.task.state == "done", done.task.problem
    assert {path: course.holds(student)[path] for path in merged} == clashing


def typed_names() -> list[str]:
    from .course import text_of

    return [text_of(name) for name in NAMES_OF_ALL_KINDS]


def notebook(*sources: str) -> Item:
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text, id=f"c{number}") for number, text in enumerate(sources)]
    )
    return file(json.dumps(made))


def test_a_notebook_edited_on_both_sides_has_both_sides_cells(course: Class) -> None:
    student = in_sync(course, {b"n.ipynb": notebook("a = 1", "b = 2", "c = 3")})
    mine = {b"n.ipynb": notebook("a = 1", "b = 2 # mine", "c = 3", "mine()")}
    found = pulled(course, student, {b"n.ipynb": notebook("a = 1 # theirs", "b = 2 # theirs", "c = 3")}, mine)
    cells = [cell["source"] for cell in json.loads(found[b"n.ipynb"].data)["cells"]]
    joined = ["".join(text) for text in cells]
    assert joined == ["a = 1 # theirs", "b = 2 # mine", "b = 2 # theirs", "c = 3", "mine()"]
