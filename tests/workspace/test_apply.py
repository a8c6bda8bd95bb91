"""Apply: every object by itself, nothing half-written, nothing of the owner's lost."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from nuvo_jupyter.model.changes import Action, Change, Outcome
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.workspace import syscalls
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured
from nuvo_jupyter.workspace.check import CHANGED, DELETED
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Root

from .places import Place, exactly, names


@pytest.fixture
def source(place: Place, tmp_path: Path) -> Captured:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("new a")
    (folder / "b").write_text("new b")
    (folder / "sub" / "c").write_text("new c")
    os.symlink("a", folder / "link")
    return place.capture(folder)


@pytest.fixture
def target(work: Path) -> Path:
    (work / "sub").mkdir()
    (work / "a").write_text("old a")
    (work / "sub" / "c").write_text("old c")
    (work / "gone").write_text("to be removed")
    (work / "old").mkdir()
    (work / "old" / "file").write_text("to be removed")
    return work


def outcomes_of(
    place: Place, folder: Path, source: Captured, backup: Captured
) -> dict[str, tuple[Outcome, str]]:
    done = place.apply(folder, exactly(source.nodes, backup.nodes), backup)
    assert not [name for name in names(folder) if OURS in name]
    return {item.path: (item.outcome, item.detail) for item in done}


def test_every_change_is_carried_out_and_reported(place: Place, source: Captured, target: Path) -> None:
    found = outcomes_of(place, target, source, place.capture(target))
    assert {path: outcome for path, (outcome, _) in found.items()} == {
        "old/file": Outcome.DELETED,
        "old": Outcome.DELETED,
        "gone": Outcome.DELETED,
        "a": Outcome.REPLACED,
        "b": Outcome.CREATED,
        "link": Outcome.CREATED,
        "sub/c": Outcome.REPLACED,
    }
    assert names(target) == {"a", "b", "link", "sub", "sub/c"}
    assert (target / "a").read_text() == "new a"


def test_applying_twice_gives_the_same(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    first = outcomes_of(place, target, source, backup)
    assert outcomes_of(place, target, source, backup) == first
    assert names(target) == {"a", "b", "link", "sub", "sub/c"}


def test_without_the_renames_of_linux_it_works_as_well(
    place: Place, source: Captured, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syscalls, "_function", lambda name: None)
    backup = place.capture(target)
    found = outcomes_of(place, target, source, backup)
    assert {Outcome.CREATED, Outcome.REPLACED, Outcome.DELETED} == {outcome for outcome, _ in found.values()}
    assert outcomes_of(place, target, source, backup) == found
    assert names(target) == {"a", "b", "link", "sub", "sub/c"}


# Edits after the backup


def test_an_edit_after_the_backup_is_kept(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    (target / "a").write_text("mine a")
    (target / "b").write_text("mine b")
    (target / "gone").write_text("still needed")
    (target / "sub" / "c").unlink()
    found = outcomes_of(place, target, source, backup)
    assert found["a"] == (Outcome.CONFLICT, CHANGED)
    assert found["b"][0] is Outcome.CONFLICT
    assert found["gone"] == (Outcome.CONFLICT, CHANGED)
    assert found["sub/c"] == (Outcome.CONFLICT, DELETED)
    assert found["old"][0] is Outcome.DELETED
    assert [(target / name).read_text() for name in ("a", "b", "gone")] == [
        "mine a",
        "mine b",
        "still needed",
    ]


def test_an_edit_that_keeps_size_and_time_is_kept(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    before = (target / "a").stat()
    (target / "a").write_text("OLD A")
    os.utime(target / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert outcomes_of(place, target, source, backup)["a"] == (Outcome.CONFLICT, CHANGED)
    assert (target / "a").read_text() == "OLD A"


def test_a_touched_file_is_no_edit(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    os.utime(target / "a")
    assert outcomes_of(place, target, source, backup)["a"][0] is Outcome.REPLACED


def test_an_edit_in_the_last_moment_is_swapped_back(
    place: Place, source: Captured, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited: list[str] = []

    def edit_first(folder: int, temporary: str, to: int, name: str) -> bool:
        if name == "a" and not edited:
            edited.append(name)
            (target / "a").write_text("typed just now")
        return syscalls.exchange(folder, temporary, to, name)

    monkeypatch.setattr("nuvo_jupyter.workspace.publish.exchange", edit_first)
    assert outcomes_of(place, target, source, place.capture(target))["a"] == (Outcome.CONFLICT, CHANGED)
    assert (target / "a").read_text() == "typed just now"


def test_something_new_in_a_removed_folder_keeps_the_folder(
    place: Place, source: Captured, target: Path
) -> None:
    backup = place.capture(target)
    (target / "old" / "new").write_text("mine")
    found = outcomes_of(place, target, source, backup)
    assert found["old/file"][0] is Outcome.DELETED
    assert found["old"][0] is Outcome.KEPT
    assert (target / "old" / "new").read_text() == "mine"


def test_a_file_made_where_a_folder_is_to_come(place: Place, source: Captured, work: Path) -> None:
    backup = place.capture(work)
    (work / "sub").write_text("mine")
    (work / "a").mkdir()
    found = outcomes_of(place, work, source, backup)
    assert found["sub"][0] is Outcome.CONFLICT
    assert found["sub/c"][0] is Outcome.FAILED
    assert found["a"][0] is Outcome.CONFLICT
    assert found["b"][0] is Outcome.CREATED
    assert (work / "sub").read_text() == "mine"


def test_a_file_linked_elsewhere_is_replaced_not_written_through(
    place: Place, source: Captured, target: Path, tmp_path: Path
) -> None:
    os.link(target / "a", tmp_path / "elsewhere")
    assert outcomes_of(place, target, source, place.capture(target))["a"][0] is Outcome.REPLACED
    assert (tmp_path / "elsewhere").read_text() == "old a"


def test_links_in_the_way_are_replaced_not_followed(
    place: Place, source: Captured, work: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("untouched")
    os.symlink(outside / "file", work / "a")
    os.symlink(outside, work / "sub")
    outcomes_of(place, work, source, place.capture(work))
    assert (work / "a").read_text() == "new a"
    assert not (work / "a").is_symlink()
    assert (work / "sub" / "c").read_text() == "new c"
    assert names(outside) == {"file"}
    assert (outside / "file").read_text() == "untouched"


def test_a_folder_turned_into_a_link_after_the_backup_is_not_entered(
    place: Place, source: Captured, target: Path, tmp_path: Path
) -> None:
    backup = place.capture(target)
    outside = tmp_path / "outside"
    os.rename(target / "sub", outside)
    os.symlink(outside, target / "sub")
    found = outcomes_of(place, target, source, backup)
    assert found["sub/c"][0] is Outcome.FAILED
    assert "link" in found["sub/c"][1]
    assert (outside / "c").read_text() == "old c"


# Paths nobody should send


@pytest.mark.parametrize(
    "path", ["../escaped", "/etc/escaped", "a/../../escaped", "", "sub/.", "\\x2e\\x2e/escaped"]
)
@pytest.mark.parametrize("action", [Action.PUT, Action.REMOVE])
def test_a_path_that_leaves_the_workspace_fails(
    place: Place, target: Path, path: str, action: Action
) -> None:
    before = names(target.parent)
    node = Node(NodeKind.FILE)
    change = Change(
        path, Outcome.CREATED, action, path, node, b"evil", node if action is Action.REMOVE else None
    )
    with Root(target) as root:
        [outcome] = apply(root, place.store, [change], {})
    assert outcome.outcome is Outcome.FAILED
    assert outcome.detail
    assert names(target.parent) == before


# Content


def test_content_of_a_merge_is_written(place: Place, target: Path) -> None:
    backup = place.capture(target)
    node = Node(NodeKind.FILE, 0o640)
    change = Change("a", Outcome.MERGED, Action.PUT, "a", node, b"merged", backup.nodes["a"])
    assert [item.outcome for item in place.apply(target, [change], backup)] == [Outcome.MERGED]
    assert (target / "a").read_bytes() == b"merged"
    assert (target / "a").stat().st_mode & 0o777 == 0o640


def test_damaged_content_fails_only_its_object(place: Place, target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a").write_text("new a")
    (folder / "b").write_text("new b")
    (folder / "gone").mkdir()
    (folder / "gone" / "x").write_text("new")
    captured = place.capture(folder)
    missing = Node(NodeKind.FILE, size=5, content=(b"\0" * 32,))
    large = Node(NodeKind.FILE, size=5, content=(b"\0" * 32, b"\1" * 32))
    lying = Node(NodeKind.FILE, size=99, content=captured.nodes["a"].content)
    captured.nodes = {**captured.nodes, "a": missing, "large": large, "lying": lying}
    found = outcomes_of(place, target, captured, place.capture(target))
    assert {path for path, (outcome, _) in found.items() if outcome is Outcome.FAILED} == {
        "a",
        "large",
        "lying",
    }
    assert "missing" in found["a"][1]
    assert (target / "a").read_text() == "old a"
    assert (target / "b").read_text() == "new b"
    assert (target / "gone" / "x").read_text() == "new"


def test_what_should_make_room_stays_if_nothing_comes(place: Place, target: Path) -> None:
    backup = place.capture(target)
    missing = Node(NodeKind.FILE, size=5, content=(b"\0" * 32,))
    done = place.apply(target, exactly({"old": missing}, backup.nodes), backup)
    found = {(item.path, item.outcome) for item in done}
    assert ("old/file", Outcome.KEPT) in found
    assert ("old", Outcome.KEPT) in found
    assert ("old", Outcome.FAILED) in found
    assert (target / "old" / "file").read_text() == "to be removed"


def test_attributes_of_the_replaced_file_stay(place: Place, source: Captured, target: Path) -> None:
    try:
        os.setxattr(target / "a", "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    outcomes_of(place, target, source, place.capture(target))
    assert (target / "a").read_text() == "new a"
    assert os.getxattr(target / "a", "user.note") == b"mine"


def test_a_replaced_database_loses_its_log(place: Place, target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    new = sqlite3.connect(folder / "data.db")
    new.execute("CREATE TABLE fresh (x)")
    new.commit()
    new.close()
    captured = place.capture(folder)
    live = sqlite3.connect(target / "data.db")
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("CREATE TABLE mine (x)")
    live.commit()
    backup = place.capture(target)
    assert outcomes_of(place, target, captured, backup)["data.db"][0] is Outcome.REPLACED
    live.close()
    assert not {"data.db-wal", "data.db-shm"} & names(target)
    found = sqlite3.connect(target / "data.db")
    assert found.execute("SELECT name FROM sqlite_master").fetchall() == [("fresh",)]
    found.close()
    place.restore(target, backup)
    found = sqlite3.connect(target / "data.db")
    assert found.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    found.close()


def test_a_database_changed_after_the_backup_is_kept_with_its_log(
    place: Place, source: Captured, target: Path
) -> None:
    live = sqlite3.connect(target / "data.db", isolation_level=None)
    live.execute("PRAGMA journal_mode=WAL")
    live.execute("CREATE TABLE mine (x)")
    backup = place.capture(target)
    live.execute("INSERT INTO mine VALUES (1)")
    assert outcomes_of(place, target, source, backup)["data.db"] == (Outcome.CONFLICT, CHANGED)
    live.close()
    found = sqlite3.connect(target / "data.db")
    assert found.execute("SELECT * FROM mine").fetchall() == [(1,)]
    found.close()


# Stopping and cleaning


def test_cancelling_changes_nothing(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    before = names(target)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 4

    with Root(target) as root, pytest.raises(Cancelled):
        apply(
            root, place.store, exactly(source.nodes, backup.nodes), backup.fingerprints, cancelled=cancelled
        )
    assert names(target) == before
    assert place.capture(target).manifest_id == backup.manifest_id


def test_progress_reaches_the_end(place: Place, source: Captured, target: Path) -> None:
    backup = place.capture(target)
    seen: list[tuple[int, int]] = []
    with Root(target) as root:
        apply(
            root, place.store, exactly(source.nodes, backup.nodes), backup.fingerprints,
            progress=lambda done, total: seen.append((done, total)),
        )  # fmt: skip
    assert seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen)
