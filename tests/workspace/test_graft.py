"""New folders: written out of sight, shown whole, and taken apart where something has appeared in their place."""

from __future__ import annotations

import errno
import gc
import os
import signal
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.model.errors import Cancelled, StorageFull
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.workspace import durable, making, syscalls
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured
from nuvo_jupyter.workspace.check import APPEARED
from nuvo_jupyter.workspace.graft import Grafting
from nuvo_jupyter.workspace.publish import Publishing
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.temporaries import MARK

from .places import Place, exactly, names

ALL = {"new", "new/a", "new/b", "new/in", "new/in/c", "new/in/deep", "new/in/deep/d", "new/link", "new/none"}


pytestmark = pytest.mark.usefixtures("made_by")


@pytest.fixture
def source(place: Place, tmp_path: Path) -> Captured:
    folder = tmp_path / "source"
    (folder / "new" / "in" / "deep").mkdir(parents=True)
    (folder / "new" / "none").mkdir()
    for name in ("a", "b", "in/c", "in/deep/d"):
        (folder / "new" / name).write_text(f"new {name}")
    (folder / "new" / "b").write_bytes(b"")
    os.symlink("a", folder / "new" / "link")
    return place.capture(folder)


def applied(place: Place, work: Path, source: Captured, backup: Captured | None = None) -> dict[str, Outcome]:
    backup = backup or place.capture(work)
    done = place.apply(work, exactly(source.nodes, backup.nodes), backup)
    assert not [name for name in names(work) if OURS in name]
    return {item.path: item.outcome for item in done}


