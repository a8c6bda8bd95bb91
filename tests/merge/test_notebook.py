"""Three-way merges of notebooks: no cell of either side is lost."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.merge.notebook import NEW_VERSION_KEY, MergedNotebook, merge_notebook

Cell = dict[str, Any]
LABEL = "from DS 2026-11-20"


def code(source: str, cell_id: str = "", output: str = "", **metadata: object) -> Cell:
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cell = {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "outputs": outputs,
        "execution_count": None,
    }
    return cell | {"id": cell_id or f"id-{source.split()[0] if source else 'empty'}"}


def text(source: str, cell_id: str = "") -> Cell:
    return {
        "cell_type": "markdown",
        "source": source,
        "metadata": {},
        "id": cell_id or f"id-{source.split()[0]}",
    }


def notebook(*cells: Cell, minor: int = 5, **metadata: object) -> bytes:
    kept = [cell if minor >= 5 else {k: v for k, v in cell.items() if k != "id"} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": kept}).encode()


def merged(base: bytes, target: bytes, source: bytes) -> tuple[list[Cell], MergedNotebook]:
    result = merge_notebook(base, target, source, label=LABEL)
    assert result is not None
    data = target if result.data is None else result.data
    cells: list[Cell] = nbformat.v4.reads_json(data.decode()).cells
    if result.data is not None:
        nbformat.validate(json.loads(data))
        ids = [cell["id"] for cell in cells if "id" in cell]
        assert len(set(ids)) == len(ids)
    return cells, result


def sources(cells: list[Cell]) -> list[str]:
    return [cell["source"] for cell in cells]


A, B, C = text("a task"), code("b = 1"), text("c end")
BASE = notebook(A, B, C)


def test_new_cells_of_both_sides_are_all_there_and_answers_stay_below_their_task() -> None:
    cells, _ = merged(BASE, notebook(A, B, code("mine"), C), notebook(A, B, code("theirs"), C, text("last")))
    assert sources(cells) == ["a task", "b = 1", "mine", "theirs", "c end", "last"]


def test_a_new_cell_before_all_others() -> None:
    cells, _ = merged(BASE, notebook(A, B, C, text("mine")), notebook(text("first"), A, B, C))
    assert sources(cells) == ["first", "a task", "b = 1", "c end", "mine"]


def test_edits_of_different_cells_are_both_there() -> None:
    cells, result = merged(
        BASE, notebook(A, code("b = 2", "id-b", "2"), C), notebook(text("a better task", "id-a"), B, C)
    )
    assert sources(cells) == ["a better task", "b = 2", "c end"]
    assert cells[1]["outputs"][0]["text"] == "2"
    assert result.detail == ""


def test_of_a_cell_that_both_edited_the_targets_stays_and_the_sources_is_below_it() -> None:
    target = notebook(A, code("b = 2", "id-b", "2", nbgrader={"grade_id": "q"}), C)
    source = notebook(A, code("b = 3", "id-b", "3", nbgrader={"grade_id": "q"}), C)
    cells, result = merged(BASE, target, source)
    assert sources(cells) == ["a task", "b = 2", "b = 3", "c end"]
    assert cells[1]["outputs"][0]["text"] == "2"
    # Were it code, running the notebook would undo what the cell above it does.
    assert cells[2]["cell_type"] == "raw"
    assert cells[2]["metadata"] == {
        NEW_VERSION_KEY: {"from": LABEL, "cell_type": "code", "new_version_of": "id-b"}
    }
    assert "your version of cell 2" in result.detail
    # Distributed again, or resumed after a crash, it does not come twice.
    assert result.data is not None
    assert merged(BASE, result.data, source)[0] == cells
    assert merged(source, result.data, source)[1].data is None


def test_a_new_version_is_put_below_even_if_a_cell_that_goes_says_the_same() -> None:
    x, y, twice = code("x = 1"), code("y = 1"), code("y = 1", "id-twice")
    target = notebook(code("x = 2", "id-x"), y, twice)
    cells, _ = merged(notebook(x, y, twice), target, notebook(code("y = 1", "id-x")))
    assert sources(cells) == ["x = 2", "y = 1"]


def test_new_cells_do_not_come_twice_when_the_first_delivery_was_not_recorded() -> None:
    source = notebook(A, B, code("theirs"), C, code(""), text("last"))
    result = merge_notebook(BASE, notebook(A, B, code("mine"), C), source, label=LABEL)
    assert result is not None
    assert result.data is not None
    assert merged(BASE, result.data, source)[1].data is None


def test_both_edited_alike() -> None:
    cells, result = merged(BASE, notebook(A, code("b = 2", "id-b"), C), notebook(A, code("b = 2", "id-b"), C))
    assert sources(cells) == ["a task", "b = 2", "c end"]
    assert result == MergedNotebook(None, "")


def test_a_cell_deleted_by_one_and_untouched_by_the_other_goes() -> None:
    assert sources(merged(BASE, BASE, notebook(A, C))[0]) == ["a task", "c end"]
    assert sources(merged(BASE, notebook(A, C), BASE)[0]) == ["a task", "c end"]


def test_a_cell_deleted_by_one_and_edited_by_the_other_stays() -> None:
    cells, result = merged(BASE, notebook(A, code("b = 2", "id-b"), C), notebook(A, C))
    assert sources(cells) == ["a task", "b = 2", "c end"]
    assert "no longer distributed" in result.detail
    cells, result = merged(BASE, notebook(A, C), notebook(A, code("b = 2", "id-b"), C))
    assert sources(cells) == ["a task", "b = 2", "c end"]
    assert "added again" in result.detail


def test_a_cell_that_the_target_moved_is_still_updated() -> None:
    cells, _ = merged(BASE, notebook(B, A, C), notebook(A, code("b = 2", "id-b"), C))
    assert sources(cells) == ["b = 2", "a task", "c end"]


def test_the_sources_new_order_is_taken_unless_the_target_has_one_too() -> None:
    cells, _ = merged(BASE, notebook(A, B, code("mine"), C), notebook(C, A, B))
    assert sources(cells) == ["c end", "a task", "b = 1", "mine"]
    cells, _ = merged(BASE, notebook(B, A, C), notebook(C, A, B))
    assert sources(cells) == ["b = 1", "a task", "c end"]


def test_outputs_follow_the_source_they_belong_to() -> None:
    ran = code("b = 1", "id-b", "1")
    assert merged(BASE, notebook(A, ran, C), notebook(text("a2", "id-a"), B, C))[0][1]["outputs"]
    assert merged(BASE, BASE, notebook(A, ran, C))[0][1]["outputs"][0]["text"] == "1"
    assert merged(BASE, notebook(A, ran, C), notebook(A, code("b = 2", "id-b"), C))[0][1]["outputs"] == []


def test_ids_that_only_count_cells_do_not_mislead() -> None:
    def numbered(*cells: Cell) -> bytes:
        return notebook(*(cell | {"id": f"cell-{number}"} for number, cell in enumerate(cells)))

    cells, _ = merged(numbered(A, B, C), numbered(A, code("b = 2"), C), numbered(text("first"), A, B, C))
    assert sources(cells) == ["first", "a task", "b = 2", "c end"]


def test_notebooks_without_ids_stay_without() -> None:
    base, target, source = (
        notebook(*cells, minor=4)
        for cells in (
            (A, B, C),
            (A, code("b = 1  # done"), C),
            (A, B, text("c the end"), text("new")),
        )
    )
    cells, _ = merged(base, target, source)
    assert sources(cells) == ["a task", "b = 1  # done", "c the end", "new"]
    assert not any("id" in cell for cell in cells)


def test_a_target_saved_in_a_newer_format_than_what_was_distributed() -> None:
    cells, _ = merged(
        notebook(A, B, C, minor=4), notebook(A, code("b = 2"), C), notebook(A, B, C, text("new"), minor=4)
    )
    assert sources(cells) == ["a task", "b = 2", "c end", "new"]
    assert all("id" in cell for cell in cells)


def test_missing_and_double_ids_are_mended() -> None:
    bare = {k: v for k, v in B.items() if k != "id"}
    cells, _ = merged(BASE, notebook(A, bare, C, C | {"source": "c again"}), notebook(A, B, C, text("new")))
    assert sorted(sources(cells)) == sorted(["a task", "b = 1", "c end", "c again", "new"])


def test_metadata_of_the_notebook_are_merged_and_the_targets_win() -> None:
    kernel = {"name": "python3", "display_name": "Python 3"}
    info = {"name": "python"}
    result = merge_notebook(
        notebook(A, title="t", gone=1),
        notebook(A, title="mine", gone=1, own=True),
        notebook(A, title="theirs", kernelspec=kernel, language_info=info, new=2),
        label=LABEL,
    )
    assert result is not None
    assert result.data is not None
    assert json.loads(result.data)["metadata"] == {
        "title": "mine", "own": True, "kernelspec": kernel, "language_info": info, "new": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"no json",
        b"[]",
        b'"\xff"',
        b"[" * 100_000,
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}).encode(),
        json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}
        ).encode(),
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}).encode(),
    ],
    ids=["empty", "no JSON", "a list", "not UTF-8", "too deep", "format 3", "invalid cell", "no cell"],
)
def test_what_is_no_valid_notebook_is_not_merged(other: bytes) -> None:
    assert merge_notebook(BASE, BASE, other, label=LABEL) is None
    assert merge_notebook(BASE, other, BASE, label=LABEL) is None
    assert merge_notebook(other, BASE, BASE, label=LABEL) is None


def test_texts_that_utf_8_cannot_hold_survive() -> None:
    cells, _ = merged(BASE, notebook(A, B, C, text("half \ud83d of a pair")), notebook(A, B, C, text("new")))
    assert "half \ud83d of a pair" in sources(cells)


_SOURCES = st.sampled_from(
    [
        "",
        "x = 1",
        "x = 2",
        "y = 1\ny + 1",
        "y = 1\ny + 2",
        "# Title",
        "long text of a task",
        "long text of the task",
    ]
)
_CELLS = st.builds(
    lambda cell_type, source, cell_id, ran: code(source, cell_id, "1" if ran else "") if cell_type else text(source or " ", cell_id),
    st.booleans(), _SOURCES, st.sampled_from([f"i{n}" for n in range(12)]), st.booleans(),
)  # fmt: skip


@st.composite
def edits(draw: st.DrawFn, cells: list[Cell]) -> list[Cell]:
    """The cells after some work: edited, deleted, inserted, run and moved."""
    done: list[Cell] = []
    for cell in cells:
        match draw(st.sampled_from(["keep", "keep", "edit", "delete", "insert", "copy"])):
            case "keep":
                done.append(cell)
            case "edit":
                done.append(cell | {"source": draw(_SOURCES)})
            case "insert":
                done += [cell, draw(_CELLS)]
            case "copy":
                done += [cell, cell | {"id": draw(_CELLS)["id"]}]
    return draw(st.permutations(done)) if draw(st.integers(0, 4)) == 0 else done


@st.composite
def situations(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    base = draw(st.lists(_CELLS, max_size=5, unique_by=lambda cell: cell["id"]))
    minors = draw(st.sampled_from([(5, 5, 5), (5, 5, 5), (4, 4, 4), (4, 5, 4), (4, 5, 5), (4, 4, 5)]))
    sides = (base, draw(edits(base)), draw(edits(base)))
    return tuple(notebook(*cells, minor=minor) for cells, minor in zip(sides, minors, strict=True))  # type: ignore[return-value]


def all_sources(data: bytes) -> set[str]:
    return {cell["source"] for cell in json.loads(data)["cells"]}


@given(situations())
@settings(deadline=None, max_examples=400)
def test_no_cell_of_either_side_is_lost(situation: tuple[bytes, bytes, bytes]) -> None:
    base, target, source = situation
    cells, _ = merged(base, target, source)
    was = all_sources(base)
    for side in (target, source):
        assert all_sources(side) - was <= set(sources(cells))
    own = Counter(cell["source"] for cell in json.loads(target)["cells"] if cell["source"] not in was)
    assert own <= Counter(sources(cells))
    assert (all_sources(target) & all_sources(source)) <= set(sources(cells)) | was


@given(situations())
@settings(deadline=None, max_examples=400)
def test_merging_again_changes_nothing(situation: tuple[bytes, bytes, bytes]) -> None:
    base, target, source = situation
    result = merge_notebook(base, target, source, label=LABEL)
    assert result is not None
    after = result.data or target
    assert sources(merged(source, after, source)[0]) == [
        cell["source"] for cell in nbformat.v4.reads_json(after.decode()).cells
    ]


@given(situations())
@settings(deadline=None, max_examples=400)
def test_one_side_alone_is_taken_as_it_is(situation: tuple[bytes, bytes, bytes]) -> None:
    base, target, source = situation
    assert sources(merged(base, base, source)[0]) == [cell["source"] for cell in json.loads(source)["cells"]]
    assert sources(merged(base, target, base)[0]) == [cell["source"] for cell in json.loads(target)["cells"]]
