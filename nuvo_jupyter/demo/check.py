"""`nuvo demo --check`: the whole story without a browser, once with magics in notebooks and once with the command line."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nuvo_jupyter.demo.place import Place
from nuvo_jupyter.demo.report import Report
from nuvo_jupyter.demo.story import Story
from nuvo_jupyter.demo.student_names import student_names
from nuvo_jupyter.demo.ways import CommandWay, NotebookWay, StepFailed, Way
from nuvo_jupyter.model.errors import NuvoError


def check(folder: Path | None = None) -> int:
    """Tell and check the story; the exit code: 0 if everything is as it should be.

    Args:
        folder: where to leave everything for a look; a temporary folder, deleted afterwards, by default.

    Raises:
        InvalidInput: ``folder`` holds something else.
    """
    report = Report()
    if folder is not None:
        _both(folder.resolve(), report)
        return report.end()
    with tempfile.TemporaryDirectory(prefix="nuvo-demo-") as made:
        _both(Path(made).resolve(), report)
    return report.end()


def _both(folder: Path, report: Report) -> None:
    def notebooks(place: Place) -> Way:
        keep = place.folder / "executed"
        keep.mkdir()
        return NotebookWay(place, keep)

    for name, way in (("notebook", notebooks), ("commands", CommandWay)):
        report.step(
            f"=== The story with {'magics in notebooks' if name == 'notebook' else 'the command line only'} ==="
        )
        place = Place(folder / name)
        place.claim(reset=True)
        try:
            Story(place, way(place), report, student_names()).tell()
        except (StepFailed, NuvoError) as error:
            report.check(False, f"the story with {name} comes to its end", error)
        except Exception as error:
            report.check(False, f"the story with {name} comes to its end", f"{type(error).__name__}: {error}")
