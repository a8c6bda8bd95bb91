"""Files made by several processes: the same as by one, whatever becomes of the processes."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nuvo_jupyter.model.changes import Outcome
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.workspace.apply import apply
from nuvo_jupyter.workspace.capture import Captured
from nuvo_jupyter.workspace.parallel import children
from nuvo_jupyter.workspace.parallel.children import Children
from nuvo_jupyter.workspace.parallel.messages import Make
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Root

from .places import Place, exactly, names

FILES = 2_500
ODD = [b"caf\xe9", "日本".encode(), b"back\\slash", b"new\nline", b"-rf", b" "]


@pytest.fixture(autouse=True)
def always_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "how_many", lambda files, _: 2 if files else 0)


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
    os.symlink("large", folder / "all" / "link")
    for name in ODD:
        (folder / "all" / os.fsdecode(name)).write_bytes(b"odd " + name)
    return place.capture(folder)


def is_same(place: Place, source: Captured, work: Path) -> bool:
    """Whether a folder holds what was captured; modes and times are part of that."""
    assert not [name for name in names(work) if OURS in name]
    return place.capture(work).manifest_id == source.manifest_id


def processes_below() -> set[int]:
    """Processes that this one has started and not waited for."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def test_it_is_as_if_one_had_made_them(place: Place, source: Captured, work: Path) -> None:
    before = processes_below()
    assert {one.outcome for one in place.restore(work, source)} == {Outcome.CREATED}
    assert is_same(place, source, work)
    assert processes_below() == before


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
        # Not readable for anybody: a capture that read them would say so.
        known = memory.get(f"all/{number % 40}/{number}.txt")
        assert known is not None
        assert known.seen.inode == path.stat().st_ino
        assert known.seen.ctime_ns == path.stat().st_ctime_ns


@pytest.mark.parametrize("victims", [1, 2])
def test_a_process_that_dies_is_replaced_by_this_one(
    place: Place, source: Captured, work: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, victims: int
) -> None:  # fmt: skip
    real = Children.take
    killed: list[int] = []

    def take(self: Children[object]) -> object:
        for child in self._children[:victims] if not killed else ():
            os.kill(child.process.pid, signal.SIGKILL)
            killed.append(child.process.pid)
        return real(self)

    monkeypatch.setattr(Children, "take", take)
    with caplog.at_level(logging.WARNING):
        outcomes = place.restore(work, source)
    assert len(killed) == victims
    assert "ended with -9" in caplog.text
    assert {one.outcome for one in outcomes} == {Outcome.CREATED}
    assert is_same(place, source, work)


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [(sys, "executable", "/nowhere/python"), (children, "_BOOT", "raise SystemExit(3)")],
    ids=["none can be started", "each fails at once"],
)
def test_where_there_are_no_processes_this_one_makes_them(
    place: Place,
    source: Captured,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    value: str,
) -> None:
    monkeypatch.setattr(owner, name, value)
    assert {one.outcome for one in place.restore(work, source)} == {Outcome.CREATED}
    assert is_same(place, source, work)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_written_fails_alone(place: Place, tmp_path: Path, work: Path) -> None:
    folder = tmp_path / "source"
    (folder / "all").mkdir(parents=True)
    for number in range(20):
        (folder / "all" / f"{number}").write_bytes(os.urandom(100 if number != 7 else 900_000))
    source = place.capture(folder)
    backup = place.capture(work)
    with files_of_at_most(500_000):
        outcomes = place.apply(work, exactly(source.nodes, backup.nodes), backup)
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

    before = processes_below()
    with Root(work) as root, pytest.raises(Cancelled):
        apply(root, place.store, exactly(source.nodes, backup.nodes), {}, cancelled=cancelled)
    assert names(work) == set()
    assert processes_below() == before


ORPHAN = """
import os, sys
from nuvo_jupyter.workspace.parallel.children import Children
from nuvo_jupyter.workspace.parallel.messages import Make
with Children(os.open(sys.argv[1], os.O_RDONLY), 1) as children:
    children.give(0, Make({}, []))
    children.take()
    children.give(1, Make({}, [("", [(f"{n}", 0o644, 0, 0, b"") for n in range(1_000_000)])]))
    print(children._children[0].process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_process_does_not_outlive_who_started_it(work: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, work], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    until = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < until
    assert len(os.listdir(work)) < 1_000_000


def test_more_may_be_said_both_ways_than_fits_on_the_way(work: Path) -> None:
    long = [
        ("gone" + "x" * 240, [(f"{number:05d}" + "y" * 200, 0o644, 0, 0, b"") for number in range(4_000)])
    ]
    with Root(work) as root, Children[int](root.fd, 1) as some:
        for number in range(6):
            some.give(number, Make({}, long))
        results = [some.take() for _ in range(6)]
    assert [key for key, _ in results] == list(range(6))
    assert {len(made.files) for _, made in results if made is not None} == {4_000}


def test_many_open_files_are_no_hindrance(work: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2_000), hard), hard))
    held = [os.open(work, os.O_RDONLY) for _ in range(1_100)]
    try:
        with Root(work) as root, Children[int](root.fd, 1) as some:
            assert some._children[0].channel.fileno() > 1_023
            some.give(0, Make({}, [("", [("x", 0o644, 0, 0, b"")])]))
            assert some.take()[0] == 0
        assert (work / "x").exists()
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_all_have_died_nobody_waits_for_them(work: Path) -> None:
    with Root(work) as root, Children[int](root.fd, 2) as some:
        for child in some._children:
            child.process.kill()
            child.process.wait()
        for number in range(5):
            while some.busy:
                assert some.take()[1] is None
            some.give(number, Make({}, []))
        while some.pending:
            assert some.take()[1] is None
        assert not some.any
        assert not some.busy


def test_orders_come_back_with_what_came_of_them(work: Path) -> None:
    (work / "in").mkdir()
    with Root(work) as root, Children[int](root.fd, 2) as some:
        for number in range(20):
            while some.busy:
                some.take()
            mode = 0o600 if number else 0o640
            some.give(
                number,
                Make({}, [("in", [(f"{number}", mode, 5, 0, b"")]), ("gone", [("x", 0o644, 0, 0, b"")])]),
            )
        last = {}
        while some.pending:
            key, made = some.take()
            last[key] = made
    assert len(os.listdir(work / "in")) == 20
    assert (work / "in" / "0").stat().st_mode & 0o777 == 0o640
    for made in last.values():
        assert made is not None
        assert made.count == 1
        assert isinstance(made.files[0], tuple)
        assert made.files[1] == "No such file or directory."
