"""The instructor's second round: corrections and additions after students have begun to work."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from nuvo_jupyter.demo.city_data import holidays_csv, stations
from nuvo_jupyter.demo.notebook_edits import OpenNotebook, lines, stdout

WEEK_3 = "notebooks/week03_cleaning_data.ipynb"
BONUS = "notebooks/week13_bonus_time_series.ipynb"

_WRONG = "so a missing answer counts as 0 hours of study"
_MISSING = """\
## Missing values

A missing value is not zero. Pandas leaves missing values out of a mean, so the mean describes **only those who answered**.
Always say how many are missing before you compute."""
_HINT = """\
**Hint (added in week 4):** compare the mean with and without the missing answers set to zero. The difference is the mistake
you would make."""
_HINT_CODE = """\
hours = pd.to_numeric(survey["hours"])
print(f"missing left out: {hours.mean():.1f} h, missing as zero: {hours.fillna(0).mean():.1f} h")"""
# What the code above prints for the course's survey.
_HINT_OUTPUT = "missing left out: 23.8 h, missing as zero: 22.4 h\n"


def revise_course(folder: Path) -> list[str]:
    """Apply the instructor's second round to a course that ``write_course`` wrote; says what was done, a line each.

    Raises:
        LookupError: week 3's notebook no longer has the cell to correct.
        OSError: the folder is not such a course, or cannot be written.
    """
    done = []
    week3 = OpenNotebook(folder / WEEK_3, author="instructor")
    at = week3.find(_WRONG)
    week3.cells[at]["source"] = lines(_MISSING)
    done.append(f"{WEEK_3}: corrected what is said about missing values")
    week3.insert(at + 2, "markdown", _HINT)
    week3.insert(at + 3, "code", _HINT_CODE, stdout(_HINT_OUTPUT))
    done.append(f"{WEEK_3}: added a hint and a cell that shows the mistake")
    week3.save()

    (folder / BONUS).write_bytes((files("nuvo_jupyter.demo") / "revision" / Path(BONUS).name).read_bytes())
    (folder / "data" / "holidays_2024.csv").write_bytes(holidays_csv().encode())
    done += [f"{BONUS}: added", "data/holidays_2024.csv: added"]

    opera = next(station for station in stations() if station.name == "Opera")
    done += [
        _replace(
            folder,
            "data/stations.csv",
            f",{opera.docks * 100}\n",
            f",{opera.docks}\n",
            "docks of Opera corrected",
        ),
        _replace(
            folder,
            "scripts/describe_csv.py",
            'ENCODING = "latin-1"',
            'ENCODING = "utf-8"',
            "encoding corrected",
        ),
        _replace(
            folder,
            "syllabus.md",
            "| 12 | Final project | `week12_final_project.ipynb` |\n",
            "| 12 | Final project | `week12_final_project.ipynb` |\n"
            "| 13 | Bonus: time series | `week13_bonus_time_series.ipynb` |\n",
            "bonus week added",
        ),
    ]
    return done


def _replace(folder: Path, name: str, old: str, new: str, what: str) -> str:
    path = folder / name
    text = path.read_bytes().decode()
    if old not in text:
        raise LookupError(f"{name} no longer contains {old!r}")
    path.write_bytes(text.replace(old, new, 1).encode())
    return f"{name}: {what}"
