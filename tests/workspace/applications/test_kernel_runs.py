"""The end of it all: a notebook runs in the kernel of a re-created application, with no index and no cache."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nuvo_jupyter.workspace.applications import installed, wheel
from nuvo_jupyter.workspace.applications.applications import Applications
from nuvo_jupyter.workspace.applications.interpreter import ask, program_in

from .conftest import instance
from .made import make_environment, make_wheel


def kernel_wheels(folder: Path) -> list[Path]:
    """ipykernel and all it needs, packed again from the environment these tests run in."""
    import importlib.metadata

    interpreter = ask(program_in(Path(sys.prefix)))
    listed = {one.name: one for one in installed.distributions(interpreter.sites)}
    folder.mkdir()
    found: dict[str, Path] = {}
    wanted = ["ipykernel"]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = wheel.rebuild(listed[name], interpreter.prefix, interpreter.scripts, folder)
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(canonicalize_name(requirement.name))
    return list(found.values())


def test_a_notebook_runs_in_a_re_created_kernel(
    tmp_path: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = kernel_wheels(tmp_path / "wheels")
    teacher, student = instance(tmp_path, "teacher"), instance(tmp_path, "student")
    environment = make_environment(tmp_path / "env", *wheels, make_wheel(tmp_path / "own", "gamma", "1.0"))
    shown = teacher.add("science", environment, seal=True, offline=True)
    assert shown.definition.complete, shown.definition.problems
    assert shown.definition.sealed
    shutil.copytree(teacher.folder("science"), student.folder("science"))
    for gone in (tmp_path / "wheels", tmp_path / "own", environment, alone):
        shutil.rmtree(gone)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    here = Applications(tmp_path / "home2", student.workspace, "Physics", "student")
    done = here.realise("science", offline=True)
    assert Path(done.prefix).is_relative_to(tmp_path / "home2")
    cell = "import gamma, sys; print(gamma.version, sys.prefix)\nimport shutil; print(shutil.which('gamma'))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, kernel_name=done.kernel, timeout=120).execute(cwd=str(tmp_path))
    (output,) = notebook.cells[0].outputs
    assert output.text.split() == ["1.0", done.prefix, f"{done.prefix}/bin/gamma"]
    assert not alone.exists() or not list(alone.rglob("*.http"))
