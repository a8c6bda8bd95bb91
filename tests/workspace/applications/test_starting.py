"""How an application is started, and what it is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nuvo_jupyter.model.applications import Application, Definition, Python
from nuvo_jupyter.model.errors import EnvironmentFailed, NotNow
from nuvo_jupyter.workspace.applications.names import suggested_name
from nuvo_jupyter.workspace.applications.starting import start

PYTHON = Python(implementation="cpython", version="3.11.7", system="linux", machine="x86_64", libc="glibc")


def application(prefix: Path | str, kernel: str = "") -> Application:
    definition = Definition(name="x", python=PYTHON, complete=True, variables=("SET", "UNSET"))
    return Application(
        name="x",
        definition=definition,
        packages=(),
        argv=(),
        prefix=str(prefix),
        kernel=kernel,
        pending=False,
    )


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_command_runs_in_the_environment_and_in_no_other(tmp_path: Path) -> None:
    program(tmp_path / "env/bin/python")
    here = {"PATH": "/usr/bin", "CONDA_PREFIX": "/opt/conda", "PYTHONHOME": "/x", "SET": "1"}
    found = start(application(tmp_path / "env"), ["pip", "list"], here)
    assert found.argv == ("pip", "list")
    assert found.environment == {
        "PATH": f"{tmp_path}/env/bin{os.pathsep}/usr/bin",
        "VIRTUAL_ENV": f"{tmp_path}/env",
        "SET": "1",
    }
    assert found.unset == ("UNSET",)
    (tmp_path / "env/conda-meta").mkdir()
    assert (
        start(application(tmp_path / "env"), ["pip"], here).environment["CONDA_PREFIX"] == f"{tmp_path}/env"
    )


def test_a_console_is_the_best_one_there_is(tmp_path: Path) -> None:
    python = program(tmp_path / "env/bin/python")
    one = application(tmp_path / "env", kernel="nuvo-x")
    assert start(one, (), {"PATH": ""}).argv == (str(python),)
    ipython = program(tmp_path / "env/bin/ipython")
    assert start(one, (), {"PATH": ""}).argv == (str(ipython),)
    console = program(tmp_path / "elsewhere/jupyter-console")
    assert start(one, (), {"PATH": str(console.parent)}).argv == (str(console), "--kernel", "nuvo-x")
    # Without a kernel of its own there is nothing that a console could be started on.
    assert start(application(tmp_path / "env"), (), {"PATH": str(console.parent)}).argv == (str(ipython),)


def test_what_is_not_built_is_not_started(tmp_path: Path) -> None:
    for prefix in ("", tmp_path / "gone"):
        with pytest.raises(NotNow, match="not on this machine") as caught:
            start(application(prefix), (), {})
        assert "nuvo app build" in str(caught.value.hint)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EnvironmentFailed):
        start(application(tmp_path / "empty"), (), {})


@pytest.mark.parametrize(
    ("prefix", "kernel", "name"),
    [
        ("/opt/conda/envs/science", "", "science"),
        ("/home/ann/course/.venv", "", "python"),
        ("/home/ann/venv/", "", "python"),
        ("/usr", "", "python"),
        ("/home/ann/.venv", "ir-stats", "ir-stats"),
        ("", "", "python"),
    ],
)
def test_names_that_are_suggested(prefix: str, kernel: str, name: str) -> None:
    assert suggested_name(prefix, kernel) == name
