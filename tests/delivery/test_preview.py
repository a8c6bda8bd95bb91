"""A preview says exactly what the delivery then does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.results import read_outcomes
from nuvo_jupyter.model.changes import Strategy, count
from nuvo_jupyter.model.tasks import DistributionKind
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]

LINES = ["one", "two", "three", "four", "five", "six"]
NAMES = ["a.txt", "b.txt", "d", "d/a.txt", "d/e", "d/e/b.txt"]


@st.composite
def states(draw: st.DrawFn) -> dict[str, str | None]:
    """Small states of text files and folders that clash in many ways."""
    files: dict[str, str | None] = {}
    for name in NAMES:
        if any(files.get(above, "") is not None and above in files for above in _above(name)):
            continue
        kind = draw(st.sampled_from(["nothing", "file", "file", "folder"]))
        if kind == "file" and not any(other.startswith(f"{name}/") for other in files):
            changed = draw(st.sets(st.integers(0, 5), max_size=2))
            text = "".join(
                f"{line}{draw(st.sampled_from('!?')) if i in changed else ''}\n"
                for i, line in enumerate(LINES)
            )
            files[name] = text
        elif kind == "folder":
            files[name] = None
    return files


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def fill(folder: Path, files: dict[str, str | None]) -> None:
    """Make a folder hold exactly these files."""
    shutil.rmtree(folder)
    folder.mkdir()
    write(folder, files)


# Without shrinking: each example works on real folders, and the states are small anyway.
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    first=states(),
    source=states(),
    anna=states(),
    ben=states(),
    strategy=st.sampled_from(Strategy),
    objects=st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
    through=st.booleans(),
)
def test_the_preview_is_what_the_delivery_does(
    first: dict[str, str | None],
    source: dict[str, str | None],
    anna: dict[str, str | None],
    ben: dict[str, str | None],
    strategy: Strategy,
    objects: list[str] | None,
    through: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder), ["anna", "ben"])
        fill(course.folder("master"), first)
        course.distribute(["anna", "ben"], None, Strategy.MERGE, through=True)
        fill(course.folder("anna"), anna)
        fill(course.folder("ben"), ben)
        fill(course.folder("master"), source)
        before = {name: read(course.folder(name)) for name in course.ids}
        stored = len(course.rows(t.pack))
        order = course.order(objects, strategy, DistributionKind.DISTRIBUTE, through)
        said = {item.instance.split("/")[1]: item for item in course.preview(["anna", "ben"], order)}
        assert {name: read(course.folder(name)) for name in course.ids} == before
        assert len(course.rows(t.pack)) == stored
        rows = course.distribute(["anna", "ben"], objects, strategy, through=through)
        for name in [*(["distributed"] if through else []), "anna", "ben"]:
            outcomes = read_outcomes(rows[name].result)
            assert (said[name].problem is not None) == (rows[name].state == "cancelled")
            assert said[name].outcomes == outcomes
            assert said[name].counts == count(list(outcomes))
        course.close()


def test_what_captures_leave_out_is_seen_in_the_way(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.log": "A"})
    write(course.folder("anna"), {".nuvoignore": "*.log\n", "a.log": "mine"})
    (said,) = course.preview(["anna"], course.order(None, "overwrite", DistributionKind.DISTRIBUTE))
    assert said.counts == {"conflict": 1}
    rows = course.distribute(["anna"])
    assert read_outcomes(rows["anna"].result) == said.outcomes
    assert read(course.folder("anna"))["a.log"] == "mine"


def test_a_target_that_cannot_be_reached_says_so_and_the_others_are_previewed(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    course.folder("anna").rmdir()
    order = course.order(None, "overwrite", DistributionKind.DISTRIBUTE)
    anna, ben = course.preview(["anna", "ben"], order)
    assert anna.problem is not None
    assert anna.problem.code == "workspace_unavailable"
    assert ben.counts == {"created": 1}


def test_a_new_instance_is_previewed_without_its_folder(make_course: Make) -> None:
    course = make_course()
    write(course.folder("master"), {"a.txt": "A"})
    folder = course.add("anna", make=False)
    (said,) = course.preview(["anna"], course.order(None, "overwrite", DistributionKind.CREATE))
    assert said.counts == {"created": 1}
    assert not os.path.lexists(folder)


def test_a_recall_is_previewed(make_course: Make) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    sent = course.distribute(["anna"])[""].distribution_id
    write(course.folder("anna"), {"b.txt": "edited"})
    (said,) = course.preview(
        ["anna"], course.order(None, "overwrite", DistributionKind.RECALL, recalled=sent)
    )
    rows = course.distribute(["anna"], None, kind=DistributionKind.RECALL, recalled=sent)
    assert said.counts == {"deleted": 1, "kept": 1}
    assert read_outcomes(rows["anna"].result) == said.outcomes


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_snapshot_is_previewed_as_the_current_state_is(make_course: Make, strategy: Strategy) -> None:
    course = make_course("anna")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    write(course.folder("anna"), {"a.txt": "mine", "own.txt": "own"})
    order = course.order(None, strategy, DistributionKind.DISTRIBUTE)
    current = course.preview(["anna"], order)
    taken = course.snapshot("master")
    assert course.preview(["anna"], order, taken) == current
