"""Snapshots before cells that run a shell or install something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import nuvo_jupyter
from nuvo_jupyter.magics.before_risky import risk_of
from nuvo_jupyter.model.snapshots import Reason, Snapshot


def run(shell: InteractiveShell, cell: str) -> Any:
    done = shell.run_cell(cell)
    done.raise_error()
    return done.result


def snapshots(instance: str = "course/master") -> tuple[Snapshot, ...]:
    with nuvo_jupyter.client("local") as client:
        found: tuple[Snapshot, ...] = client.snapshot_list(instance=instance)
        return found


@pytest.mark.parametrize(
    ("cell", "risk"),
    [
        ("!rm -rf data", "!"),
        ("!!ls", "!!"),
        ("x = 1\n  !rm x", "!"),
        ("files = !ls", "!"),
        ("%%bash\nrm x", "%%bash"),
        ("\n%%sh\nrm x", "%%sh"),
        ("%%writefile a.py\nx", "%%writefile"),
        ("%%time\n!rm x", "!"),
        ("%pip install numpy", "%pip"),
        ("x = %run other.ipynb", "%run"),
        ("%rm a.txt", "%rm"),
        ("rm a.txt", "rm"),
        ("pip install numpy", "pip"),
        ("rm = 1", ""),
        ("run(3)", ""),
        ("if a != b: pass", ""),
        ("x = 1 # !rm", ""),
        ("%runner", ""),
        ("%snapshot", ""),
        ("%restore 1", ""),
        ("%%html\n!x", ""),
        ("print('rm a.txt')", ""),
        ("", ""),
    ],
)
def test_what_is_risky(cell: str, risk: str) -> None:
    assert risk_of(cell) == risk


def test_a_risky_cell_has_a_snapshot_before_it_where_something_changed(
    shell: InteractiveShell, folder: Path
) -> None:
    run(shell, "%snapshot")
    assert "before each cell" in run(shell, "%snapshot --before-risky on").title
    run(shell, "%snapshot --before-risky on")
    (folder / "a.txt").write_text("changed")
    run(shell, "x = 1")
    assert len(snapshots()) == 1
    run(shell, "!rm a.txt")
    assert not (folder / "a.txt").exists()
    taken = snapshots()[0]
    assert (taken.number, taken.reason, taken.description) == (2, Reason.SCHEDULED, "Before a cell with !")
    run(shell, "%restore 2 a.txt")
    assert (folder / "a.txt").read_text() == "changed"
    run(shell, "%snapshot")
    before = len(snapshots())
    run(shell, "!true")
    assert len(snapshots()) == before
    run(shell, "%snapshot --before-risky off")
    (folder / "a.txt").write_text("again")
    run(shell, "!true")
    assert len(snapshots()) == before


def test_a_cell_runs_even_if_there_can_be_no_snapshot(
    shell: InteractiveShell, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%snapshot --before-risky on")
    run(shell, "!touch made")
    assert (folder / "made").exists()
    assert "belongs to no instance yet" in capsys.readouterr().err
    run(shell, "%snapshot")
    with nuvo_jupyter.client("local") as client:
        client.space_update(space="course", archived=True)
    run(shell, "!touch more")
    assert (folder / "more").exists()
    assert "is archived" in capsys.readouterr().err
