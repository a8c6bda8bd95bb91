"""What Tab offers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import nuvo_jupyter
from nuvo_jupyter.model.applications import Definition, Python
from nuvo_jupyter.workspace.applications import definition, lock


@pytest.fixture
def course(shell: InteractiveShell, folder: Path) -> InteractiveShell:
    with nuvo_jupyter.client("local") as client:
        client.space_create(name="Intro", workspace=str(folder))
        client.finish(client.roster_add(space="Intro", people="ann\nbob"))
        python = Python(implementation="cpython", version="3.11.7", system="linux", machine="x86_64")
        definition.write(
            folder / ".nuvo" / "applications" / "science",
            Definition(name="science", python=python, complete=True),
            lock.write([], "3.11"),
            "",
            (),
            (),
            {},
            {},
        )
        client.finish(client.snapshot_create(instance="Intro/master", name="first"))
        client.finish(client.snapshot_create(instance="Intro/master", name="second try"))
    return shell


def offered(shell: InteractiveShell, line: str) -> list[str]:
    """The lines that Tab can make of a line."""
    with provisionalcompleter():
        return [line[: found.start] + found.text for found in shell.Completer.completions(line, len(line))]


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("%restore fi", "%restore first"),
        ("%restore @fi", "%restore @first"),
        ("%restore Intro/master@fi", "%restore Intro/master@first"),
        ("%restore first a", "%restore first a.txt"),
        ("%restore sec", "%restore second\\ try"),
        ("%restore second\\ t", "%restore second\\ try"),
        ("%restore second\\ try a", "%restore second\\ try a.txt"),
        ("%restore first week", "%restore first week\\ 1"),
        ("%restore 1:a", "%restore 1:a.txt"),
        ("%restore 1 --st", "%restore 1 --strategy"),
        ("%restore 1 --strategy ren", "%restore 1 --strategy rename"),
        ("%restore 1 --to Intro/a", "%restore 1 --to Intro/ann"),
        ("%stage a", "%stage a.txt"),
        ("%stage we", "%stage week\\ 1/"),
        ("%distribute --to al", "%distribute --to all"),
        ("%distribute --to ann --to b", "%distribute --to ann --to bob"),
        ("%distribute --to ann --fr", "%distribute --to ann --from"),
        ("%tasks ca", "%tasks cancel"),
        ("%snapshot --de", "%snapshot --description"),
        ("%snapshot --before-risky of", "%snapshot --before-risky off"),
        ("%app bu", "%app build"),
        ("%app show sci", "%app show science"),
        ("%app compare science fi", "%app compare science first"),
        ("%app add --sea", "%app add --seal"),
        ("%export fi", "%export first"),
        ("%export first a", "%export first a.txt"),
        ("%import a", "%import a.txt"),
        ("restore fi", "restore first"),
    ],
)
def test_offered(course: InteractiveShell, line: str, made: str) -> None:
    assert offered(course, line) == [made]


def test_names_that_are_no_text_can_be_completed(course: InteractiveShell, folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.txt")).touch()
    assert offered(course, "%stage caf") == ["%stage caf\\xe9.txt"]


def test_nothing_is_offered_where_there_is_no_instance(
    course: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "%restore first" not in offered(course, "%restore fi")


def test_a_variable_goes_before_a_magic_without_its_sign(course: InteractiveShell) -> None:
    course.user_ns["restore"] = 1
    assert "restore first" not in offered(course, "restore fi")


def test_imports_of_python_are_left_to_ipython(course: InteractiveShell) -> None:
    assert "import a.txt" not in offered(course, "import a")
    assert "import colorsys" in offered(course, "import colors")
