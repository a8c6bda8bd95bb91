"""The spool: gives back what it took, or says that it has nothing."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path

from nuvo_jupyter.store.spool import Spool, Spools


def copied(spool: Spool, id_: bytes, into: Path) -> bytes:
    with into.open("wb") as file:
        assert spool.copy(id_, file.fileno()) == os.fstat(file.fileno()).st_size
    return into.read_bytes()


def test_contents_come_back_as_they_were(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    contents = {b"a": b"", b"b": b"some", b"c": os.urandom(3_000_000)}
    for id_, data in contents.items():
        spool.put(id_, data)
        spool.put(id_, b"not again")
    assert {id_: copied(spool, id_, tmp_path / "copy") for id_ in contents} == contents
    assert b"d" not in spool


def test_it_keeps_no_more_than_it_may(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=3 * 4096)
    spool.put(b"a", b"12345678")
    spool.put(b"b", bytes(2 * 4096 + 1))
    spool.put(c := b"c", bytes(2 * 4096))
    spool.put(b"d", b"1")
    assert (b"a" in spool, b"b" in spool, c in spool, b"d" in spool) == (True, False, True, False)
    # Each begins with a page.
    assert spool.pieces([b"a", c]) == (0, 8, 4096, 8192)


def test_where_no_file_can_be_nothing_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "missing")
    spool.put(b"a", b"some")
    assert b"a" not in spool


def test_one_distribution_at_a_time_from_its_second_delivery_on(tmp_path: Path) -> None:
    spools = Spools()
    assert spools.of(1, tmp_path) is None
    first = spools.of(1, tmp_path)
    assert first is not None
    assert spools.of(1, tmp_path) is first
    first.put(b"a", b"some")
    assert spools.of(2, tmp_path) is None
    # Whoever still works with it is not disturbed.
    assert copied(first, b"a", tmp_path / "copy") == b"some"
    spools.clear()
    assert spools.of(2, tmp_path) is None


def open_below(folder: Path) -> list[str]:
    """What this process has open in a folder, files without a name too."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return [path for path in found if path.startswith(str(folder))]


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(b"a", b"some")
    assert list(tmp_path.iterdir()) == []
    assert open_below(tmp_path)
    del spool
    gc.collect()
    assert open_below(tmp_path) == []
