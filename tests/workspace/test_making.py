"""Files of new folders, made many at a time by threads: the same as one by one, whatever becomes of some."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.paths import to_name
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.workspace import making
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.temporaries import MARK

from .places import Place, exactly, names

FILES = 2_500
ODD = [b"caf\xe9", "日本".encode(), b"back\\slash", b"new\nline", b"-rf", b" "]


pytestmark = pytest.mark.usefixtures("made_by")


@pytest.fixture
def source(place: Place, tmp_path: Path) -> Captured:
    folder = tmp_path / "source"
    for number in range(FILES):
        path = folder / "all" / f"{number % 40}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if number % 50 == 0 else b"the same" if number % 7 == 0 else b"%d" % number * 99)
        path.chmod((0o644, 0o600, 0o755, 0o400)[number % 4])
        os.utime(path, ns=(1, 1_600_000_000_000_000_000 + number))
    (folder / "all" / "large").write_bytes(os.urandom(3 << 20))
    (folder / "all" / "one block").write_bytes(os.urandom(300_000))
    (folder / "all" / "blocks").write_bytes(os.urandom(64 * 4096))
    os.symlink("large", folder / "all" / "link")
    for name in ODD:
        (folder / "all" / os.fsdecode(name)).mkdir()
        (folder / "all" / os.fsdecode(name) / os.fsdecode(name)).write_bytes(b"odd " + name)
    for number, mode in enumerate((0o500, 0o750, 0o2775, 0o1777)):
        (folder / "all" / f"folder{number}").mkdir()
        (folder / "all" / f"folder{number}" / "in").write_text("in")
        (folder / "all" / f"folder{number}").chmod(mode)
    return place.capture(folder)


def is_same(place: Place, source: Captured, work: Path) -> bool:
    """Whether a folder holds what was captured; modes and times are part of that."""
    assert not [name for name in names(work) if OURS in name]
    return place.capture(work).manifest_id == source.manifest_id


def threads_left() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("nuvo-make")]


def test_it_is_what_was_captured(place: Place, source: Captured, work: Path) -> None:
    assert {one.outcome for one in place.restore(work, source)} == {Outcome.CREATED}
    assert is_same(place, source, work)
    assert threads_left() == []


def test_the_users_mask_takes_nothing_away(place: Place, source: Captured, work: Path) -> None:
    before = os.umask(0o077)
    try:
        place.restore(work, source)
    finally:
        os.umask(before)
    assert is_same(place, source, work)


def test_targets_that_get_the_same_get_it_from_the_spool(
    place: Place, source: Captured, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        work = tmp_path / f"work{number}"
        work.mkdir()
        with Root(work) as root:
            apply(root, place.store, exactly(source.nodes, {}), {}, spool=spool)
        assert is_same(place, source, work)
        if number == 0:
            # Whatever the store would give is not asked for any more.
            assert all(node.content == () or spool.pieces(node.content) for node in source.nodes.values())
            place.store.index.forget()
            with place.catalog.write() as connection:
                assert (
                    connection.exec_driver_sql("UPDATE blob SET length = 0 WHERE kind = 0").rowcount > 2_000
                )


def test_what_was_made_need_not_be_read_by_the_next_capture(
    place: Place, source: Captured, work: Path
) -> None:
    backup = place.capture(work)
    memory = backup.remembered
    with Root(work) as root:
        apply(
            root, place.store, exactly(source.nodes, backup.nodes), {},
            published=lambda path, seen, node: memory.remember(path, seen, node.content),
        )  # fmt: skip
    for number in range(FILES):
        path = work / "all" / f"{number % 40}" / f"{number}.txt"
        known = memory.get(f"all/{number % 40}/{number}.txt")
        assert known is not None
        assert known.seen.inode == path.stat().st_ino
        assert known.seen.ctime_ns == path.stat().st_ctime_ns


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kept", [False, True], ids=["from the store", "from the spool"])
def test_what_cannot_be_written_fails_alone(place: Place, tmp_path: Path, work: Path, kept: bool) -> None:
    folder = tmp_path / "source"
    (folder / "all").mkdir(parents=True)
    for number in range(20):
        (folder / "all" / f"{number}").write_bytes(os.urandom(100 if number != 7 else 900_000))
    source = place.capture(folder)
    backup = place.capture(work)
    spool = Spool(tmp_path) if kept else None
    if kept:
        (tmp_path / "before").mkdir()
        with Root(tmp_path / "before") as root:
            apply(root, place.store, exactly(source.nodes, {}), {}, spool=spool)
    with files_of_at_most(500_000), Root(work) as root:
        outcomes = apply(
            root, place.store, exactly(source.nodes, backup.nodes), backup.fingerprints, spool=spool
        )
    failed = [(one.path, one.detail) for one in outcomes if one.outcome is Outcome.FAILED]
    assert failed == [("all/7", "The file is larger than is allowed here.")]
    assert names(work) == {"all", *(f"all/{number}" for number in range(20) if number != 7)}


def test_damaged_content_fails_alone_and_is_named(place: Place, source: Captured, work: Path) -> None:
    node = source.nodes["all/3/3.txt"]
    place_ = place.store.index.locate([node.content[0]])[node.content[0]]
    name = place.store.index.pack_names([place_.pack_id])[place_.pack_id].hex()
    path = Path(place.store.backend.url) / "packs" / name[:2] / name
    with path.open("r+b") as pack:
        pack.seek(place_.offset + place_.length // 2)
        byte = pack.read(1)
        pack.seek(-1, os.SEEK_CUR)
        pack.write(bytes([byte[0] ^ 0x55]))
    outcomes = place.restore(work, source)
    failed = [one for one in outcomes if one.outcome is Outcome.FAILED]
    assert [one.path for one in failed] == ["all/3/3.txt"]
    assert node.content[0].hex() in failed[0].detail
    assert not (work / "all/3/3.txt").exists()


def test_cancelled_nothing_is_left_of_it(place: Place, source: Captured, work: Path) -> None:
    backup = place.capture(work)
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4

    with Root(work) as root, pytest.raises(Cancelled):
        apply(root, place.store, exactly(source.nodes, backup.nodes), {}, cancelled=cancelled)
    assert names(work) == set()
    assert threads_left() == []


def at_the_second_call(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], rows: int = 1) -> None:
    """Let somebody act once before files are made, when some have been, and while nothing else is being made."""
    real: Any = vars(making)["make_files"]
    calls = itertools.count()
    one_at_a_time = threading.Lock()

    def call(root: int, given: Any, *others: Any) -> Any:
        with one_at_a_time:
            if given and given[5] is not None and next(calls) == rows:
                act()
            return real(root, given, *others)

    monkeypatch.setattr(making, "make_files", call)


@pytest.mark.parametrize("away", ["removed", "moved"])
def test_what_is_written_out_of_sight_is_not_begun_anew_elsewhere(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    def act() -> None:
        hidden = next(path for path in work.iterdir() if OURS in path.name and path.is_dir())
        hidden.rename(work / "moved")
        if away == "removed":
            shutil.rmtree(work / "moved")

    monkeypatch.setattr(making, "MAKERS", 1)
    at_the_second_call(monkeypatch, act)
    outcomes = {one.path: one.outcome for one in place.restore(work, source)}
    assert Outcome.FAILED in outcomes.values()
    for path, outcome in outcomes.items():
        # Nothing is said to be there that is not.
        assert outcome is Outcome.FAILED or os.path.lexists(work / to_name(path)), path
    # By the mark the next change clears away what may have been moved along.
    assert [name for name in names(work) if OURS in name] == [MARK]


def test_a_folder_that_is_renamed_meanwhile_does_not_come_back(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "theirs").mkdir()
    backup = place.capture(work)
    nodes = {"theirs": backup.nodes["theirs"]}
    nodes |= {f"theirs/{path}": node for path, node in source.nodes.items()}
    at_the_second_call(monkeypatch, lambda: os.rename(work / "theirs", work / "renamed"))
    outcomes = {one.path: one.outcome for one in place.apply(work, exactly(nodes, backup.nodes), backup)}
    for path, outcome in outcomes.items():
        assert outcome is Outcome.FAILED or os.path.lexists(work / to_name(path)), path
    assert not [name for name in names(work) if OURS in name]


def test_files_belong_to_the_group_their_folders_mode_says(place: Place, tmp_path: Path, work: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to any group")
    folder = tmp_path / "source"
    (folder / "all" / "in").mkdir(parents=True)
    for number in range(2_000):
        (folder / "all" / "in" / f"{number}").write_bytes(b"x")
    source = place.capture(folder)
    os.chown(work, -1, 12_345)
    work.chmod(0o2775)
    place.restore(work, source)
    assert {path.stat().st_gid for path in (work / "all" / "in").iterdir()} == {os.getegid()}


def test_what_lies_in_a_folder_that_could_not_be_made_says_why(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Any = vars(making)["make_files"]

    def call(root: int, given: Any, *others: Any) -> Any:
        # As on a disk with no inode left.
        numbers, past = real(root, given, *others)
        if given and given[5] is None and "0" in given[1::6]:
            shutil.rmtree(next(path for path in work.iterdir() if OURS in path.name and path.is_dir()) / "0")
            numbers[4 * given[1::6].index("0")] = errno.ENOSPC
        return numbers, past

    monkeypatch.setattr(making, "make_files", call)
    outcomes = {one.path: one for one in place.restore(work, source)}
    inside = [one for path, one in outcomes.items() if path == "all/0" or path.startswith("all/0/")]
    assert len(inside) > 50
    assert {(one.outcome, one.detail) for one in inside} == {
        (Outcome.FAILED, "There is no space left on the disk.")
    }
    assert outcomes["all/1/1.txt"].outcome is Outcome.CREATED


def test_a_large_file_does_not_keep_it_from_stopping(
    place: Place, tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "source"
    (folder / "all").mkdir(parents=True)
    (folder / "all" / "large").write_bytes(os.urandom(1 << 20))
    source = place.capture(folder)
    real: Any = vars(making)["make_files"]
    reached = threading.Event()

    def call(root: int, given: Any, spool: int, past: int, stop: bytearray) -> Any:
        if given:
            # As a write that takes very long, until it is told to stop.
            reached.set()
            while not stop[0]:
                threading.Event().wait(0.001)
        return real(root, given, spool, past, stop)

    monkeypatch.setattr(making, "make_files", call)
    with Root(work) as root, pytest.raises(Cancelled):
        apply(root, place.store, exactly(source.nodes, {}), {}, cancelled=reached.is_set)
    assert names(work) == set()
