"""The benchmark at its smallest: it runs, tells what it did not measure, and notices wrong results."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import corpora
from bench.__main__ import main
from bench.curves import Curve
from bench.figures import Figures
from bench.measuring import CommandFailed, Cost, make_room, run
from bench.picture import draw
from bench.report import BEGIN, END, Report, write_into
from bench.scales import SCALES
from bench.serving import percentile
from bench.stored import encode, first_version, merged
from bench.targets import IDLE, MANY, OTHERS, REST, START, TARGETS
from bench.tools import TOOLS
from bench.tools.ours import OURS
from bench.trees import differences, size_of

ROOT = Path(__file__).resolve().parents[2]

STATES = {"first snapshot", "no change", "no change, looking only", "full restore"}
CHANGES = {"1 % changed", "one file restored"}
HAND_OUTS = {"preview for all", "first hand-out", "4 files updated", "nothing new"}
BESIDE = {"A first snapshot", "A full restore", "C first snapshot", "C full restore"}
BESIDE |= {"D preview for all", "D first hand-out"}


def measured(folder: Path, *options: str) -> dict[str, Any]:
    """What a run at the smallest scale writes."""
    command = [sys.executable, "-m", "bench", "--scale", "tiny", "--no-setup", *options]
    command += ["--folder", str(folder / "work"), "--json", str(folder / "figures.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any((folder / "work").iterdir())
    file = folder / "figures.json"
    return {"text": done.stdout, "file": file, **json.loads(file.read_text())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """States and hand-outs, with two tools."""
    folder = tmp_path_factory.mktemp("bench")
    return measured(folder, "--tools", "ours,cp", "--runs", "2", "--corpora", "A,B,C,D")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What needs a server, and growth; ours alone."""
    folder = tmp_path_factory.mktemp("served")
    return measured(folder, "--tools", "ours", "--runs", "1", "--corpora", "server,growth")


def test_tables_and_environments_are_measured(tmp_path: Path) -> None:
    found = measured(tmp_path, "--tools", "ours,duckdb-file,pg_dump,pip", "--runs", "1", "--corpora", "T,E")
    works = {(row["work"], row["tool"]) for row in found["times"]}
    of_table = ("first snapshot", "no change", "hand-out", "one row added", "one row added, handed out")
    assert {(f"T {work}", "ours") for work in of_table} <= works
    assert {(f"E {work}", "ours") for work in ("captured", "no change", "re-created for all")} <= works
    assert {("T hand-out", "duckdb-file"), ("E re-created for all", "pip")} <= works
    assert ("T hand-out", "pg_dump") in works or "pg_dump" in found["missing"] | found["failures"]
    assert all(row["right"] for row in found["checks"])
    assert "A table, and an environment: ours as a multiple of each" in found["text"]


def test_every_piece_of_work_is_measured_in_each_run(whole: dict[str, Any]) -> None:
    works = {row["work"]: len(row["seconds"]) for row in whole["times"] if row["tool"] == "ours"}
    wanted = {f"{corpus} {work}" for corpus in "AC" for work in STATES | CHANGES}
    wanted |= {f"B {work}" for work in STATES} | {f"D {work}" for work in HAND_OUTS}
    assert works == dict.fromkeys(wanted, 2) | {MANY: 1}
    assert all(row["peak_bytes"] > 0 for row in whole["times"])


def test_a_server_and_growth_are_measured(served: dict[str, Any]) -> None:
    wanted = {START, IDLE, "server: start without Nuvo", f"{REST}50", f"{REST}99"}
    wanted |= {f"{OTHERS}{work}, {which}" for work in BESIDE for which in ("p50", "p99")}
    assert {row["work"] for row in served["times"]} == wanted
    assert "other requests meanwhile" in served["text"]
    assert {row["of"] for row in served["curves"]} == {"files", "targets", "snapshots"}
    assert all(len(row["points"]) == 2 for row in served["curves"])
    assert all(row["right"] for row in served["checks"])


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
    assert tables["Targets"][1] == ["A first snapshot ÷ cp", "–", "0.75", "≤ 1.5", "1.2", "goal reached"]
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


