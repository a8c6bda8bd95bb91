"""The magics in a real shell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from nuvo_jupyter.model.errors import AlreadyExists, EmptyStage, InvalidPath, NotFound
from nuvo_jupyter.workspace.tables.connection import Connection

MANUAL = (Path(__file__).parents[2] / "docs" / "magics.md").read_text()
MAGICS = ("snapshot", "restore", "stage", "distribute", "pull", "tasks", "usage", "app", "export", "import")


def run(shell: InteractiveShell, cell: str) -> Any:
    done = shell.run_cell(cell)
    done.raise_error()
    return done.result


def test_snapshot_and_restore_one_file(shell: InteractiveShell, folder: Path) -> None:
    taken = run(shell, "%snapshot 'week 1 ready' -m 'a description'")
    assert (taken.reference, taken.name, taken.description) == (
        "course/master@1",
        "week 1 ready",
        "a description",
    )
    (folder / "a.txt").write_text("lost")
    (target,) = run(shell, "%restore 1 a.txt --preview").targets
    assert (target.instance, target.counts) == ("course/master", {"replaced": 1})
    assert (folder / "a.txt").read_text() == "lost"
    result = run(shell, "%restore 'week 1 ready' a.txt")
    assert (folder / "a.txt").read_text() == "one"
    assert ["replaced", "a.txt", "", ""] in result.rows
    assert "course/master@2" in result.title


def test_usage_of_every_snapshot_and_what_deleting_some_frees(shell: InteractiveShell, folder: Path) -> None:
    for text in ("one " * 500, "two " * 500):
        (folder / "a.txt").write_text(text)
        run(shell, "%snapshot")
    assert {row[0] for row in run(shell, "%usage --by path").rows} == {"a.txt", "week 1"}
    found = run(shell, "%usage 1")
    assert [row[0] for row in found.rows] == ["course/master@2", "course/master@1"]
    (details,) = [one.details for space in found.spaces for one in space.instances]
    assert found.frees.size == details[1].alone
    assert "would be free" in found.title


def test_paths_are_relative_to_the_kernels_folder(
    shell: InteractiveShell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shell, "%snapshot")
    (folder / "week 1" / "b c.txt").unlink()
    monkeypatch.chdir(folder / "week 1")
    run(shell, "%restore 1 'b c.txt'")
    assert (folder / "week 1" / "b c.txt").read_text() == "two"
    with pytest.raises(InvalidPath):
        run(shell, "%stage ../../elsewhere")


def test_stage_preview_distribute_pull(shell: InteractiveShell, folder: Path, tmp_path: Path) -> None:
    import nuvo_jupyter

    with nuvo_jupyter.client("local") as client:
        client.space_create(name="Intro", workspace=str(folder))
        client.finish(client.roster_add(space="Intro", people="ann\nbob"))
    assert len(run(shell, "%stage a.txt 'week 1/b c.txt'").objects) == 2
    assert len(run(shell, "%stage --remove a.txt").objects) == 1
    preview = run(shell, "%distribute --to ann bob --preview")
    assert {target.instance for target in preview.targets} == {"Intro/ann", "Intro/bob"}
    assert not (tmp_path / "spaces" / "Intro" / "ann" / "week 1").exists()
    done = run(shell, "%distribute --to ann bob --strategy merge --message 'hi there'")
    assert [row[1] for row in done.rows] == ["done", "done"]
    assert (tmp_path / "spaces" / "Intro" / "ann" / "week 1" / "b c.txt").read_text() == "two"
    assert not run(shell, "%stage --clear").objects
    with Connection(folder / "tables") as con:
        con.execute("CREATE TABLE marks AS SELECT 1 AS id")
        run(shell, "%distribute --to ann --whole")
        con.execute("INSERT INTO marks VALUES (2)")
    with Connection(tmp_path / "spaces" / "Intro" / "ann" / "tables") as own:
        own.execute("INSERT INTO marks VALUES (3)")
        run(shell, "%distribute --to ann --whole --append-rows --key id")
        assert own.execute("FROM marks ORDER BY id").fetchall() == [(1,), (2,), (3,)]
    tasks = run(shell, "%tasks")
    assert tasks[0].kind == "distribution"


def test_errors_are_short_and_stop_a_run(
    shell: InteractiveShell, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, "%snapshot")
    capsys.readouterr()
    done = shell.run_cell("%restore nowhere")
    assert isinstance(done.error_in_exec, NotFound)
    shown = capsys.readouterr().out
    assert "NotFound: course/master has no snapshot 'nowhere'." in shown
    assert "nuvo snapshots" in shown
    assert "Traceback" not in shown
    with pytest.raises(EmptyStage):
        run(shell, "%distribute --to course/distributed")


@pytest.mark.parametrize(
    "cell",
    [
        "%distribute",
        "%restore",
        "%tasks cancel",
        "%tasks 3",
        "%stage 'unclosed",
        "%restore 1 --strategy magic",
    ],
)
def test_usage_errors(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell(cell)
    told = capsys.readouterr()
    assert "UsageError" in told.out + told.err


@pytest.mark.parametrize("name", MAGICS)
def test_question_mark_shows_the_help(shell: InteractiveShell, name: str) -> None:
    text = shell.object_inspect_text(f"%{name}")
    assert f"%{name}" in text
    for action in shell.find_line_magic(name).parser._actions:
        assert action.help
        for option in action.option_strings:
            assert option in text


@pytest.mark.parametrize("name", MAGICS)
def test_the_manual_describes_it(shell: InteractiveShell, name: str) -> None:
    section = re.search(rf"^## %{name}\n(.*?)(?=^## |\Z)", MANUAL, re.MULTILINE | re.DOTALL)
    assert section is not None
    for action in shell.find_line_magic(name).parser._actions:
        for option in action.option_strings:
            if option.startswith("--"):
                assert option in section[1], option


def test_all_magics_are_tested(shell: InteractiveShell) -> None:
    registry = shell.magics_manager.registry
    found = [
        name
        for group in ("NuvoMagics", "ApplicationMagics", "CrateMagics")
        for name in registry[group].magics["line"]
    ]
    assert sorted(found) == sorted(MAGICS)


def test_a_snapshot_is_exported_and_imported(shell: InteractiveShell, folder: Path) -> None:
    taken = run(shell, "%snapshot first")
    assert run(shell, "%export first 'week 1/first.zip' --author Ann").value == "week 1/first.zip"
    with pytest.raises(AlreadyExists):
        run(shell, "%export first 'week 1/first.zip'")
    run(shell, "%export 1 'week 1/first.zip' --force")
    again = run(shell, "%import 'week 1/first.zip' --name again")
    assert (again.name, again.number, again.id) == ("again", 2, taken.id)


def test_the_word_import_stays_pythons(shell: InteractiveShell) -> None:
    assert run(shell, "import json\njson.dumps(1)") == "1"
    run(shell, "import colorsys")
    assert "colorsys" in shell.user_ns
