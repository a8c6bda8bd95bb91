"""The command line on a home and a folder of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my course"
    (made / "week 1").mkdir(parents=True)
    (made / "a.txt").write_text("one\n")
    (made / "week 1" / "naïve 🚲.txt").write_text("two\n")
    return made


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "NUVO_HOME": str(tmp_path / "home"),
        "NUVO_WORKSPACE_TEMPLATE": str(tmp_path / "spaces" / "{space}" / "{instance}"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


@pytest.fixture
def nuvo(folder: Path, environment: dict[str, str]) -> Run:
    """Run `nuvo` in a process of its own, in the folder unless `cwd` says otherwise."""

    def run(
        *words: str, code: int = 0, cwd: Path | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()", *words],
            cwd=cwd or folder,
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return run
