"""The benchmark at its smallest: it runs, tells what it did not measure, and notices wrong results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import corpora
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, run
from bench.report import BEGIN, END, Report, write_into
from bench.scales import SCALES
from bench.tools import TOOLS
from bench.tools.ours import OURS
from bench.trees import differences, size_of

ROOT = Path(__file__).resolve().parents[2]

STATES = {"first snapshot", "no change", "no change, looking only", "full restore"}
CHANGES = {"1 % changed", "one file restored"}
HAND_OUTS = {"preview for all", "first hand-out", "4 files updated", "nothing new"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the smallest run with two tools writes."""
    folder = tmp_path_factory.mktemp("bench")
    command = [
        sys.executable,
        "-m",
        "bench",
        "--scale",
        "tiny",
        "--tools",
        "ours,cp",
        "--runs",
        "2",
        "--no-setup",
    ]
    command += ["--folder", str(folder / "work"), "--json", str(folder / "figures.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any((folder / "work").iterdir())
    return {"text": done.stdout, **json.loads((folder / "figures.json").read_text())}


def test_every_piece_of_work_is_measured_in_each_run(whole: dict[str, Any]) -> None:
    works = {row["work"]: len(row["seconds"]) for row in whole["times"] if row["tool"] == "ours"}
    wanted = {f"{corpus} {work}" for corpus in "AC" for work in STATES | CHANGES}
    wanted |= {f"B {work}" for work in STATES} | {f"D {work}" for work in HAND_OUTS}
    assert works == dict.fromkeys(wanted, 2)
    assert all(row["peak_bytes"] > 0 for row in whole["times"])


def test_every_result_is_compared_with_its_original(whole: dict[str, Any]) -> None:
    checked = {(row["work"], row["tool"]) for row in whole["checks"]}
    for tool in ("ours", "cp"):
        assert {(f"{corpus} full restore", tool) for corpus in "ABC"} <= checked
        assert {
            ("D first hand-out", tool),
            ("D 4 files updated", tool),
            ("A one file restored", tool),
        } <= checked
    assert all(row["right"] for row in whole["checks"])
    assert whole["failures"] == {}


def test_it_is_printed_beside_the_targets(whole: dict[str, Any]) -> None:
    assert "A first snapshot ÷ cp" in whole["text"]
    assert "D nothing new, seconds per target" in whole["text"]
    assert "memory above the idle server" in whole["text"]
    assert all(f"{name}: {TOOLS[name].mode}" in whole["text"] for name in ("ours", "cp"))


def test_the_corpora_are_the_same_each_time(tmp_path: Path) -> None:
    for kind in ("notebooks", "large", "tiny", "course"):
        files, size = getattr(SCALES["tiny"], kind)
        for name in ("one", "two"):
            corpora.make(kind, tmp_path / kind / name, files, size)
        assert differences(tmp_path / kind / "one", tmp_path / kind / "two") == []
        assert size_of(tmp_path / kind / "one") == pytest.approx(size, rel=0.25)


def test_changes_and_updates_reach_the_files_they_should(tmp_path: Path) -> None:
    for name in ("before", "after"):
        corpora.make("tiny", tmp_path / name, 200, 100_000)
    corpora.make("change", tmp_path / "after", 3)
    assert len(differences(tmp_path / "before", tmp_path / "after")) == 2
    for name in ("old", "new"):
        corpora.make("course", tmp_path / name, 12, 100_000)
    corpora.make("update", tmp_path / "new", 12, 7)
    assert len(differences(tmp_path / "old", tmp_path / "new")) == corpora.UPDATED_FILES


def test_a_wrong_byte_a_missing_and_an_extra_file_are_found(tmp_path: Path) -> None:
    for name in ("left", "right"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "file").write_bytes(b"abc")
    (tmp_path / "right" / "more").write_bytes(b"")
    assert differences(tmp_path / "left", tmp_path / "right", more=True) == []
    assert differences(tmp_path / "left", tmp_path / "right") == ["more"]
    (tmp_path / "right" / "sub" / "file").write_bytes(b"abd")
    assert differences(tmp_path / "left", tmp_path / "right", more=True) == ["sub/file"]
    (tmp_path / "right" / "sub" / "file").unlink()
    assert differences(tmp_path / "left", tmp_path / "right", more=True) == ["sub/file"]


def test_what_is_missing_scaled_wrong_or_failed_is_named(tmp_path: Path) -> None:
    figures = Figures()
    figures.add("A first snapshot", "ours", Cost(2.0, 100_000_000))
    figures.add("A first snapshot", "ours", Cost(4.0, 300_000_000))
    figures.add("A first snapshot", "ours", Cost(3.0, 200_000_000))
    figures.add("A first snapshot", "cp", Cost(1.0, 20_000_000).times(4))
    figures.add("A no change", "cp", None)
    figures.check("A full restore", "ours", ["lost.txt"])
    report = Report(
        SCALES["tiny"], 3, [OURS, TOOLS["cp"]], {"borg": "not installed"}, {}, figures, "ext4", 0.5
    )
    text = report.text()
    tables = dict(report.tables())
    assert tables["Seconds, medians"] == [["", "ours", "cp"], ["A first snapshot", "3.00", "~4.00"]]
    assert tables["Peak memory of the largest process, MB"][1] == ["A first snapshot", "300", "20"]
    assert tables["Targets"][1] == ["A first snapshot ÷ cp", "0.75", "≤ 1.5", "1.2", "goal reached"]
    assert "borg is not in the tables: not installed." in text
    assert "scaled to 3" in text
    assert "FAILED ours: A full restore: 1 files are wrong, among them lost.txt" in text
    page = tmp_path / "page.md"
    page.write_text(f"# Speed\n{BEGIN}of last year{END}\nafter\n")
    write_into(page, report.markdown())
    assert "| A first snapshot | 3.00 | ~4.00 |" in page.read_text()
    assert "of last year" not in page.read_text()
    assert page.read_text().endswith(f"{END}\nafter\n")


def test_a_command_that_fails_stops_its_tool() -> None:
    with pytest.raises(CommandFailed, match="no such thing"):
        run([sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)"])
    assert run([sys.executable, "-c", "import sys; sys.exit(1)"], ok=(0, 1)).seconds > 0
