"""Rules for the sources themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = re.compile(r"(^|/)([^/]*-lock\.(json|yaml)|[^/]*\.lock)$")
ADDRESS = re.compile(r"https?(:|%3A)|archiveUrl")


def listed() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    return [path for path in os.fsdecode(out.stdout).split("\0") if path and (ROOT / path).is_file()]


def test_lock_files_hold_no_address() -> None:
    locks = [path for path in listed() if LOCK.search(path)]
    assert "labextension/yarn.lock" in locks
    found = [path for path in locks if ADDRESS.search((ROOT / path).read_text())]
    assert found == []


def test_no_registry_is_set() -> None:
    settings = [
        path for path in listed() if Path(path).name in {".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf"}
    ]
    for path in settings:
        text = (ROOT / path).read_text().lower()
        assert "registry" not in text, path
        assert "index-url" not in text, path


def test_root_links_point_into_the_package() -> None:
    for name in ("handlers", "magics"):
        assert (ROOT / name).is_symlink()
        assert os.readlink(ROOT / name) == f"nuvo_jupyter/{name}"


def test_importing_the_package_is_light() -> None:
    program = "import sys, nuvo_jupyter; print(*{n.split('.')[0] for n in sys.modules})"
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT
    )
    heavy = {"sqlalchemy", "msgspec", "IPython", "jupyter_server", "traitlets", "tornado", "obstore", "rich"}
    assert heavy & set(told.stdout.split()) == set()


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
    ]
    wanted = [requirement for one in lists for requirement in one]
    names = {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in wanted} - {project["project"]["name"]}
    explained = (ROOT / "docs/dependencies.md").read_text()
    assert {name for name in names if not re.search(rf"[| ]{re.escape(name)}[, ]", explained)} == set()
