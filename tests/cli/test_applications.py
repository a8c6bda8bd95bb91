"""`nuvo app`: an environment captured, named by its shell, its folder or its kernel; started, compared, previewed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nuvo_jupyter.cli.applications import active_environment
from tests.cli.conftest import Run
from tests.workspace.applications.made import install, make_environment, make_wheel


@pytest.fixture
def science(tmp_path: Path, folder: Path, environment: dict[str, str]) -> Path:
    """An active environment `science` with one package, beside a folder that was captured once."""
    made = make_environment(tmp_path / "science", make_wheel(tmp_path / "wheels", "gamma", "1.0"))
    for name in ("CONDA_PREFIX", "VIRTUAL_ENV"):
        environment.pop(name, None)
    environment |= {
        "VIRTUAL_ENV": str(made),
        "UV_OFFLINE": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_PATH": "",
    }
    return made


def test_the_active_environment_is_captured_run_compared_and_previewed(
    nuvo: Run, science: Path, tmp_path: Path
) -> None:
    assert "`nuvo app add` captures it" in nuvo("snapshot").stderr
    assert "app add" not in nuvo("snapshot").stderr
    assert nuvo("app", "add", "--seal").stdout == f"science captured from {science}\n"
    assert nuvo("app", "run", "science", "--", "gamma").stdout == "1.0\n"
    assert nuvo("app", "run", "science", text="import sys; print(sys.prefix)").stdout == f"{science}\n"
    assert "cannot be run" in nuvo("app", "run", "science", "--", "no-such-program", code=1).stderr
    nuvo("snapshot")
    install(science, make_wheel(tmp_path / "wheels", "gamma", "2.0"))
    nuvo("snapshot")
    assert nuvo("app", "compare", "science", "3", "4").stdout == "gamma\tupgraded\t1.0\t2.0\n"
    rows = nuvo("restore", "3", ".nuvo/applications/science", "--preview").stdout.splitlines()
    assert rows[0].split("\t")[1:] == ["replaced", "application science", "", "gamma 2.0 → 1.0"]
    assert rows[1].split("\t")[1] == "warning"
    nuvo("restore", "3", ".nuvo/applications/science")
    assert "is not built anew yet" in nuvo("app", "run", "science", "--", "gamma").stderr


def test_an_installed_kernel_names_its_environment(
    nuvo: Run, science: Path, environment: dict[str, str]
) -> None:
    assert "app add" not in nuvo("snapshot", "--json").stderr
    del environment["VIRTUAL_ENV"]
    kernels = Path(environment["JUPYTER_DATA_DIR"]) / "kernels"
    for name, program in (("numbers", str(science / "bin" / "python")), ("ruby", "/usr/bin/iruby")):
        (kernels / name).mkdir(parents=True)
        argv = [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name, "language": "python", "env": {"TOKEN": "secret"}}
        (kernels / name / "kernel.json").write_text(json.dumps(spec))
    nuvo("snapshot")
    task = json.loads(nuvo("app", "add", "--kernel", "numbers", "--seal", "--json").stdout)
    assert task["state"] == "done"
    shown = json.loads(nuvo("app", "show", "numbers", "--json").stdout)
    assert shown["prefix"] == str(science)
    assert shown["definition"]["variables"] == ["TOKEN"]
    assert shown["argv"][0] == "{python}"
    assert "no Python" in nuvo("app", "add", "--kernel", "ruby", code=1).stderr
    assert "no kernel 'none'" in nuvo("app", "add", "--kernel", "none", code=1).stderr


def test_an_automatic_snapshot_is_taken_where_something_changed(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    assert "Nothing has changed" in nuvo("snapshot", "--automatic").stdout
    (folder / "a.txt").write_text("changed")
    nuvo("snapshot", "--automatic")
    found = json.loads(nuvo("snapshots", "--json").stdout)
    assert [(one["number"], one["reason"]) for one in found] == [(2, "scheduled"), (1, "manual")]


def test_which_environment_a_shell_is_in(tmp_path: Path) -> None:
    import sys

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    both = {"VIRTUAL_ENV": str(tmp_path / "a"), "CONDA_PREFIX": str(tmp_path / "b")}
    assert active_environment(both) == str(tmp_path / "a")
    assert active_environment(both | {"VIRTUAL_ENV": str(tmp_path / "gone")}) == str(tmp_path / "b")
    assert active_environment({}) == sys.prefix
