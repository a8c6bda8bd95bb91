from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest

from nuvo_jupyter.demo.material import Student, do_student_work, revise_course, student_names, write_course
from nuvo_jupyter.demo.revision import BONUS, WEEK_3
from nuvo_jupyter.demo.student_work import IDLE
from nuvo_jupyter.merge.notebook import merge_notebook

MB = 1_000_000


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def validate_notebooks(folder: Path) -> int:
    found = list(folder.rglob("*.ipynb"))
    for path in found:
        notebook = nbformat.reads(path.read_text("utf-8"), as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
        assert notebook.metadata.language_info.name == "python"
        assert notebook.metadata.kernelspec.name == "python3"
        ids = [cell.id for cell in notebook.cells]
        assert len(ids) == len(set(ids))
    return len(found)


def source_of(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course") / "master"
    write_course(folder)
    return folder


@pytest.fixture
def copy(course: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(course, tmp_path / "copy"))


def student(username: str) -> Student:
    return next(s for s in student_names() if s.username == username)


def test_the_course_has_the_size_of_a_real_one(course: Path) -> None:
    written = contents(course)
    assert 12 * MB < sum(map(len, written.values())) < 18 * MB
    assert sum(name.endswith(".ipynb") for name in written) == 12
    assert {"README.md", "syllabus.md", "data/stations.csv", "images/town_map.png"} <= set(written)


def test_what_is_shipped_is_small() -> None:
    shipped = Path(str(files("nuvo_jupyter.demo")))
    assert (
        sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file() and path.suffix != ".pyc")
        < 3 * MB
    )


def test_writing_twice_gives_equal_bytes(course: Path, tmp_path: Path) -> None:
    write_course(tmp_path)
    assert contents(tmp_path) == contents(course)


def test_bytecode_beside_the_shipped_scripts_is_not_copied(course: Path) -> None:
    assert not [name for name in contents(course) if "__pycache__" in name or ".ipynb_checkpoints" in name]


def test_notebooks_are_valid(course: Path) -> None:
    assert validate_notebooks(course) == 12


def test_notebooks_teach(course: Path) -> None:
    for path in (course / "notebooks").iterdir():
        cells = nbformat.read(path, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        answers = [cell for cell in code if "answer" in cell.metadata.get("tags", ())]
        assert answers, path.name
        assert all(cell.source == "# Your answer here" and not cell.outputs for cell in answers)
        assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs), (
            path.name
        )
        assert len([cell for cell in cells if cell.cell_type == "markdown"]) >= 5, path.name


def test_outputs_name_no_machine_and_no_memory_address(course: Path) -> None:
    for path in (course / "notebooks").iterdir():
        for cell in nbformat.read(path, as_version=4).cells:
            text = json.dumps(
                [
                    {k: v for k, v in o.get("data", o).items() if k != "image/png"}
                    for o in cell.get("outputs", [])
                ]
            )
            assert not re.search(r"/(home|root|tmp|work|Users)/| at 0x[0-9a-f]+", text), path.name


def test_links_of_notebooks_to_pictures_hold(course: Path) -> None:
    links = [
        (path, link)
        for path in (course / "notebooks").iterdir()
        for source in source_of(path)
        for link in re.findall(r"!\[[^]]*\]\(([^)]+)\)", source)
    ]
    assert len(links) >= 4
    for path, link in links:
        assert (path.parent / link).resolve().is_file(), link


def test_outputs_were_made_from_the_data_that_is_generated(course: Path) -> None:
    expected = json.loads((files("nuvo_jupyter.demo") / "executed_against.json").read_text("utf-8"))
    written = contents(course)
    assert {name: hashlib.sha256(written[name]).hexdigest() for name in expected} == expected
    assert set(expected) == {name for name in written if name.endswith(".csv")}


def test_pictures_are_png(course: Path) -> None:
    pictures = list(course.rglob("*.png"))
    assert len(pictures) == 25
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") for path in pictures)


def test_thirty_students_each_with_a_name_of_their_own() -> None:
    students = student_names()
    assert len({s.username for s in students}) == len({s.email for s in students}) == len(students) == 30
    assert all(re.fullmatch(r"[a-z]+", s.username) and s.email.endswith("@example.org") for s in students)
    assert sum(not s.full_name.isascii() for s in students) >= 5


def test_students_leave_valid_notebooks_and_do_the_same_again(course: Path, tmp_path: Path) -> None:
    described: list[str] = []
    idle = 0
    for seed, one in enumerate(student_names()):
        results = []
        for attempt in ("first", "second"):
            folder = tmp_path / f"{one.username}-{attempt}"
            # The student's work reads and writes everything but the bulk of the data.
            shutil.copytree(
                course, folder, ignore=shutil.ignore_patterns("rides", "sky", "weather_hourly.csv")
            )
            before = contents(folder)
            lines = do_student_work(folder, one, seed)
            results.append((lines, contents(folder)))
        assert results[0] == results[1]
        lines, after = results[0]
        validate_notebooks(tmp_path / f"{one.username}-first")
        assert (after != before) == bool(lines)
        idle += not lines
        described += lines
        shutil.rmtree(tmp_path / f"{one.username}-first")
        shutil.rmtree(tmp_path / f"{one.username}-second")
    assert len(IDLE) <= idle <= 8
    for kind in ("answered", "added", "edited a line", "deleted"):
        assert any(kind in line for line in described), kind
    assert any(" " in line.split(":")[0] for line in described)
    assert any(not line.split(":")[0].isascii() for line in described)


def test_another_seed_gives_other_work(course: Path, tmp_path: Path) -> None:
    lines = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        shutil.copytree(course, folder, ignore=shutil.ignore_patterns("rides", "sky"))
        lines.append(tuple(do_student_work(folder, student("priya"), seed)))
    assert len(set(lines)) > 1


def test_anna_answers_and_adds_cells_in_week_3(course: Path, copy: Path) -> None:
    do_student_work(copy, student("anna"), 0)
    before = nbformat.read(course / WEEK_3, as_version=4).cells
    after = nbformat.read(copy / WEEK_3, as_version=4).cells
    old = {cell.id: cell.source for cell in before}
    assert len([cell for cell in after if cell.id not in old]) == 3
    assert len([cell for cell in after if cell.id in old and cell.source != old[cell.id]]) == 2


def test_the_revision_changes_what_it_says(course: Path, copy: Path) -> None:
    described = revise_course(copy)
    before, after = contents(course), contents(copy)
    changed = {name for name in after if before.get(name) != after[name]}
    assert changed == {line.split(": ")[0] for line in described}
    assert {BONUS, "data/holidays_2024.csv"} == set(after) - set(before)
    assert validate_notebooks(copy) == 13


def test_merging_the_revision_into_annas_notebook_keeps_both_sides(course: Path, tmp_path: Path) -> None:
    revised, hers = tmp_path / "revised", tmp_path / "hers"
    shutil.copytree(course, revised)
    shutil.copytree(course, hers)
    revise_course(revised)
    do_student_work(hers, student("anna"), 0)
    base, target, source = ((folder / WEEK_3).read_bytes() for folder in (course, hers, revised))
    merged = merge_notebook(base, target, source, label="from intro")
    assert merged is not None
    assert merged.data is not None
    (tmp_path / "merged.ipynb").write_bytes(merged.data)
    before = set(source_of(course / WEEK_3))
    added_by_instructor = [text for text in source_of(revised / WEEK_3) if text not in before]
    added_by_anna = [text for text in source_of(hers / WEEK_3) if text not in before]
    result = source_of(tmp_path / "merged.ipynb")
    assert len(added_by_instructor) == 3
    assert len(added_by_anna) == 5
    # Nothing is in conflict: each side's cells are there once, and nothing beside them.
    assert all(result.count(text) == 1 for text in added_by_instructor + added_by_anna)
    assert len(result) == len(source_of(course / WEEK_3)) + 2 + 3


def test_a_course_revised_twice_is_refused(copy: Path) -> None:
    revise_course(copy)
    with pytest.raises(LookupError, match="week03"):
        revise_course(copy)


def test_the_material_needs_nothing_but_the_standard_library() -> None:
    shipped = Path(str(files("nuvo_jupyter.demo")))
    modules = [
        *(shipped / "course" / "scripts").glob("*.py"),
        *shipped.glob("*_data.py"),
        shipped / "pictures.py",
    ]
    assert len(modules) >= 6
    for path in modules:
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text("utf-8"), flags=re.MULTILINE):
            assert name in sys.stdlib_module_names | {"nuvo_jupyter"}, (path.name, name)
