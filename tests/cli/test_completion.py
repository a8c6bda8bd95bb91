"""What the shell offers on Tab, and how it comes to ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class
from click.testing import CliRunner

from nuvo_jupyter.cli import shells
from nuvo_jupyter.cli.main import build


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("nuvo rest", ["restore"]),
        ("nuvo restore --strategy me", ["merge"]),
        ("nuvo restore latest week", ["week 1/"]),
        ("nuvo distributions re", ["retry"]),
    ],
)
def test_it_is_offered(
    typed: str, offered: list[str], nuvo: Callable[..., object], folder: Path, environment: dict[str, str]
) -> None:
    nuvo("snapshot")
    asked = {"_NUVO_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()"],
        cwd=folder,
        env=environment | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == offered


@pytest.mark.parametrize(
    ("shell", "script", "settings", "line"),
    [
        ("bash", ".bash_completions/nuvo.sh", ".bashrc", "source '{home}/.bash_completions/nuvo.sh'"),
        ("zsh", ".zfunc/_nuvo", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
        ("fish", ".config/fish/completions/nuvo.fish", "", ""),
    ],
)
def test_it_is_installed_once(shell: str, script: str, settings: str, line: str, tmp_path: Path) -> None:
    assert get_completion_class(shell) is not None
    if settings:
        (tmp_path / settings).write_text("alias ll='ls -l'")
    for _ in range(2):
        shells.write_for(shell, "the script", tmp_path)
    assert (tmp_path / script).read_text() == "the script\n"
    if settings:
        wanted = ["alias ll='ls -l'", line.format(home=tmp_path)]
        assert (tmp_path / settings).read_text().splitlines() == wanted


def test_a_mistyped_command_is_told_its_neighbours() -> None:
    done = CliRunner().invoke(build(), ["snaphot"])
    assert done.exit_code == 2
    assert "Did you mean 'snapshot' or 'snapshots'?" in done.output
