"""Capture: what is read, what is left out, and what happens while others work."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.errors import Cancelled, WorkspaceUnavailable
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.native import read_files
from nuvo_jupyter.workspace import capture as capture_module
from nuvo_jupyter.workspace import content as content_module
from nuvo_jupyter.workspace.capture import Captured, capture
from nuvo_jupyter.workspace.capture import look_at as look_only
from nuvo_jupyter.workspace.memory import Memory
from nuvo_jupyter.workspace.rules import Rules
from nuvo_jupyter.workspace.safe import DEPTH_MAX, Root, read_whole
from nuvo_jupyter.workspace.scan import measure

from .places import Place, later
from .strangers import as_nobody


def look(folder: Path, **options: object) -> Captured:
    with Root(folder) as root:
        return capture(root, now=later, **options)  # type: ignore[arg-type]


def reasons(captured: Captured) -> dict[str, str]:
    return {item.path: item.reason for item in captured.manifest.excluded}


# Memory


def test_nothing_unchanged_is_read_again(place: Place, work: Path) -> None:
    for number in range(50):
        (work / f"{number}.txt").write_text(f"{number}")
    first = place.capture(work)
    assert first.files_read == 50
    second = place.capture(work, first.remembered)
    assert (second.files_read, second.bytes_read) == (0, 0)
    assert second.manifest_id == first.manifest_id
    (work / "7.txt").write_text("seven")
    third = place.capture(work, second.remembered)
    assert third.files_read == 1
    assert third.manifest_id != first.manifest_id


def test_a_file_changed_just_before_it_was_read_is_read_again(work: Path) -> None:
    (work / "new").write_text("a")
    with Root(work) as root:
        first = capture(root)
        assert first.files_read == 1
        assert capture(root, None, first.remembered).files_read == 1


def test_a_change_that_keeps_size_and_time_is_noticed(work: Path) -> None:
    file = work / "file"
    file.write_text("old")
    first = look(work)
    before = file.stat()
    file.write_text("new")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = look(work, memory=first.remembered)
    assert second.nodes["file"].content != first.nodes["file"].content


def test_a_memory_is_saved_and_loaded(work: Path, tmp_path: Path) -> None:
    (work / "folder").mkdir()
    (work / "folder" / "\udcff".encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")).touch()
    (work / "folder" / "file").write_text("x")
    first = look(work)
    path = tmp_path / "cache" / "memory"
    first.remembered.token = b"in this store"
    first.remembered.save(path)
    # Another place of the same file, so that it is read and not just found to be loaded already.
    again = path.rename(path.with_name("again"))
    loaded = Memory.load(again)
    assert loaded.token == b"in this store"
    assert loaded.folders == first.remembered.folders
    file = loaded.get("folder/file")
    assert file is not None
    assert (file.seen, file.content) == (
        first.fingerprints["folder/file"],
        first.nodes["folder/file"].content,
    )
    assert look(work, memory=loaded).files_read == 0


@pytest.mark.parametrize("damage", [b"", b"nuvo", b"nuvo memory 3\n" + b"\0" * 60])
def test_a_damaged_memory_is_forgotten(work: Path, tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "memory"
    path.write_bytes(damage)
    assert len(Memory.load(path)) == 0


def test_a_flipped_bit_in_a_memory_is_noticed(work: Path, tmp_path: Path) -> None:
    (work / "file").write_text("x")
    path = tmp_path / "memory"
    look(work).remembered.save(path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert len(Memory.load(path)) == 0


def test_content_that_left_the_store_is_read_again(place: Place, work: Path, tmp_path: Path) -> None:
    (work / "file").write_text("x")
    remembered = look(work).remembered  # hashed, never stored
    captured = place.capture(work, remembered)
    assert captured.files_read == 1
    assert place.store.read_file(captured.nodes["file"]) == b"x"


def test_a_look_gives_the_ids_a_capture_gives(place: Place, work: Path) -> None:
    (work / "small").write_text("x")
    (work / "large").write_bytes(os.urandom(2 << 20))
    (work / "empty").touch()
    looked = look(work)
    captured = place.capture(work)
    assert looked.nodes == captured.nodes
    assert looked.manifest_id == captured.manifest_id


# What is left out


def test_caches_and_special_files_are_left_out_and_named(work: Path) -> None:
    for cache in ("__pycache__", ".ipynb_checkpoints", ".cache"):
        (work / cache).mkdir()
        (work / cache / "file").touch()
    (work / ".~notes.ipynb").touch()
    (work / ".hidden").touch()
    os.mkfifo(work / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(work)  # a socket's path may have no more than 107 bytes
    try:
        listener.bind("socket")
    finally:
        os.chdir(here)
        listener.close()
    captured = look(work)
    assert set(captured.nodes) == {".hidden"}
    assert reasons(captured) == {
        "__pycache__": "cache",
        ".ipynb_checkpoints": "cache",
        ".cache": "cache",
        ".~notes.ipynb": "temporary file",
        "pipe": "named pipe",
        "socket": "socket",
    }


def test_nuvoignore_adds_more(work: Path) -> None:
    (work / ".nuvoignore").write_text("*.log\n!keep.log\nbuild/\n/only-here\n[bad\n# comment\n")
    (work / "sub").mkdir()
    (work / "sub" / ".nuvoignore").write_text("!wanted.log\nprivate\n")
    for name in (
        "a.log",
        "keep.log",
        "only-here",
        "sub/wanted.log",
        "sub/b.log",
        "sub/private",
        "sub/only-here",
    ):
        (work / name).touch()
    (work / "build").mkdir()
    (work / "build" / "x").touch()
    captured = look(work)
    assert set(captured.nodes) == {
        ".nuvoignore", "keep.log", "sub", "sub/.nuvoignore", "sub/wanted.log", "sub/only-here",
    }  # fmt: skip
    assert reasons(captured)["sub/private"] == "ignored by sub/.nuvoignore"
    assert reasons(captured)["build"] == "ignored by .nuvoignore"


def test_a_store_inside_the_workspace_can_be_left_out(work: Path) -> None:
    (work / "data" / "nuvo").mkdir(parents=True)
    (work / "data" / "nuvo" / "pack").touch()
    captured = look(work, rules=Rules(also={"data/nuvo": "Nuvo's own data"}))
    assert set(captured.nodes) == {"data"}
    assert reasons(captured) == {"data/nuvo": "Nuvo's own data"}


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(work: Path) -> None:
    (work / "open").write_text("x")
    (work / "closed file").write_text("secret")
    (work / "closed file").chmod(0)
    (work / "closed folder").mkdir()
    (work / "closed folder" / "file").write_text("secret")
    (work / "closed folder").chmod(0)

    def run() -> dict[str, list[str]]:
        captured = look(work)
        return {
            "nodes": sorted(captured.nodes),
            "excluded": [f"{k}: {v}" for k, v in reasons(captured).items()],
        }

    found = as_nobody(run, work)
    assert found == {
        "nodes": ["open"],
        "excluded": [
            "closed file: unreadable: permission denied",
            "closed folder: unreadable: permission denied",
        ],
    }


def test_folders_too_deep_are_named(work: Path) -> None:
    fd = os.open(work, os.O_RDONLY)
    for _ in range(DEPTH_MAX + 5):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    captured = look(work)
    assert len(captured.nodes) == DEPTH_MAX - 1
    assert list(reasons(captured).values()) == ["too deep: more than 256 folders inside one another"]


@pytest.mark.parametrize("what", ["missing", "a file"])
def test_a_workspace_that_is_no_folder_is_an_error(tmp_path: Path, what: str) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(WorkspaceUnavailable):
        Root(tmp_path / what)


def test_links_are_never_followed(work: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    os.symlink(outside, work / "folder")
    os.symlink(outside / "secret", work / "file")
    captured = look(work)
    assert {path: node.kind for path, node in captured.nodes.items()} == {
        "folder": NodeKind.LINK,
        "file": NodeKind.LINK,
    }
    assert captured.files_read == 0


# What happens meanwhile


def test_a_file_swapped_for_a_link_or_pipe_is_not_followed(work: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for name in ("link", "pipe", "gone", "folder"):
        (work / name).write_text("mine")
    (work / "stays").write_text("mine")

    def swap() -> bool:
        # Asked after the walk, before the first file is read.
        calls.append(1)
        if len(calls) == 2:
            for name in ("link", "pipe", "gone", "folder"):
                (work / name).unlink()
            os.symlink(secret, work / "link")
            os.mkfifo(work / "pipe")
            (work / "folder").mkdir()
        return False

    calls: list[int] = []
    captured = look(work, cancelled=swap)
    assert set(captured.nodes) == {"link", "stays"}
    assert captured.nodes["link"].kind is NodeKind.LINK
    assert set(reasons(captured)) == {"pipe", "folder"}


def test_a_folder_that_vanishes_was_not_there(work: Path) -> None:
    (work / "folder" / "sub").mkdir(parents=True)
    (work / "folder" / "sub" / "file").touch()
    (work / "folder" / "file").write_text("x")
    (work / "stays").touch()
    calls: list[int] = []

    def vanish() -> bool:
        calls.append(1)
        if len(calls) == 4:  # three folders were walked
            os.rename(work / "folder", work.parent / "elsewhere")
        return False

    captured = look(work, cancelled=vanish)
    assert set(captured.nodes) == {"stays"}
    assert not captured.manifest.inconsistent


def test_a_file_that_changes_while_it_is_read_is_read_again(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "file").write_text("first")
    change_while_read(
        monkeypatch, lambda count: (work / "file").write_text("second!") if count == 1 else None
    )
    captured = look(work)
    assert not captured.manifest.inconsistent
    assert captured.nodes["file"].size == 7


def test_a_file_that_never_stands_still_is_named(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "file").write_text("x")
    change_while_read(monkeypatch, lambda count: (work / "file").write_text("x" * (count + 1)))
    first = look(work)
    assert first.manifest.inconsistent == ("file",)
    # Nor is it taken as known the next time.
    assert look(work, memory=first.remembered).files_read == 1


def change_while_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], object]) -> None:
    """Let something happen between reading a file's bytes and looking at it again.

    The first look is that of who reads many: the one after it sees each file alone.
    """
    count = [0]

    def read(fd: int, size: int) -> bytes:
        data = read_whole(fd, size)
        count[0] += 1
        change(count[0])
        return data

    def refuse(*arguments: Any) -> Any:
        following, _, _ = read_files(*arguments)
        return following, arguments[5], arguments[2][arguments[3] : following]

    monkeypatch.setattr(capture_module, "read_files", refuse)
    monkeypatch.setattr(content_module, "read_whole", read)


def test_a_file_that_is_being_saved_is_waited_for(work: Path) -> None:
    # As jupyter_server saves: copy the old content to .~name, write in place, remove .~name.
    (work / ".~notes.ipynb").write_text("old")
    (work / "notes.ipynb").write_text("half of the n")
    started = threading.Event()

    def finish() -> None:
        started.wait()
        (work / "notes.ipynb").write_text("all of the new content")
        (work / ".~notes.ipynb").unlink()

    writer = threading.Thread(target=finish)
    writer.start()

    def begun() -> bool:
        started.set()
        return False

    captured = look(work, cancelled=begun)
    writer.join()
    assert captured.nodes["notes.ipynb"].size == len("all of the new content")
    assert not captured.manifest.inconsistent


def test_a_save_that_never_ends_is_named(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "PATIENCE_SECONDS", 0.05)
    (work / ".~notes.ipynb").write_text("old")
    (work / "notes.ipynb").write_text("half")
    assert look(work).manifest.inconsistent == ("notes.ipynb",)


def test_a_capture_can_be_cancelled(place: Place, work: Path) -> None:
    (work / "file").write_text("x")
    with pytest.raises(Cancelled):
        place.capture(work, cancelled=lambda: True)


def test_progress_reaches_the_end(work: Path) -> None:
    (work / "a").write_bytes(b"x" * 100)
    (work / "b").write_bytes(os.urandom(5 << 20))
    seen: list[tuple[int, int]] = []
    look(work, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 100 + (5 << 20))
    assert seen[-1] == (100 + (5 << 20), 100 + (5 << 20))
    assert seen == sorted(seen)


# Databases


def test_a_database_in_use_is_captured_whole(place: Place, work: Path, tmp_path: Path) -> None:
    live = sqlite3.connect(work / "data.db")
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("PRAGMA wal_autocheckpoint=0")
    live.execute("CREATE TABLE t (x)")
    live.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(1000)])
    live.commit()
    captured = place.capture(work)
    assert set(captured.nodes) == {"data.db"}
    assert set(reasons(captured)) == {"data.db-wal", "data.db-shm"}
    assert not captured.manifest.inconsistent
    assert sqlite_rows(tmp_path, place.store.read_file(captured.nodes["data.db"])) == 1000
    # The file itself stays as it is when only the log grows.
    live.execute("INSERT INTO t VALUES (1000)")
    live.commit()
    again = place.capture(work, captured.remembered)
    assert sqlite_rows(tmp_path, place.store.read_file(again.nodes["data.db"])) == 1001
    live.close()


def test_a_database_at_rest_is_captured_byte_for_byte(place: Place, work: Path) -> None:
    live = sqlite3.connect(work / "data.db")
    live.execute("CREATE TABLE t (x)")
    live.commit()
    live.close()
    captured = place.capture(work)
    assert place.store.read_file(captured.nodes["data.db"]) == (work / "data.db").read_bytes()
    assert place.capture(work, captured.remembered).files_read == 0


def test_a_database_that_is_locked_or_broken_is_copied_as_it_is(
    place: Place, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_module, "PATIENCE_SECONDS", 0.05)
    live = sqlite3.connect(work / "locked.db", isolation_level=None)
    live.execute("CREATE TABLE t (x)")
    live.execute("BEGIN EXCLUSIVE")
    live.execute("INSERT INTO t VALUES (1)")
    (work / "broken.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 500)
    captured = place.capture(work)
    assert set(captured.manifest.inconsistent) == {"broken.db", "locked.db"}
    assert "locked.db-journal" in captured.nodes
    assert place.store.read_file(captured.nodes["broken.db"]) == (work / "broken.db").read_bytes()
    live.close()


def sqlite_rows(folder: Path, data: bytes) -> int:
    path = folder / "copy.db"
    path.write_bytes(data)
    copy = sqlite3.connect(path)
    try:
        return int(copy.execute("SELECT count(*) FROM t").fetchone()[0])
    finally:
        copy.close()


# Measuring


def test_measuring_stops_at_a_limit(work: Path) -> None:
    for folder in range(20):
        (work / f"{folder}").mkdir()
        (work / f"{folder}" / "file").write_bytes(b"x" * 100)
    with Root(work) as root:
        whole = measure(root, 1 << 30, 1000)
        assert (whole.files, whole.size, whole.more) == (20, 2000, False)
        assert measure(root, 500, 1000) == measure(root, 1 << 30, 5)
        assert measure(root, 500, 1000).more
        assert look_only(root).manifest.files == 20
