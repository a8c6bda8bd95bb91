"""The story in notebooks that nbclient executes, embedded: no server runs."""

from __future__ import annotations

import io
from pathlib import Path

import nbformat
import pytest

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.report import Report
from nuvo_jupyter.demo.story import Story
from nuvo_jupyter.demo.student_names import student_names
from nuvo_jupyter.demo.ways import NotebookWay

CLASS = student_names()[:4]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Path], list[str]]:
    """The report, the executed notebooks and what was off."""
    folder = tmp_path_factory.mktemp("story")
    place = Place(folder / "demo")
    place.claim()
    way = NotebookWay(place, folder)
    out = io.StringIO()
    report = Report(out)
    Story(place, way, report, CLASS).tell()
    return out.getvalue(), way.executed, report.off


def test_the_story_with_magics_is_as_it_should_be(told: tuple[str, list[Path], list[str]]) -> None:
    text, _, off = told
    assert off == [], text
    assert "4 deliveries are done" in text


def test_the_tours_notebook_shows_what_happened(told: tuple[str, list[Path], list[str]]) -> None:
    notebook = nbformat.read(told[1][0], as_version=4)
    nbformat.validate(notebook)
    cells = {cell.id: cell for cell in notebook.cells}
    shown = {
        name: "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "")
            for output in cells[name].outputs
        )
        for name in ("snapshot", "stage", "preview", "distribute")
    }
    assert "Week 4" in shown["snapshot"]
    assert "week13_bonus_time_series.ipynb" in shown["stage"]
    for student in CLASS:
        assert student.username in shown["preview"]
        assert student.username in shown["distribute"]
    assert "merged" in shown["preview"]
    assert "merged" in shown["distribute"]
