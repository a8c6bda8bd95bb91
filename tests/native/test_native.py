"""What is compiled does what the same in Python does; to the last bit, and whatever it is given."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuvo_jupyter import native
from nuvo_jupyter.model.paths import from_name
from nuvo_jupyter.native import plain
from nuvo_jupyter.workspace import capture, scan, sink
from nuvo_jupyter.workspace.capture import look_at
from nuvo_jupyter.workspace.content import CLOSER_LOOK
from nuvo_jupyter.workspace.record import WIDTH, text_of, unpack_rows
from nuvo_jupyter.workspace.safe import READ_FLAGS, Root

WAYS = {"compiled": native.read_files, "plain": plain.read_files}
EDGES = [0, 1, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 4097, 8191, 8192, 65_537]


def test_it_was_compiled() -> None:
    if shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").is_file():
        assert "CI" not in os.environ
        pytest.skip("no C compiler, or no headers of Python")
    assert native.IS_COMPILED


# Hashing


def compiled_hash(datas: list[bytes | bytearray | memoryview]) -> list[bytes]:
    if not native.IS_COMPILED:
        return plain.hash_many(datas)
    return native._native.hash_many(datas)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 30])
def test_hashes_are_those_of_the_library_at_every_edge(count: int) -> None:
    data = os.urandom(70_000)
    for size in EDGES:
        datas: list[Any] = [memoryview(data)[at : at + size] for at in range(count)]
        assert compiled_hash(datas) == [blake3(one).digest() for one in datas]


@given(st.lists(st.integers(0, 12_000), max_size=40), st.randoms(use_true_random=False))
def test_hashes_are_those_of_the_library(sizes: list[int], random: Any) -> None:
    datas: list[Any] = [random.randbytes(size) for size in sizes]
    assert compiled_hash(datas) == [blake3(one).digest() for one in datas]
    assert native.hash_many(datas) == compiled_hash(datas)


def test_hashing_takes_only_buffers() -> None:
    for wrong in (["text"], [b"", 3], 5, [memoryview(bytes(8))[::2]]):
        with pytest.raises((TypeError, BufferError)):
            compiled_hash(wrong)  # type: ignore[arg-type]


# Listing

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    names=st.sets(NAMES, max_size=30),
    times=st.lists(st.integers(-(2**31), 2**33), min_size=30, max_size=30),
    sizes=st.lists(st.sampled_from([0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**32 + 5]), min_size=30, max_size=30),
)  # fmt: skip
def test_a_folder_is_listed_as_python_lists_it(
    tmp_path: Path, names: set[str], times: list[int], sizes: list[int]
) -> None:
    folder = tmp_path / "listed"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, when, size in zip(names, times, sizes, strict=False):
        path = folder / name
        if name in {".", ".."} or len(os.fsencode(name)) > 255:
            continue
        if size == 127:
            path.mkdir(exist_ok=True)
        elif size == 255:
            os.symlink("elsewhere", path)
        else:
            path.touch()
            os.truncate(path, size)
            os.utime(path, ns=(0, when * 1_000_000_000 + 123))
    same(folder)


def same(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        # Each begins where it finds the descriptor.
        first = scan._listed(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        assert (native.list_folder(fd) or scan._listed(fd)) == first
        assert (native.list_folder(fd) or scan._listed(fd)) == first
    finally:
        os.close(fd)


def test_many_files_special_ones_and_long_names_are_listed(tmp_path: Path) -> None:
    for number in range(12_000):
        (tmp_path / f"{number}").touch()
    for length in (1, 31, 32, 254, 255):
        (tmp_path / ("n" * length)).touch()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        same(tmp_path)


def test_names_that_are_no_text_are_left_to_python(tmp_path: Path) -> None:
    for wrong in (
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"a\x80",
    ):
        path = os.path.join(os.fsencode(tmp_path), wrong)
        with open(path, "wb"):
            pass
        fd = os.open(tmp_path, os.O_RDONLY)
        assert native.list_folder(fd) is None
        assert [text_of(name) for name in unpack_rows(scan._listed(fd)[0])[::WIDTH]] == [
            from_name(os.fsdecode(wrong))
        ]
        os.close(fd)
        os.unlink(path)


def test_what_cannot_be_listed_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    if native.IS_COMPILED:
        with pytest.raises(NotADirectoryError):
            native.list_folder(fd)
        with pytest.raises(OSError, match="descriptor"):
            native.list_folder(-1)
    os.close(fd)


# Reading


@pytest.fixture(params=WAYS)
def read(request: pytest.FixtureRequest) -> Callable[..., tuple[int, int, list[int]]]:
    return WAYS[request.param]


def rows_of(folder: Path) -> tuple[int, list[Any]]:
    fd = os.open(folder, os.O_RDONLY)
    rows: list[Any] = unpack_rows(scan._listed(fd)[0])
    return fd, rows


def test_files_are_read_one_behind_the_other(read: Any, tmp_path: Path) -> None:
    contents = {f"{number}": os.urandom(number * 7 % 400) for number in range(600)}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    fd, rows = rows_of(tmp_path)
    wanted = list(range(len(contents)))
    room, used, first, calls = bytearray(1 << 20), 0, 0, 0
    while first < len(wanted):
        first, used, refused = read(fd, rows, wanted, first, room, used, READ_FLAGS, CLOSER_LOOK)
        assert refused == []
        calls += 1
    assert calls > 1
    assert room[:used] == b"".join(contents[rows[at * WIDTH]] for at in wanted)
    os.close(fd)


def test_what_is_not_as_it_was_seen_is_refused(read: Any, tmp_path: Path) -> None:
    for name in ("grown", "same size", "gone", "a link now", "forbidden kind", "good", "also good"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "a database").write_bytes(b"SQLite format 3\0 and more")
    (tmp_path / "another").write_bytes(b"\0" * 8 + b"DUCK and more")
    fd, rows = rows_of(tmp_path)
    (tmp_path / "grown").write_bytes(b"123456")
    (tmp_path / "same size").write_bytes(b"54321")
    for name in ("gone", "a link now", "forbidden kind"):
        (tmp_path / name).unlink()
    (tmp_path / "a link now").symlink_to("good")
    os.mkfifo(tmp_path / "forbidden kind")
    wanted = list(range(len(rows) // WIDTH))
    room = bytearray(1000)
    first, used, refused = read(fd, rows, wanted, 0, room, 7, READ_FLAGS, CLOSER_LOOK)
    names = {rows[at * WIDTH] for at in refused}
    assert set(rows[::WIDTH]) - names == {"good", "also good"}
    assert (first, used, room[:used]) == (len(wanted), 17, bytearray(7) + b"1234512345")
    os.close(fd)


def test_what_does_not_fit_is_left_for_the_next_room(read: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 100)
    (tmp_path / "b").write_bytes(b"b" * 100)
    fd, rows = rows_of(tmp_path)
    room = bytearray(150)
    assert read(fd, rows, [0, 1], 0, room, 0, READ_FLAGS, ()) == (1, 100, [])
    assert read(fd, rows, [0, 1], 1, room, 100, READ_FLAGS, ()) == (1, 100, [])
    assert read(fd, rows, [0, 1], 1, room, 50, READ_FLAGS, ()) == (2, 150, [])
    os.close(fd)


@pytest.mark.skipif(not native.IS_COMPILED, reason="there is no compiled module")
def test_wrong_arguments_are_errors_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 100)
    fd, rows = rows_of(tmp_path)
    room = bytearray(150)
    read: Any = native.read_files
    good: list[Any] = [fd, rows, [0], 0, room, 0, READ_FLAGS, ()]
    wrong: list[tuple[int, Any]] = [
        (1, tuple(rows)), (1, []), (1, [5] * WIDTH), (1, ["a", "b", 0, 0, 0, 0]), (1, ["\udcff", 0, 0, 0, 0, 0]),
        (2, [1]), (2, [-1]), (2, ["0"]), (2, (0,)), (3, -1), (4, bytes(5)), (4, None), (5, -1), (5, 151),
        (7, ((0, b"x"),) * 5), (7, (("0", b"x"),)), (7, [(0, b"x")]), (7, ((-1, b"x"),)), (7, (0,)),
    ]  # fmt: skip
    for place, value in wrong:
        with pytest.raises((TypeError, ValueError, IndexError, OverflowError)):
            read(*[*good[:place], value, *good[place + 1 :]])
    # Numbers beyond 64 bits are no error, but not for the compiled one.
    assert read(fd, ["a", 1, 2**63, 0, 0, 0], [0], 0, room, 0, READ_FLAGS, ()) == (1, 0, [0])
    # A mark that begins or ends behind the file is not in it.
    assert read(*good[:7], ((90, b"a" * 11), (200, b"a")))[2] == []
    assert read(*good) == (1, 100, [])
    os.close(fd)


def test_what_holds_more_than_its_size_says_is_refused(read: Any, tmp_path: Path) -> None:
    # As on file systems that do not know how much there is before it is read.
    fd = os.open("/proc/self", os.O_RDONLY)
    rows: list[Any] = ["status", *scan.seen_of(os.stat("status", dir_fd=fd))]
    assert rows[1] == 0
    assert read(fd, rows, [0], 0, bytearray(100), 0, READ_FLAGS, ()) == (1, 0, [0])
    os.close(fd)


def test_times_beyond_64_bits_are_left_to_python(read: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    os.utime(tmp_path / "a", (10**10, 10**10))
    fd, rows = rows_of(tmp_path)
    if rows[2] != 10**19:
        pytest.skip("the file system has no such times")
    assert native.list_folder(fd) is None
    assert read(fd, rows, [0], 0, bytearray(10), 0, READ_FLAGS, ())[2] in ([], [0])
    os.close(fd)
    with Root(tmp_path) as root:
        assert look_at(root).nodes["a"].mtime_ns == 10**19


@pytest.mark.parametrize("says", ["", "INTERFACE=0"])
def test_a_module_of_another_interface_is_not_used(says: str) -> None:
    program = (
        "import sys, types\n"
        f"sys.modules['nuvo_jupyter.native._native'] = types.SimpleNamespace({says})\n"
        "from nuvo_jupyter import native; print(native.IS_COMPILED, native.read_files.__module__)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["False", "nuvo_jupyter.native.plain"]


def test_the_room_cannot_shrink_while_it_is_read_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a" * 100)
    fd, rows = rows_of(tmp_path)
    room = bytearray(1 << 20)
    stop = threading.Event()
    failed: list[BaseException] = []

    def shrink() -> None:
        while not stop.is_set():
            try:
                room.pop()
                room.append(0)
            except BufferError:
                continue
            except BaseException as error:
                failed.append(error)
                return

    other = threading.Thread(target=shrink)
    other.start()
    at = next(at for at in range(len(rows) // WIDTH) if rows[at * WIDTH] == "a")
    for _ in range(300):
        assert native.read_files(fd, rows, [at], 0, room, 0, READ_FLAGS, ())[1] == 100
    stop.set()
    other.join()
    assert failed == []
    os.close(fd)


# Both ways through all of a capture


def test_a_capture_is_the_same_without_what_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(900):
        path = tmp_path / f"{number % 30}" / f"é {number}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.urandom(number * 31 % 9000) if number % 9 else b"")
    (tmp_path / os.fsdecode(b"odd \xff")).write_bytes(b"odd")
    (tmp_path / "large").write_bytes(os.urandom(3 << 20))
    (tmp_path / "link").symlink_to("large")
    with Root(tmp_path) as root:
        compiled = look_at(root)
        for module, name in ((scan, "list_folder"), (capture, "read_files"), (sink, "hash_many")):
            monkeypatch.setattr(module, name, getattr(plain, name))
        by_hand = look_at(root)
    assert by_hand.manifest_id == compiled.manifest_id
    assert (by_hand.files_read, by_hand.bytes_read) == (compiled.files_read, compiled.bytes_read)
    assert by_hand.remembered.folders == compiled.remembered.folders


def test_nothing_leaks(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}").write_bytes(b"x" * number)
    (tmp_path / "folder").mkdir()
    fd, rows = rows_of(tmp_path)
    room, wanted = bytearray(10_000), list(range(50))
    watched = [rows, wanted, room, rows[0]]

    def often() -> None:
        for _ in range(200):
            native.list_folder(fd)
            native.read_files(fd, rows, wanted, 0, room, 0, READ_FLAGS, CLOSER_LOOK)
            native.hash_many([bytes(3), memoryview(room)[:500]])

    often()
    before, open_before = [sys.getrefcount(item) for item in watched], len(os.listdir("/proc/self/fd"))
    blocks = sys.getallocatedblocks()
    often()
    assert [sys.getrefcount(item) for item in watched] == before
    assert len(os.listdir("/proc/self/fd")) == open_before
    assert sys.getallocatedblocks() - blocks < 200
    os.close(fd)