def test_runs_of_parts_make_one_table(whole: dict[str, Any], served: dict[str, Any], tmp_path: Path) -> None:
    report = merged([whole["file"]])
    assert encode(report) == whole["file"].read_text()
    assert "Growth" in merged([whole["file"], served["file"]]).text()
    figures = Figures()
    figures.add("A first snapshot", "git", Cost(1.0, 0))
    figures.add("A first snapshot", "ours", Cost(500.0, 0))
    other = Report(report.scale, 5, [OURS, TOOLS["git"]], {"borg": "lost"}, {}, figures, "xfs", 9.0, "late")
    (tmp_path / "other.json").write_text(encode(other))
    both = merged([whole["file"], tmp_path / "other.json"])
    assert [tool.name for tool in both.tools] == ["ours", "cp", "git"]
    assert len(both.figures.times["A first snapshot", "ours"].costs) == 3
    assert both.figures.curves == report.figures.curves
    assert (both.runs, both.remark, both.load) == (5, "late", max(report.load, 9.0))
    assert "Slow tools took part in fewer runs than 5: git 1." in both.text()
    assert main(["--merge", str(whole["file"]), str(tmp_path / "other.json")]) == 0
    other_scale = json.loads((tmp_path / "other.json").read_text()) | {"scale": "small"}
    (tmp_path / "small.json").write_text(json.dumps(other_scale))
    with pytest.raises(ValueError, match="small, tiny"):
        merged([whole["file"], tmp_path / "small.json"])


def test_the_first_version_stands_beside_what_is_measured_now() -> None:
    figures = Figures()
    figures.add("A first snapshot", "ours", Cost(1.0, 1))
    figures.add("A first snapshot", "cp", Cost(1.0, 0))
    figures.idle["ours"] = 1
    report = Report(SCALES["full"], 1, [OURS], {}, {}, figures, "ext4", 0, first=first_version("full"))
    rows = dict(report.tables())["Targets"]
    assert rows[0][:3] == ["", "first version", "now"]
    assert rows[1][:3] == ["A first snapshot ÷ cp", "5.58", "1.00"]
    assert rows[-1][1] == "403"
    reached = [target.reached(first_version("default"), SCALES["default"]) for target in TARGETS]
    assert reached[0] == pytest.approx(4.88, rel=0.01)
    assert first_version("tiny").times == {}


@pytest.mark.parametrize(
    ("costs", "flat", "exponent", "verdict"),
    [
        ((1.0, 10.0, 100.0), False, 1.0, "linear or better"),
        ((1.0, 100.0, 10_000.0), False, 2.0, "WORSE THAN LINEAR"),
        # What fixed costs hide at the small end shows at the large one.
        ((1.0, 1.5, 100.0), False, 1.0, "WORSE THAN LINEAR"),
        ((1.0, 1.0, 1.1), True, 0.02, "near constant"),
        ((1.0, 3.0, 10.0), True, 0.5, "GROWS"),
    ],
)
def test_growth_is_judged(costs: tuple[float, ...], flat: bool, exponent: float, verdict: str) -> None:
    points = [(10 ** (number + 1), cost, 0) for number, cost in enumerate(costs)]
    curve = Curve("work", "files", flat, points)
    assert curve.exponent == pytest.approx(exponent, abs=0.01)
    assert curve.verdict == verdict


def test_the_picture_shows_every_curve(tmp_path: Path) -> None:
    points = [(10, 1.0, 10_000_000), (100, 2.0, 0)]
    curves = [Curve(f"{of} {work}", of, points=points) for of in ("files", "targets") for work in "ab"]
    draw(curves, tmp_path / "images" / "growth.svg")
    drawn = (tmp_path / "images" / "growth.svg").read_text()
    assert all(f"{curve.work} (0.30)" in drawn for curve in curves)
    draw(curves, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert percentile([5.0], 0.99) == 5.0
    assert percentile([float(value) for value in range(1, 101)], 0.99) == 99.0
    assert percentile([float(value) for value in range(1, 101)], 0.5) == 50.0


def test_memory_is_touched_and_freed() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make_room(0)
    make_room(1 << 27)
    # What the benchmark takes itself would count as the peak of whatever it starts.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + (1 << 16)