def before_showing(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let somebody act when all is written, and nothing visible yet."""
    real = Grafting.show

    def show(*arguments: object) -> None:
        act()
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Grafting, "show", show)


def test_a_new_folder_appears_whole(place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    there: list[set[str]] = []
    before_showing(monkeypatch, lambda: there.append({name.split("/")[0] for name in names(work)}))
    assert set(applied(place, work, source).values()) == {Outcome.CREATED}
    assert names(work) == ALL
    assert [name for found in there for name in found if not name.startswith(OURS)] == []
    assert place.capture(work).manifest_id == source.manifest_id
    assert (work / "new" / "in" / "deep" / "d").read_text() == "new in/deep/d"


def test_nothing_of_it_waits_for_a_search_for_garbage(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Grafting]] = []
    real = Grafting.__init__

    def begin(self: Grafting, *arguments: object) -> None:
        made.append(weakref.ref(self))
        real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Grafting, "__init__", begin)
    gc.disable()
    try:
        applied(place, work, source)
        assert [one() for one in made] == [None]
    finally:
        gc.enable()


@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_modes_are_those_of_the_source_whatever_the_mask(place: Place, tmp_path: Path, work: Path, mask: int) -> None:  # fmt: skip
    folder = tmp_path / "source"
    (folder / "new" / "in").mkdir(parents=True)
    for mode in (0o644, 0o600, 0o755, 0o444, 0o666):
        (folder / "new" / "in" / f"{mode:o}").write_text("x")
        (folder / "new" / "in" / f"{mode:o}").chmod(mode)
    (folder / "new" / "in").chmod(0o555)
    (folder / "new").chmod(0o770)
    source = place.capture(folder)
    old = os.umask(mask)
    try:
        applied(place, work, source)
    finally:
        os.umask(old)
    assert place.capture(work).manifest_id == source.manifest_id
    (work / "new" / "in").chmod(0o755)
    (folder / "new" / "in").chmod(0o755)


def test_the_same_folder_made_meanwhile_keeps_what_is_in_it(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> None:
        (work / "new" / "in").mkdir(parents=True)
        (work / "new" / "a").write_text("mine")
        (work / "new" / "in" / "own").write_text("mine")

    before_showing(monkeypatch, make)
    found = applied(place, work, source)
    assert found.pop("new/a") is Outcome.CONFLICT
    assert set(found.values()) == {Outcome.CREATED}
    assert names(work) == ALL | {"new/in/own"}
    assert (work / "new" / "a").read_text() == "mine"
    assert (work / "new" / "in" / "c").read_text() == "new in/c"


def test_a_file_made_in_its_place_meanwhile_is_kept(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> None:
        (work / "new").write_text("mine")

    before_showing(monkeypatch, make)
    backup = place.capture(work)
    done = place.apply(work, exactly(source.nodes, backup.nodes), backup)
    found = {item.path: (item.outcome, item.detail) for item in done}
    assert found.pop("new") == (Outcome.CONFLICT, APPEARED)
    assert {outcome for outcome, _ in found.values()} == {Outcome.FAILED}
    assert names(work) == {"new"}
    assert (work / "new").read_text() == "mine"


def test_a_link_put_in_its_place_meanwhile_is_not_followed(
    place: Place, source: Captured, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    before_showing(monkeypatch, lambda: os.symlink(outside, work / "new"))
    assert Outcome.CREATED not in applied(place, work, source).values()
    assert names(outside) == set()


def test_a_link_planted_where_it_is_written_leads_nowhere(
    place: Place, source: Captured, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    real: Any = vars(making)["make_files"]

    def plant(root: int, rows: Any, *others: Any) -> Any:
        if rows[5] is not None:
            # The folders are there, and files follow.
            hidden = next(path for path in work.iterdir() if OURS in path.name and path.is_dir())
            (hidden / "in").rename(tmp_path / "aside")
            (hidden / "in").symlink_to(outside)
        return real(root, rows, *others)

    backup = place.capture(work)
    monkeypatch.setattr(making, "make_files", plant)
    found = applied(place, work, source, backup)
    assert found["new/in/c"] is Outcome.FAILED
    assert found["new/a"] is Outcome.CREATED
    assert names(outside) == set()


def test_damaged_content_fails_alone(place: Place, source: Captured, work: Path) -> None:
    missing = Node(NodeKind.FILE, size=5, content=(b"\0" * 32,))
    large = Node(NodeKind.FILE, size=5, content=(b"\0" * 32, b"\1" * 32))
    source.nodes = dict(sorted({**source.nodes, "new/in/c": missing, "new/large": large}.items()))
    found = applied(place, work, source)
    assert {path for path, outcome in found.items() if outcome is Outcome.FAILED} == {"new/in/c", "new/large"}
    assert names(work) == ALL - {"new/in/c"}


def test_without_what_linux_has_it_works_as_well(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syscalls, "_function", lambda name: None)
    assert set(applied(place, work, source).values()) == {Outcome.CREATED}
    assert place.capture(work).manifest_id == source.manifest_id


@pytest.mark.parametrize("asked", range(1, 12))
def test_cancelled_before_it_appears_nothing_is_left(
    place: Place, source: Captured, work: Path, asked: int
) -> None:
    backup = place.capture(work)
    left = [asked]

    def cancelled() -> bool:
        left[0] -= 1
        return left[0] < 0

    try:
        with Root(work) as root:
            apply(root, place.store, exactly(source.nodes, {}), backup.fingerprints, cancelled=cancelled)
    except Cancelled:
        assert names(work) == set()
    else:
        assert names(work) == ALL


def test_what_the_disk_says_while_more_is_written_is_not_forgotten(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[int] = []

    def full_once(fd: int) -> bool:
        said.append(fd)
        if len(said) == 1:
            raise OSError(errno.ENOSPC, "full")
        return True

    monkeypatch.setattr(durable, "EARLY_FILES", 1)
    monkeypatch.setattr(durable, "sync_file_system", full_once)
    backup = place.capture(work)
    with pytest.raises(StorageFull):
        place.apply(work, exactly(source.nodes, {}), backup)
    assert names(work) == set()


# Killed


def killed_before(place: Place, work: Path, source: Captured, owner: type, method: str) -> None:
    """Apply in a process that is killed (SIGKILL) when it comes to a step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        setattr(owner, method, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        with Root(work) as root:
            apply(root, place.store, exactly(source.nodes, {}), {})
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def test_killed_before_it_appears_what_was_hidden_is_swept(place: Place, source: Captured, work: Path) -> None:  # fmt: skip
    backup = place.capture(work)
    killed_before(place, work, source, Grafting, "show")
    left = names(work)
    assert {name for name in left if "/" not in name} == {name for name in left if "/" not in name and OURS in name}  # fmt: skip
    assert any(name.endswith("in/deep/d") for name in left)
    # Nobody takes it for the owner's.
    assert place.capture(work).manifest_id == backup.manifest_id
    assert set(applied(place, work, source, backup).values()) == {Outcome.CREATED}
    assert names(work) == ALL


def test_killed_after_it_appeared_the_next_run_finds_it_done(place: Place, source: Captured, work: Path) -> None:  # fmt: skip
    backup = place.capture(work)
    killed_before(place, work, source, Publishing, "sync_folders")
    assert names(work) >= ALL
    assert set(applied(place, work, source, backup).values()) == {Outcome.CREATED}
    assert names(work) == ALL
    assert place.capture(work).manifest_id == source.manifest_id


def test_what_a_killed_run_left_is_swept_links_not_followed(
    place: Place, source: Captured, work: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    hidden = work / "sub" / f"{OURS}0123456789abcdef00000000"
    (hidden / "deep").mkdir(parents=True)
    (hidden / "deep" / "file").write_text("half")
    os.symlink(outside, hidden / "deep" / "link")
    (work / MARK).write_text("")
    backup = place.capture(work)
    assert "sub" in backup.nodes
    source.nodes = {path: node for path, node in source.nodes.items() if path != "new/none"}
    applied(place, work, source, backup)
    assert not hidden.exists()
    assert (outside / "file").read_text() == "untouched"
