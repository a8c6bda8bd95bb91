"""The notebook the instructor finds in the Master instance: the five-minute tour."""

from __future__ import annotations

import json
from pathlib import Path

from nuvo_jupyter.demo.notebook_edits import METADATA, Cell, lines

TOUR = "Distribute this course.ipynb"

CHANGED = (
    "notebooks/week03_cleaning_data.ipynb",
    "notebooks/week13_bonus_time_series.ipynb",
    "data/stations.csv",
    "data/holidays_2024.csv",
    "scripts/describe_csv.py",
    "syllabus.md",
)
"""What the revision changed in the course."""

_INTRO = """\
# Distribute this course

You are the instructor of *Intro to Data Science*. Thirty students got the course at the start of term and have worked in
their copies since: they answered exercises, added cells, wrote notes, deleted what they did not need.

Meanwhile you corrected week 3, added a bonus week and fixed some files. This notebook brings that to everybody, **without
anybody losing a line of their own**. Run it cell by cell; each magic explains itself with a `?` (`%distribute?`)."""
_SNAPSHOT = """\
## 1 · Keep this state

A snapshot is the whole folder as it is now: it never changes, and everything can be had back from it."""
_STAGE = """\
## 2 · Choose what to distribute

The stage collects files and folders of one state. `%stage` alone shows it."""
_PREVIEW = """\
## 3 · See what would happen, to whom

The preview is the same plan as the distribution, not applied. `merged` means that the student worked on that file, too:
both sides' changes will be in it."""
_DISTRIBUTE = """\
## 4 · Distribute

Before anything is changed, a backup snapshot is taken of each student's folder. The *Nuvo* panel on the left shows the same
progress under *Tasks*."""
_AFTER = """\
## 5 · Look at it as a student

In a terminal:

```sh
nuvo demo --as anna
```

opens JupyterLab as Anna sees it. Her `notebooks/week03_cleaning_data.ipynb` has her answers, her cells and your correction;
in the panel she can restore any file from the backup snapshot.

Distributed the wrong file? In a terminal here: `nuvo recall PATH` takes it back wherever nobody has changed it."""


def write_tour(folder: Path) -> Path:
    """Write the tour's notebook into a folder; its path."""
    path = folder / TOUR
    cells = [
        _text("intro", _INTRO),
        _code("load", "%load_ext nuvo_jupyter"),
        _text("about-snapshot", _SNAPSHOT),
        _code("snapshot", '%snapshot "Week 4" --description "Week 3 corrected, bonus week added"'),
        _text("about-stage", _STAGE),
        _code(
            "stage", "\n".join(f"%stage {' '.join(CHANGED[at : at + 2])}" for at in range(0, len(CHANGED), 2))
        ),
        _text("about-preview", _PREVIEW),
        _code("preview", "%distribute --to all --strategy merge --preview"),
        _text("about-distribute", _DISTRIBUTE),
        _code("distribute", "%distribute --to all --strategy merge"),
        _text("after", _AFTER),
    ]
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _text(id: str, source: str) -> Cell:
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": lines(source)}


def _code(id: str, source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": {},
        "outputs": [],
        "source": lines(source),
    }
