"""The story with the command line only, every command a process of its own."""

from __future__ import annotations

import io
from pathlib import Path

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.report import Report
from nuvo_jupyter.demo.story import Story
from nuvo_jupyter.demo.student_names import student_names
from nuvo_jupyter.demo.ways import CommandWay

CLASS = student_names()[:4]


def test_the_story_with_commands_is_as_it_should_be(tmp_path: Path) -> None:
    place = Place(tmp_path / "demo")
    place.claim()
    way = CommandWay(place)
    out = io.StringIO()
    report = Report(out)
    Story(place, way, report, CLASS).tell()
    assert report.off == [], out.getvalue()
    assert "4 deliveries are done" in out.getvalue()
    shown = "\n".join(way.told)
    for student in CLASS:
        assert f"intro-to-data-science/{student.username}\tdone\t" in shown
    assert "merged\tnotebooks/week03_cleaning_data.ipynb" in shown
