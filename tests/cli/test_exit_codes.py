"""What the exit code says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_error(nuvo: Run) -> None:
    done = nuvo("show", "nowhere/master@1", code=1)
    assert done.stdout == ""
    assert done.stderr.startswith("nuvo: There is no space 'nowhere'")


def test_error_as_json(nuvo: Run) -> None:
    done = nuvo("show", "nowhere/master@1", "--json", code=1)
    assert json.loads(done.stderr)["code"] == "not_found"


def test_a_folder_of_no_instance(nuvo: Run) -> None:
    assert "Take a first snapshot" in nuvo("ls", code=1).stderr


@pytest.mark.parametrize(
    "words", [["snapshoot"], ["restore"], ["distribute"], ["restore", "1", "-s", "magic"], ["ls", "--x"]]
)
def test_usage(nuvo: Run, words: list[str]) -> None:
    nuvo(*words, code=2)


def test_some_targets_failed(nuvo: Run, folder: Path) -> None:
    nuvo("space", "create", "Intro", "--workspace", str(folder))
    nuvo("roster", "add", "-", "--space", "Intro", text="ann\nbob\n")
    instances = {item["name"]: item for item in json.loads(nuvo("instance", "list", "--json").stdout)}
    ann = Path(instances["ann"]["workspace"])
    if ann.exists():
        ann.rename(ann.with_name("gone"))
    ann.parent.mkdir(parents=True, exist_ok=True)
    ann.write_text("a file where the folder should be")
    nuvo("snapshot")
    done = nuvo("distribute", "--from", "latest:a.txt", "--to", "ann", "--to", "bob", code=3)
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in done.stdout.splitlines()}
    assert rows == {"Intro/ann": "failed", "Intro/bob": "done"}


def test_refused(nuvo: Run, environment: dict[str, str]) -> None:
    environment["NUVO_ACTING_USER"] = "somebody"
    assert "demo and tests only" in nuvo("status", code=4).stderr


def test_confirmation_needed(nuvo: Run, environment: dict[str, str]) -> None:
    environment["NUVO_CONFIRM_FILES"] = "1"
    assert "--yes" in nuvo("snapshot", code=5).stderr
    nuvo("snapshot", "--yes")


def test_interrupted(nuvo: Run, folder: Path, environment: dict[str, str]) -> None:
    nuvo("space", "create", "Intro", "--workspace", str(folder))
    (folder / "big.bin").write_bytes(bytes(range(256)) * 1_000_000)
    process = subprocess.Popen(
        [sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()", "snapshot"],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # Its first line says that the task is under way.
    first = process.stderr.readline()
    killer = threading.Timer(0, process.send_signal, (signal.SIGINT,))
    killer.start()
    rest = process.stderr.read()
    assert process.wait(60) == 130, first + rest
    assert "Traceback" not in rest
    (task,) = [item for item in json.loads(nuvo("tasks", "--json").stdout) if item["kind"] == "snapshot"]
    assert task["state"] == "cancelled"


@pytest.mark.parametrize("words", [["snapshots"], ["export", "@1", "-o", "-"], ["cat", "@1:a.txt"]])
def test_output_that_cannot_be_written(
    nuvo: Run, folder: Path, environment: dict[str, str], words: list[str]
) -> None:
    nuvo("snapshot")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from nuvo_jupyter.cli.main import main; main()", *words],
            cwd=folder,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "nuvo: The output cannot be written: There is no space left on the disk.\n",
    )


def test_nothing_to_write_to(nuvo: Run, folder: Path, environment: dict[str, str]) -> None:
    nuvo("snapshot")
    command = (
        f"exec {sys.executable} -c 'from nuvo_jupyter.cli.main import main; main()' snapshots <&- >&- 2>&-"
    )
    assert subprocess.run(["sh", "-c", command], cwd=folder, env=environment).returncode == 0


def test_a_folder_that_is_gone(nuvo: Run, folder: Path, environment: dict[str, str]) -> None:
    (folder / "empty").mkdir()
    command = f"exec {sys.executable} -c 'from nuvo_jupyter.cli.main import main; main()' snapshots"
    done = subprocess.run(
        ["sh", "-c", f'cd empty; rmdir "$PWD"; {command}'],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("nuvo: The current folder does not exist any more.")


def test_an_export_that_has_no_place(nuvo: Run, folder: Path) -> None:
    nuvo("snapshot")
    assert "no folder 'there'" in nuvo("export", "@1", "-o", "there/x.zip", code=1).stderr
    assert "'week 1' is a folder" in nuvo("export", "@1", "-o", "week 1", "--force", code=1).stderr
    (folder / "x.zip").write_text("mine")
    assert "--force" in nuvo("export", "@1", "-o", "x.zip", code=1).stderr
    assert (folder / "x.zip").read_text() == "mine"
    nuvo("export", "@1", "-o", "x.zip", "--force")


def test_an_instance_is_one_of_this_space(nuvo: Run, folder: Path, tmp_path: Path) -> None:
    nuvo("snapshot")
    nuvo("space", "create", "other", "--workspace", str(tmp_path / "elsewhere"))
    nuvo("instance", "create", "other/ann")
    for words in (
        ["table", "delete", "t"],
        ["table", "import", "a.txt"],
        ["app", "delete", "python"],
        ["app", "list"],
        ["import", "a.txt"],
    ):
        assert (
            "The space 'my course' has no instance 'ann'" in nuvo(*words, "--instance", "ann", code=1).stderr
        )
