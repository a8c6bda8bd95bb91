"""The story with the command line only, every command a process of its own."""

from __future__ import annotations

import io
from pathlib import Path

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.report import Report
from nuvo_jupyter.demo.story import Story
from nuvo_jupyter.demo.student_names import student_names
from nuvo_jupyter.demo.tour import CHANGED
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


class Careless(CommandWay):
    """Overwrites what students wrote, and nobody looked at a preview."""

    def distribute(self) -> None:
        self.nuvo("", "snapshot", "--name", "Week 4")
        self.nuvo("", "stage", "add", *CHANGED)
        self.nuvo("", "distribute", "--to", "all", "--strategy", "overwrite", "--preview")
        self.nuvo("", "distribute", "--to", "all", "--strategy", "overwrite")


def test_the_story_notices_work_that_is_lost(tmp_path: Path) -> None:
    place = Place(tmp_path / "demo")
    place.claim()
    out = io.StringIO()
    report = Report(out)
    story = Story(place, Careless(place), report, CLASS[:2])
    story.create()
    story.work()
    story.distribute()
    assert report.off == [], out.getvalue()
    story.merged()
    assert len(report.off) == 2, out.getvalue()
    assert report.off[0].startswith("anna's week 3 has her")
    assert "nothing of the students' is lost" in report.off[1]
