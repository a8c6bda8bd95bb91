"""`%app`: the environment of a kernel, captured, shown, built, compared; offered at the first snapshot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from nuvo_jupyter.magics.environment import OFFER
from nuvo_jupyter.model.errors import AlreadyExists
from tests.workspace.applications.made import install, make_environment, make_wheel


def run(shell: InteractiveShell, cell: str) -> Any:
    done = shell.run_cell(cell)
    done.raise_error()
    return done.result


@pytest.fixture
def science(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that this kernel says it runs in: its own has too many packages for a test."""
    made = make_environment(tmp_path / "science", make_wheel(tmp_path / "wheels", "gamma", "1.0"))
    monkeypatch.setattr(sys, "prefix", str(made))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    return made


def test_an_application_from_the_kernel_to_its_end(
    shell: InteractiveShell, science: Path, tmp_path: Path
) -> None:
    run(shell, "%snapshot")
    assert "%app add" in run(shell, "%app").title
    with pytest.raises(UsageError, match="no application yet"):
        run(shell, "%app show")
    added = run(shell, "%app add --seal")
    assert (added.name, added.rows, added.definition.sealed) == ("science", [["gamma", "1.0"]], True)
    assert [row[0] for row in run(shell, "%app").rows] == ["science"]
    assert "no kernel" in run(shell, "%app show").note
    assert str(science) in run(shell, "%app run").title
    with pytest.raises(AlreadyExists):
        run(shell, "%app add")
    run(shell, "%snapshot")
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    run(shell, "%snapshot")
    assert run(shell, "%app compare science 2 3").rows == [["gamma", "upgraded", "1.0", "2.0"]]
    assert run(shell, "%app compare science 2").rows == [["gamma", "upgraded", "1.0", "2.0"]]
    assert Path(run(shell, "%app build --offline").prefix).is_relative_to(tmp_path / "home")
    run(shell, "%app rename science physics")
    assert run(shell, "%app show physics").name == "physics"
    assert "deleted" in run(shell, "%app delete physics").title
    assert len(run(shell, "%app")) == 0


@pytest.mark.parametrize(
    "cell", ["%app rename a", "%app delete", "%app compare a", "%app list a", "%app add a b", "%app jump"]
)
def test_usage_errors(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(cell)
    told = capsys.readouterr()
    assert "UsageError" in told.out + told.err


def test_a_snapshot_says_once_that_the_environment_can_be_captured(
    shell: InteractiveShell, science: Path
) -> None:
    assert OFFER in repr(run(shell, "%snapshot"))
    assert OFFER not in repr(run(shell, "%snapshot"))


def test_a_first_snapshot_takes_the_environment_along(shell: InteractiveShell, science: Path) -> None:
    taken = run(shell, "%snapshot start --app")
    assert (taken.number, taken.name, taken.note) == (1, "start", "")
    assert run(shell, "%app show").name == "science"
    # The one that captures this environment is not added again.
    assert run(shell, "%snapshot --app").number == 2
    assert len(run(shell, "%app")) == 1
    run(shell, "%snapshot --app another")
    assert [row[0] for row in run(shell, "%app").rows] == ["another", "science"]
