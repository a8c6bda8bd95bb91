"""`nuvo demo --check` as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NUVO = Path(sys.executable).with_name("nuvo")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `nuvo demo` in a folder, with a home that must stay untouched."""
    return subprocess.run(
        [str(NUVO), "demo", *arguments],
        cwd=folder,
        env={**os.environ, "NUVO_HOME": str(folder / "my own home"), "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_story_is_as_it_should_be(tmp_path: Path) -> None:
    done = run(tmp_path, "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    # The hand-out, the distribution and the recall, in both ways.
    assert done.stdout.count("✓ 30 deliveries are done") == 6
    assert "All " in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_demo_is_made_once_and_anew_only_when_asked_to(tmp_path: Path) -> None:
    made = run(tmp_path, "--no-lab")
    assert made.returncode == 0, made.stdout + made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["nuvo-demo"]
    note = tmp_path / "nuvo-demo" / "home" / "instructor" / "intro-to-data-science" / "my note.md"
    note.write_text("mine")
    again = run(tmp_path, "--no-lab")
    assert again.returncode == 0
    assert "used as it is" in again.stdout
    assert note.exists()
    anew = run(tmp_path, "--no-lab", "--reset")
    assert anew.returncode == 0, anew.stdout + anew.stderr
    assert not note.exists()


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("years of work")
    done = run(tmp_path, "--folder", "theirs", "--reset", "--no-lab")
    assert done.returncode == 1
    assert "holds no demo" in done.stderr
    assert [path.name for path in theirs.iterdir()] == ["thesis.tex"]


def test_only_students_of_the_course_can_be_looked_at(tmp_path: Path) -> None:
    done = run(tmp_path, "--as", "nobody", "--no-lab")
    assert done.returncode == 1
    assert "anna" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_half_a_demo_is_made_anew(tmp_path: Path) -> None:
    from nuvo_jupyter.demo.place import Place

    place = Place(tmp_path / "nuvo-demo")
    place.claim()
    (place.folder / "half").touch()
    assert not place.ready
    done = run(tmp_path, "--no-lab")
    assert done.returncode == 0, done.stdout + done.stderr
    assert Place(place.folder).ready
    assert not (place.folder / "half").exists()


def test_what_is_off_is_named_and_ends_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    from nuvo_jupyter.demo.report import Report

    report = Report()
    report.check(True, "fine")
    report.none(["anna: notes.md"], "nothing is lost")
    assert report.end() == 1
    told = capsys.readouterr().out
    assert "1 of 2 checks failed" in told
    assert "anna: notes.md" in told
