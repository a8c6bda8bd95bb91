"""What the demo's students did in their copies of the course before the demo begins."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from nuvo_jupyter.demo.draw import Draw
from nuvo_jupyter.demo.notebook_edits import Cell, OpenNotebook, stdout
from nuvo_jupyter.demo.student_names import Student

WEEK_3 = "notebooks/week03_cleaning_data.ipynb"
IDLE = ("bence", "umar")
"""Students who have not opened the course yet."""

_OWN_NOTEBOOKS = (
    "my notes.ipynb",
    "scratch.ipynb",
    "notes 📝.ipynb",
    "Week 2 – practice.ipynb",
    "exam prep/épreuve.ipynb",
)
_OWN_TEXTS = {
    "to do.md": "# To do\n\n- [x] week 1\n- [ ] finish exercise 2.3\n- [ ] find a partner for the project\n",
    "ideas 💡.md": "# Project ideas\n\n1. Do bikes run out before lectures?\n2. Is the canteen better on Fridays?\n",
    "exam prep/summary weeks 1-4.md": "# Summary\n\n**mean**: sensitive to outliers, **median**: not.\n\nlong vs. wide!\n",
    "questions for the tutorial.txt": "Why is .loc needed here?\nWhat is the difference between size and count?\n",
    "data/my own measurements.csv": "day,minutes on the bike\nMon,14\nTue,17\nWed,13\nThu,21\n",
}  # fmt: skip
_REMARKS = (
    "**My note:** ask in the tutorial why this works.",
    "*Remember this for the project.*",
    "My summary: first look, then count, then change.",
    "I did this together with someone from my group.",
    "TODO: read this part again before the exam ❗",
)
_TRIALS: tuple[tuple[str, list[Cell]], ...] = (
    ("2 ** 10", [{"data": {"text/plain": ["1024"]}, "metadata": {}, "output_type": "execute_result"}]),
    ('print("it works!")', stdout("it works!\n")),
    ("# does the order matter?\nsorted([3, 1, 2]) == [1, 2, 3]",
     [{"data": {"text/plain": ["True"]}, "metadata": {}, "output_type": "execute_result"}]),
    ("# not yet\n", []),
    ('1 / 0',
     [{"ename": "ZeroDivisionError", "evalue": "division by zero", "output_type": "error",
       "traceback": ["ZeroDivisionError: division by zero"]}]),
)  # fmt: skip
_DELETED = (
    "syllabus.md",
    "images/train_test.svg",
    "data/sky/night_07.png",
    "scripts/count_words.py",
    "data/leaves.csv",
)


@cache
def _known_answers() -> dict[str, list[list[dict[str, Any]]]]:
    text = (files("nuvo_jupyter.demo") / "answers.json").read_text("utf-8")
    known: dict[str, list[list[dict[str, Any]]]] = json.loads(text)
    return known


def do_student_work(folder: Path, student: Student, seed: int) -> list[str]:
    """Do some weeks of a student's work in a copy of the course; says what was done, a line each.

    Work on files that are not there is left out. Equal folder, student and seed give equal bytes. ``anna`` always works
    on week 3's notebook; the students in ``IDLE`` do nothing.

    Args:
        folder: the student's copy, as ``write_course`` wrote it.
        seed: varies what the students do.
    """
    draw = Draw(f"{seed} {student.username}")
    if student.username == "anna":
        return _work_of_anna(folder)
    if student.username in IDLE or draw.chance(0.04):
        return []
    done = _weekly_work(folder, student, draw)
    habits: tuple[tuple[float, Callable[[], str | None]], ...] = (
        (0.6, lambda: _own_notebook(folder, student, draw)),
        (0.6, lambda: _own_text(folder, student, draw)),
        (0.4, lambda: _edit_script(folder, student, draw)),
        (0.3, lambda: _delete(folder, draw)),
        (0.25, lambda: _clean_survey(folder, draw)),
        (0.12, lambda: _sign_readme(folder, student)),
    )
    for likelihood, habit in habits:
        if draw.chance(likelihood) and (line := habit()):
            done.append(line)
    return done


def _work_of_anna(folder: Path) -> list[str]:
    """Two answers and three cells of her own in week 3, away from what the instructor will change and beside it."""
    done = []
    notebook = OpenNotebook(folder / WEEK_3, author="anna")
    known = _known_answers()[Path(WEEK_3).stem]
    for number in (0, 1):
        first = known[number][0]
        notebook.write(notebook.answers()[number], first["source"], first["outputs"])
        done.append(f"{WEEK_3}: answered exercise 3.{number + 1}")
    at = notebook.find("## Units")
    notebook.insert(at, "markdown", "**Anna:** 22 odd ages. I set them to missing and did not drop the rows.")
    notebook.insert(
        at + 1,
        "code",
        'print("age missing now:", survey["age"].isna().sum())',
        stdout("age missing now: 22\n"),
    )
    notebook.insert(
        len(notebook.cells),
        "markdown",
        "## My decisions\n\n- exact duplicates dropped (22 rows)\n- ages below 16 or above 90 set to missing\n"
        "- *on foot* counted as *walk*",
    )
    notebook.save()
    done.append(f"{WEEK_3}: added three cells of her own")
    note = folder / "notes from anna ✏️.md"
    note.write_bytes(b"# Notes\n\nWeek 3: never drop before counting!\n")
    return [*done, f"{note.name}: added"]


def _weekly_work(folder: Path, student: Student, draw: Draw) -> list[str]:
    done = []
    reached = draw.integer(1, 7)
    for stem in sorted(_known_answers())[:reached]:
        name = f"notebooks/{stem}.ipynb"
        if not (folder / name).exists():
            continue
        notebook = OpenNotebook(folder / name, author=student.username)
        answered = 0
        for cell, variants in zip(notebook.answers(), _known_answers()[stem], strict=True):
            if draw.chance(0.8):
                answer = draw.choice(variants)
                notebook.write(cell, answer["source"], answer["outputs"])
                answered += 1
        added = draw.weighted((0, 1, 2, 3), (5, 3, 2, 1))
        for _ in range(added):
            at = draw.integer(1, len(notebook.cells))
            if draw.chance(0.5):
                notebook.insert(at, "markdown", draw.choice(_REMARKS))
            else:
                source, outputs = draw.choice(_TRIALS)
                notebook.insert(at, "code", source, outputs)
        if answered or added:
            notebook.save()
            done.append(f"{name}: exercises answered {answered}, cells added {added}")
    return done


def _own_notebook(folder: Path, student: Student, draw: Draw) -> str | None:
    name = draw.choice(_OWN_NOTEBOOKS)
    if (folder / name).exists():
        return None
    notebook = OpenNotebook(folder / name, author=student.username)
    notebook.insert(0, "markdown", f"# Notes of {student.full_name}")
    for source, outputs in draw.sample(_TRIALS, draw.integer(1, 3)):
        notebook.insert(len(notebook.cells), "code", source, outputs)
    notebook.insert(len(notebook.cells), "markdown", draw.choice(_REMARKS))
    notebook.save()
    return f"{name}: added"


def _own_text(folder: Path, student: Student, draw: Draw) -> str | None:
    name = draw.choice(tuple(_OWN_TEXTS))
    path = folder / name
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    signature = f"\n({student.full_name})\n" if path.suffix == ".md" else ""
    path.write_bytes(f"{_OWN_TEXTS[name]}{signature}".encode())
    return f"{name}: added"


def _edit_script(folder: Path, student: Student, draw: Draw) -> str | None:
    name, old, new = draw.choice(
        (
            (
                "scripts/count_words.py",
                "HOW_MANY = 20",
                f"HOW_MANY = {draw.choice((5, 10, 50))}  # {student.username}",
            ),
            (
                "scripts/describe_csv.py",
                'MISSING = {"", "n/a", "?"}',
                'MISSING = {"", "n/a", "?", "-", "unknown"}',
            ),
            (
                "scripts/rides_per_day.py",
                '    print(f"{sum(',
                '    print("busiest:", max(counted, key=lambda day: counted[day]))\n    print(f"{sum(',
            ),
        )
    )
    return f"{name}: edited a line" if _replace(folder / name, old, new) else None


def _delete(folder: Path, draw: Draw) -> str | None:
    path = folder / draw.choice(_DELETED)
    if not path.exists():
        return None
    path.unlink()
    return f"{path.relative_to(folder).as_posix()}: deleted"


def _clean_survey(folder: Path, draw: Draw) -> str | None:
    source, target = folder / "data" / "student_survey_raw.csv", folder / "data" / "survey_clean.csv"
    if not source.exists() or target.exists():
        return None
    rows = list(dict.fromkeys(source.read_bytes().decode().splitlines()))
    if draw.chance(0.5):
        rows = [row for row in rows if ",," not in row]
    target.write_bytes(("\n".join(rows) + "\n").encode())
    return f"data/survey_clean.csv: added, {len(rows) - 1} rows"


def _sign_readme(folder: Path, student: Student) -> str | None:
    path = folder / "README.md"
    if not path.exists():
        return None
    path.write_bytes(path.read_bytes() + f"\nMy copy: {student.full_name} <{student.email}>\n".encode())
    return "README.md: added a line"


def _replace(path: Path, old: str, new: str) -> bool:
    text = path.read_bytes().decode() if path.exists() else ""
    if old not in text:
        return False
    path.write_bytes(text.replace(old, new, 1).encode())
    return True
