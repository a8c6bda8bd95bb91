"""The demo course as an instructor first publishes it, and the later revision of it.

Notebooks, texts and scripts are shipped in ``course/``; data sets and photos, most of the 15 MB, are generated
from fixed seeds, and the notebooks' outputs were made from exactly these.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from nuvo_jupyter.demo import campus_data, city_data, pictures
from nuvo_jupyter.demo.revision import revise_course
from nuvo_jupyter.demo.student_names import Student, student_names
from nuvo_jupyter.demo.student_work import do_student_work

__all__ = [
    "SKY_PHOTOS",
    "Student",
    "do_student_work",
    "revise_course",
    "student_names",
    "write_course",
    "write_data",
]

SKY_PHOTOS = 24


def write_course(folder: Path) -> None:
    """Write the whole course, about 15 MB, into a folder, which is created; equal bytes each time.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _copy(files("nuvo_jupyter.demo") / "course", folder)
    write_data(folder)


def write_data(folder: Path) -> None:
    """Write only what is generated: ``data/`` and the map in ``images/``."""
    data = folder / "data"
    for sub in (data / "rides", data / "sky", folder / "images"):
        sub.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("stations.csv", city_data.stations_csv()),
        ("weather_daily.csv", city_data.weather_daily_csv()),
        ("weather_hourly.csv", city_data.weather_hourly_csv()),
        ("student_survey_raw.csv", campus_data.survey_csv()),
        ("flats.csv", campus_data.flats_csv()),
        ("leaves.csv", campus_data.leaves_csv()),
        ("library_loans.csv", campus_data.loans_csv()),
        ("reviews.csv", campus_data.reviews_csv()),
    ):
        (data / name).write_bytes(text.encode())
    for name, text in city_data.rides_csv():
        (data / "rides" / name).write_bytes(text.encode())
    for number in range(1, SKY_PHOTOS + 1):
        (data / "sky" / f"night_{number:02d}.png").write_bytes(pictures.sky_photo(number))
    (folder / "images" / "town_map.png").write_bytes(pictures.town_map())


def _copy(source: Traversable, target: Path) -> None:
    for entry in source.iterdir():
        # Installers compile the scripts and so leave folders of bytecode among the shipped files.
        if entry.name in ("__pycache__", ".ipynb_checkpoints"):
            continue
        if entry.is_dir():
            (target / entry.name).mkdir(exist_ok=True)
            _copy(entry, target / entry.name)
        else:
            (target / entry.name).write_bytes(entry.read_bytes())
