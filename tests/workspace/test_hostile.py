"""Apply where the disk, the permissions or the owner work against it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.syscalls import exchange

from .places import Place, exactly, names
from .strangers import as_nobody


def temporaries(folder: Path) -> list[str]:
    return [name for name in names(folder) if OURS in name]


# Permissions


def test_a_folder_that_may_not_be_written_fails_and_the_rest_goes_on(
    place: Place, work: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for folder in ("open", "closed", "fresh"):
        (source / folder).mkdir(parents=True)
        (source / folder / "file").write_text("new")
        (source / folder / "more").write_text("new")
    (source / "fresh").chmod(0o555)
    captured = place.capture(source)
    for folder in ("open", "closed"):
        (work / folder).mkdir()
        (work / folder / "file").write_text("old")
    (work / "closed").chmod(0o555)
    (work / "open" / "file").chmod(0o400)
    backup = place.capture(work)
    changes = [change for change in exactly(captured.nodes, backup.nodes) if change.path != "closed"]

    def run() -> dict[str, list[str]]:
        with Root(work) as root:
            done = apply(root, place.store, changes, backup.fingerprints)
        return {item.path: [item.outcome.value, item.detail] for item in done}

    found = as_nobody(run, work, tmp_path / "home")
    assert found["closed/file"] == ["failed", "Permission denied."]
    assert found["closed/more"] == ["failed", "Permission denied."]
    assert found["open/file"][0] == "replaced"
    assert found["open/more"][0] == "created"
    assert found["fresh/file"][0] == "created"
    assert (work / "closed" / "file").read_text() == "old"
    assert (work / "fresh").stat().st_mode & 0o777 == 0o555
    assert not temporaries(work)


def test_a_workspace_that_may_not_be_written_at_all(place: Place, work: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("new")
    captured = place.capture(source)
    (work / "old").write_text("old")
    backup = place.capture(work)
    changes = exactly(captured.nodes, backup.nodes)

    def run() -> list[str]:
        work.chmod(0o555)
        with Root(work) as root:
            return [item.outcome.value for item in apply(root, place.store, changes, backup.fingerprints)]

    assert as_nobody(run, work, tmp_path / "home") == ["failed", "failed"]
    assert names(work) == {"old"}


# No room


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        if os.environ.get("CI"):
            pytest.fail("a small disk can only be mounted by root (CI is set, so this is a failure)")
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_fails_what_does_not_fit(place: Place, small_disk: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a small").write_text("new")
    (source / "big").write_bytes(os.urandom(900_000))
    (source / "large").write_bytes(os.urandom(3_000_000))
    (source / "z small").write_text("new")
    captured = place.capture(source)
    (small_disk / "big").write_bytes(b"old" * 100_000)
    (small_disk / "a small").write_text("old")
    backup = place.capture(small_disk)
    found = {
        item.path: (item.outcome, item.detail)
        for item in place.apply(small_disk, exactly(captured.nodes, backup.nodes), backup)
    }
    full = (Outcome.FAILED, "There is no space left on the disk.")
    assert found["big"] == full
    assert found["large"] == full
    assert found["a small"][0] is Outcome.REPLACED
    assert found["z small"][0] is Outcome.CREATED
    assert (small_disk / "big").read_bytes() == b"old" * 100_000
    assert not temporaries(small_disk)


def test_a_file_over_the_users_limit_fails_alone(place: Place, work: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "small").write_text("new")
    (source / "large").write_bytes(os.urandom(100_000))
    captured = place.capture(source)
    backup = place.capture(work)

    def run() -> dict[str, list[str]]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        with Root(work) as root:
            done = apply(root, place.store, exactly(captured.nodes, backup.nodes), backup.fingerprints)
        return {item.path: [item.outcome.value, item.detail] for item in done}

    assert as_nobody(run, work, tmp_path / "home") == {
        "large": ["failed", "The file is larger than is allowed here."],
        "small": ["created", ""],
    }
    assert names(work) == {"small"}


# The owner swaps folders for links meanwhile


def test_a_folder_swapped_for_a_link_all_the_time_leads_nowhere(
    place: Place, work: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for folder in ("d", "e"):
        (source / folder / "in").mkdir(parents=True)
        for number in range(40):
            (source / folder / "in" / f"{number}").write_text(f"new {number}")
    captured = place.capture(source)
    outside = tmp_path / "outside"
    (outside / "in").mkdir(parents=True)
    (outside / "in" / "0").write_text("untouched")
    (work / "d" / "in").mkdir(parents=True)
    real = os.open(work / "d" / "in", os.O_RDONLY)
    os.symlink(outside, work / "link")
    stop = threading.Event()
    swaps = [0]

    def swap() -> None:
        here = os.open(work, os.O_RDONLY)
        while not stop.is_set():
            # What lies at d is by turns the folder and the link.
            exchange(here, "d", here, "link")
            swaps[0] += 1
        os.close(here)

    changes = exactly(captured.nodes, {"d": captured.nodes["d"], "d/in": captured.nodes["d/in"]})
    owner = threading.Thread(target=swap)
    owner.start()
    try:
        seen: set[Outcome] = set()
        for _ in range(40):
            with Root(work) as root:
                seen.update(item.outcome for item in apply(root, place.store, changes, {}, durable=False))
            for name in os.listdir(real):
                os.unlink(name, dir_fd=real)
    finally:
        stop.set()
        owner.join()
        os.close(real)
    assert swaps[0] > 0
    assert seen <= {Outcome.CREATED, Outcome.FAILED}
    assert (outside / "in" / "0").read_text() == "untouched"
    assert names(outside) == {"in", "in/0"}
    # What the last run could not reach to clear away, the next one does, which the mark tells it.
    with Root(work) as root:
        apply(root, place.store, changes, {}, durable=False)
    assert not temporaries(tmp_path)


def test_a_pipe_or_device_in_the_way_is_left_alone(place: Place, work: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "pipe").write_text("new")
    (source / "other").write_text("new")
    captured = place.capture(source)
    (work / "pipe").write_text("old")
    backup = place.capture(work)
    (work / "pipe").unlink()
    os.mkfifo(work / "pipe")
    found = {
        item.path: item.outcome for item in place.apply(work, exactly(captured.nodes, backup.nodes), backup)
    }
    assert found == {"pipe": Outcome.CONFLICT, "other": Outcome.CREATED}
    assert (work / "pipe").is_fifo()


# Killed


def tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


OLD = {
    "replaced": b"old" * 1000,
    "sub/replaced": b"old" * 1000,
    "gone": b"old",
    "old folder/gone": b"old",
    "becomes a folder": b"old",
    "becomes a file/x": b"old",
    "same": b"same",
}
NEW = {
    "replaced": b"new" * 2000,
    "sub/replaced": b"new" * 2000,
    "sub/deep/new": b"new" * 2000,
    "fresh/in/deep/new": b"new" * 2000,
    "fresh/new": b"new",
    "large": bytes(range(256)) * 8000,
    "becomes a folder/new": b"new",
    "becomes a file": b"new",
    "same": b"same",
}


def killed_at(place: Place, folder: Path, source: Captured, backup: Captured, moment: int) -> bool:
    """Apply in a process that is killed (SIGKILL) at its ``moment``-th call; whether it lived that long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        calls = [0]

        def count(frame: FrameType, event: str, argument: object) -> None:
            calls[0] += 1
            if calls[0] == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            changes = exactly(source.nodes, backup.nodes)
            with Root(folder) as root:
                sys.setprofile(count)
                apply(root, place.store, changes, backup.fingerprints, durable=False)
                sys.setprofile(None)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_anywhere_and_applied_again_the_end_is_the_same(place: Place, tmp_path: Path) -> None:
    source = place.capture(tree(tmp_path / "source", NEW))
    moment, killed, step = 1, 0, 1
    while True:
        folder = tree(tmp_path / f"work {moment}", OLD)
        backup = place.capture(folder)
        was_killed = killed_at(place, folder, source, backup, moment)
        for name in NEW.keys() | OLD.keys():
            path = folder / name
            if path.is_file():
                assert path.read_bytes() in (OLD.get(name), NEW.get(name)), (moment, name)
        if moment % 2:
            # Another process goes on: it knows the backup's content, but not how the files looked.
            backup.fingerprints = {}
        done = place.apply(folder, exactly(source.nodes, backup.nodes), backup)
        assert not {item.outcome for item in done} & {Outcome.FAILED, Outcome.CONFLICT}, (moment, done)
        assert not temporaries(folder), moment
        found = {name: (folder / name).read_bytes() for name in names(folder) if (folder / name).is_file()}
        assert found == NEW, moment
        # A second backup and plan find nothing left to do.
        again = place.capture(folder)
        assert again.nodes.keys() == source.nodes.keys()
        if not was_killed:
            break
        killed += 1
        step = 7 if moment < 300 else 41
        moment += step
    assert killed > 40
