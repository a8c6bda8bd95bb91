"""Files are made the same by what is compiled and in Python: from memory and from a spool, and nowhere they do not belong."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuvo_jupyter import native
from nuvo_jupyter.native import plain

WAYS = {"compiled": native.make_files, "plain": plain.make_files}
Make = Callable[..., tuple[list[int], int]]
GO_ON = bytearray(1)
LONG_AGO = 1_600_000_000_123_456_789
SIZES = [1, 4095, 4096, 4097, 200_000, 1 << 20, (1 << 20) + 1, 3 * (1 << 20) - 4096, 2_500_000]


@pytest.fixture(params=WAYS)
def make(request: pytest.FixtureRequest) -> Make:
    return WAYS[request.param]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root" / "in").mkdir(parents=True)
    fd = os.open(tmp_path / "root", os.O_RDONLY)
    yield fd
    os.close(fd)


def looks_of(folder: Path) -> dict[str, tuple[int, int, bytes | None]]:
    """Mode, modification time and content of all below a folder; the time of files only."""
    found: dict[str, tuple[int, int, bytes | None]] = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        is_file = path.is_file()
        found[str(path.relative_to(folder))] = (
            status.st_mode, status.st_mtime_ns if is_file else 0, path.read_bytes() if is_file else None,
        )  # fmt: skip
    return found


NAMES = st.sampled_from(["a", "b", "é", "日本", " ", "-rf", "new\nline", "x" * 200])
ROWS = st.lists(
    st.tuples(
        st.lists(NAMES, min_size=1, max_size=2).map("/".join),
        NAMES,
        st.integers(0, 0o1777),
        st.integers(-(10**18), 4 * 10**18).filter(bool),
        st.none() | st.binary(max_size=300),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, st.sampled_from([0, 0o022, 0o077]))
def test_both_ways_make_the_same(rows: list[tuple[str, str, int, int, bytes | None]], mask: int) -> None:
    flat: list[Any] = []
    for folder, name, mode, mtime_ns, content in rows:
        if content is None:
            flat += (folder, name, mode | 0o700, 0, 0, None)
        else:
            flat += (folder, name, mode, mtime_ns, len(content), content)
    looks, errors = [], []
    before = os.umask(mask)
    try:
        for make in WAYS.values():
            with tempfile.TemporaryDirectory() as place:
                (Path(place) / "a").mkdir()
                (Path(place) / "é").mkdir()
                fd = os.open(place, os.O_RDONLY)
                numbers, past = make(fd, flat, -1, 0, GO_ON)
                os.close(fd)
                assert len(numbers) == 4 * len(rows)
                assert past == 0
                looks.append(looks_of(Path(place)))
                errors.append(
                    [(numbers[at], numbers[at + 1] > 0, numbers[at + 3]) for at in range(0, len(numbers), 4)]
                )
    finally:
        os.umask(before)
    assert looks[0] == looks[1]
    assert errors[0] == errors[1]


def test_what_is_said_of_a_file_is_how_it_looks(make: Make, root: int, tmp_path: Path) -> None:
    rows = [
        *("in", "deep", 0o750, 0, 0, None), *("in/deep", "a", 0o640, LONG_AGO, 3, b"abc"),
        *("in", "b", 0o600, 0, 0, memoryview(b"")),
    ]  # fmt: skip
    numbers, _ = make(root, rows, -1, 0, GO_ON)
    found = (tmp_path / "root" / "in" / "deep" / "a").stat()
    assert numbers[:4] == [0, 0, 0, 0]
    assert numbers[4:8] == [0, found.st_ctime_ns, found.st_ino, found.st_mode]
    assert (found.st_mtime_ns, found.st_size, found.st_mode & 0o777) == (LONG_AGO, 3, 0o640)
    # Its time is not one that was asked for.
    assert numbers[8:10] == [0, 0]


def is_known_to_be_good(folder: Path) -> bool:
    told = subprocess.run(["stat", "-f", "-c", "%t", folder], check=True, capture_output=True, text=True)
    return told.stdout.strip() in ("ef53", "58465342")


@pytest.mark.parametrize("past", [0, 1, 150_000])
def test_contents_come_from_a_spool_whole(make: Make, root: int, tmp_path: Path, past: int) -> None:
    data = os.urandom(5 << 20)
    (tmp_path / "spool").write_bytes(data)
    spool = os.open(tmp_path / "spool", os.O_RDONLY)
    wanted: dict[str, bytes] = {}
    rows: list[Any] = []

    def add(*pieces: int) -> None:
        name = f"{len(wanted)}"
        wanted[name] = b"".join(
            data[at : at + size] for at, size in zip(pieces[::2], pieces[1::2], strict=True)
        )
        rows.extend(("in", name, 0o644, LONG_AGO, len(wanted[name]), pieces))

    for size in SIZES:
        # Beginning with a page, and in the middle of one; in one piece, and in several.
        add(0, size)
        add(8192, size)
        add(77, size)
        add(4096, size, 3, size // 2 + 1)
        add(1, 1, 5000, size, 9, 0, 4096, size)
    add()
    numbers, went = make(root, rows, spool, past, GO_ON)
    os.close(spool)
    assert set(numbers[::4]) == {0}
    assert {path.name: path.read_bytes() for path in (tmp_path / "root" / "in").iterdir()} == wanted
    assert all((tmp_path / "root" / "in" / name).stat().st_mtime_ns == LONG_AGO for name in wanted)
    if make is native.make_files and native.IS_COMPILED and past and is_known_to_be_good(tmp_path):
        # All but the last blocks of those that are large enough.
        assert went == sum(len(one) // 4096 * 4096 for one in wanted.values() if len(one) >= past)
    else:
        assert went == 0


def test_a_spool_that_ends_too_soon_leaves_no_file(make: Make, root: int, tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"x" * 300_000)
    spool = os.open(tmp_path / "spool", os.O_RDONLY)
    rows = ["in", "a", 0o644, 0, 400_000, (0, 400_000), "in", "b", 0o644, 0, 3, (0, 3)]
    numbers, _ = make(root, rows, spool, 1, GO_ON)
    os.close(spool)
    assert (numbers[0], numbers[4]) == (errno.EIO, 0)
    assert looks_of(tmp_path / "root").keys() == {"in", "in/b"}


@pytest.mark.parametrize(
    ("folder", "name", "wrong"),
    [
        ("link", "a", {errno.ENOTDIR, errno.ELOOP}), ("in/link", "a", {errno.ENOTDIR, errno.ELOOP}),
        ("..", "a", {errno.EINVAL}), ("in/../in", "a", {errno.EINVAL}), (".", "a", {errno.EINVAL}),
        ("in//deep", "a", {errno.EINVAL}), ("/in", "a", {errno.EINVAL}), ("", "a", {errno.EINVAL}), ("in/", "a", {errno.EINVAL}),
        ("gone", "a", {errno.ENOENT}), ("in/gone/deep", "a", {errno.ENOENT}),
        ("in", "b/a", {errno.EINVAL}), ("in", "..", {errno.EEXIST, errno.EISDIR}), ("in", "kept", {errno.EEXIST}),
        ("in", "link", {errno.EEXIST}), ("in/kept", "a", {errno.ENOTDIR}), ("in", "x" * 256, {errno.ENAMETOOLONG}),
        ("x" * 256, "a", {errno.ENAMETOOLONG}),
    ],
)  # fmt: skip
def test_nothing_is_made_where_it_does_not_belong(
    make: Make, root: int, tmp_path: Path, folder: str, name: str, wrong: set[int]
) -> None:
    inside, outside = tmp_path / "root" / "in", tmp_path / "outside"
    outside.mkdir()
    (inside / "kept").write_text("kept")
    for place in (inside, tmp_path / "root"):
        (place / "link").symlink_to(outside)
    rows = [folder, name, 0o755, 0, 0, None, folder, name, 0o644, 0, 1, b"x", "in", "good", 0o644, 0, 1, b"y"]
    numbers, _ = make(root, rows, -1, 0, GO_ON)
    assert numbers[0] in wrong
    assert numbers[4] in wrong
    assert numbers[8] == 0
    assert (inside / "good").read_text() == "y"
    assert (inside / "kept").read_text() == "kept"
    assert list(outside.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"root", "outside"}
    assert {path.name for path in (tmp_path / "root").iterdir()} == {"in", "link"}


def test_folders_may_lie_deep_but_not_endlessly(make: Make, root: int, tmp_path: Path) -> None:
    deep = ["/".join("d" * depth) for depth in range(1, 258)]
    rows: list[Any] = []
    for path in deep:
        rows += (path, "d", 0o700, 0, 0, None)
    rows += ("in", "b", 0o644, 0, 1, b"x")
    (tmp_path / "root" / "d").mkdir()
    assert make(root, rows, -1, 0, GO_ON)[0][::4] == [*([0] * 256), errno.ELOOP, 0]
    shutil.rmtree(tmp_path / "root" / "d")


def test_what_is_there_is_no_new_folder(make: Make, root: int, tmp_path: Path) -> None:
    (tmp_path / "root" / "in").chmod(0o711)
    rows = ["in", "a", 0o755, 0, 0, None, "in", "a", 0o700, 0, 0, None]
    assert make(root, rows, -1, 0, GO_ON)[0][::4] == [0, errno.EEXIST]
    assert (tmp_path / "root" / "in" / "a").stat().st_mode & 0o7777 == 0o755


def test_asked_to_stop_it_makes_no_more(make: Make, root: int, tmp_path: Path) -> None:
    rows = ["in", "a", 0o644, 0, 1, b"x", "in", "b", 0o700, 0, 0, None]
    assert make(root, rows, -1, 0, bytearray(b"\1"))[0][::4] == [errno.ECANCELED] * 2
    assert looks_of(tmp_path / "root").keys() == {"in"}


def test_what_is_too_large_leaves_nothing_and_stops_nobody(make: Make, root: int, tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(bytes(900_000))
    spool = os.open(tmp_path / "spool", os.O_RDONLY)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limit[1]))
    try:
        numbers, _ = make(
            root,
            [
                "in", "a", 0o644, 0, 900_000, bytes(900_000), "in", "b", 0o644, 0, 900_000, (0, 900_000),
                "in", "c", 0o644, 0, 900_000, (0, 450_000, 450_000, 450_000), "in", "d", 0o644, 0, 9, (0, 9),
            ],
            spool, 1, GO_ON,
        )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        os.close(spool)
    assert numbers[::4] == [errno.EFBIG, errno.EFBIG, errno.EFBIG, 0]
    assert looks_of(tmp_path / "root").keys() == {"in", "in/d"}


def test_wrong_orders_are_errors_and_make_nothing(make: Make, root: int, tmp_path: Path) -> None:
    good: list[Any] = ["in", "a", 0o644, 0, 3, b"abc"]
    wrong = [(4, 2), (5, b"ab"), (5, (0, 2)), (4, -1)]
    if make is native.make_files and native.IS_COMPILED:
        wrong += [
            (0, 5), (5, "abc"), (0, "\udcff"), (1, None), (1, "a\0b"), (2, "0"), (3, 2**63), (5, (0, 3)), (5, (0, 3, 1)),
            (5, (0, -1)), (5, (0, 2**63)), (5, ("0", 3)), (5, (2**62, 2**62, 0, 2**62)),
        ]  # fmt: skip
    for place, value in wrong:
        with pytest.raises((TypeError, ValueError, OverflowError)):
            make(root, [*good[:place], value, *good[place + 1 :]], -1, 0, GO_ON)
    assert looks_of(tmp_path / "root").keys() == {"in"}
    assert make(root, (), -1, 0, GO_ON) == ([], 0)
    with pytest.raises((IndexError, ValueError)):
        make(root, good, -1, 0, bytearray())


def test_nothing_is_left_open(make: Make, root: int, tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(os.urandom(300_000))
    spool = os.open(tmp_path / "spool", os.O_RDONLY)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        rows = [
            "in",
            f"{number}",
            0o755,
            0,
            0,
            None,
            f"in/{number}",
            "a",
            0o644,
            0,
            300_000,
            (0, 300_000),
            "..",
            "b",
            0o644,
            0,
            1,
            b"x",
        ]
        make(root, rows, spool, 1, GO_ON)
        make(root, ["in", "a", 0o644, 0, 1, b"x"], -1, 0, GO_ON)
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(spool)
