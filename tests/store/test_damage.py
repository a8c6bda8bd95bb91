"""Damage is found, named and survived; altered bytes never come out as content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.catalog import tables
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import Cancelled, StoreDamaged
from nuvo_jupyter.model.store import VerifyReport
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.pack import MANIFEST, TREE, PackBuilder, read_entries, unpack
from nuvo_jupyter.store.repair import repair
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify

Snapshot = Callable[[Store, str, int, dict[str, bytes]], bytes]

FILES = {
    "week 1/notes.ipynb": b"notes\n" * 200,
    "week 1/data.csv": b"1,2,3\n" * 300,
    "week 2/plot.py": b"import nothing\n" * 50,
    "README.md": b"hello",
}


def packs(store: Store) -> list[Path]:
    return sorted(
        (path for path in Path(store.backend.url, "packs").rglob("*") if path.is_file()), key=os.path.getmtime
    )


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 0x01]))


def codes(report: VerifyReport) -> set[str]:
    return {item.code for item in report.damage}


def references(report: VerifyReport) -> set[str]:
    return {item.reference for item in report.affected}


def place_of(store: Store, data: bytes) -> int:
    id_ = blake3(data).digest()
    return store.index.locate([id_])[id_].offset


def test_a_sound_store(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    snapshot(store, "anna", 2, FILES | {"more": b"more"})
    seen: list[tuple[int, int]] = []
    report = verify(store, progress=lambda done, total: seen.append((done, total)))
    assert report.ok
    assert (report.packs, report.snapshots, report.unreferenced) == (2, 2, 0)
    # Four files and three trees with a manifest; then one file, a root and a manifest.
    assert report.blobs == 8 + 3
    assert seen[-1] == (report.size, report.size)
    assert report.size == sum(path.stat().st_size for path in packs(store))


def test_an_empty_store(store: Store) -> None:
    assert verify(store) == VerifyReport()


def test_a_flipped_byte_names_snapshots_and_files(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    snapshot(store, "anna", 2, {"week 1/notes.ipynb": b"new"})
    snapshot(store, "ben", 1, {"copy of notes": FILES["week 1/notes.ipynb"]})
    flip(packs(store)[0], place_of(store, FILES["week 1/notes.ipynb"]) + 5)
    report = verify(store)
    assert codes(report) == {"pack_damaged", "blob_damaged"}
    assert references(report) == {"course/anna@1:week 1/notes.ipynb", "course/ben@1:copy of notes"}


def test_a_truncated_pack(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    pack = packs(store)[0]
    cut = place_of(store, FILES["week 2/plot.py"]) + 1
    os.truncate(pack, cut)
    report = verify(store)
    assert codes(report) == {"pack_damaged", "blob_damaged"}
    assert "should be" in report.damage[0].detail
    # The manifest lay behind the cut.
    assert references(report) == {"course/anna@1"}


def test_a_missing_pack(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    snapshot(store, "anna", 2, FILES | {"only here": b"only here"})
    packs(store)[0].unlink()
    report = verify(store)
    assert codes(report) == {"pack_missing"}
    assert references(report) == {
        "course/anna@1",
        "course/anna@2:README.md",
        "course/anna@2:week 1",
        "course/anna@2:week 2",
    }


def test_a_lost_manifest_and_a_lost_blob_row(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    with store.catalog.write() as connection:
        lost = blake3(FILES["README.md"]).digest()
        connection.execute(tables.blob.delete().where(tables.blob.c.id == lost))
    report = verify(store)
    assert codes(report) == {"blob_missing"}
    assert references(report) == {"course/anna@1:README.md"}
    assert repair(store).blobs_added == 1
    assert verify(store).ok


def test_a_wrong_place_in_the_index(store: Store, snapshot: Snapshot) -> None:
    root = snapshot(store, "anna", 1, FILES)
    with store.catalog.write() as connection:
        connection.execute(tables.blob.update().where(tables.blob.c.id == root).values(offset=-7))
        wrong = blake3(FILES["README.md"]).digest()
        connection.execute(tables.blob.update().where(tables.blob.c.id == wrong).values(offset=33))
    report = verify(store)
    assert codes(report) == {"index_wrong"}
    assert "course/anna@1" in " ".join(references(report))
    assert repair(store).blobs_removed == 0
    assert verify(store).ok


def test_what_was_last_distributed_is_followed_too(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, {"a": b"a"})
    root = snapshot(store, "master", 1, {"b": b"b"})
    with store.catalog.write() as connection:
        connection.execute(
            tables.instance.update().where(tables.instance.c.name == "anna").values(base_root=root)
        )
        connection.execute(tables.blob.delete().where(tables.blob.c.id == blake3(b"b").digest()))
    assert references(verify(store)) == {"course/anna:b", "course/master@1:b"}


def test_garbage_is_no_damage(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    with store.writer() as writer:
        writer.add(b"never committed")
        writer.flush()
    Path(store.backend.url, "packs", "stray").write_bytes(b"no pack")
    report = verify(store)
    assert report.ok
    assert report.unreferenced == 1


def test_verifying_can_be_cancelled(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    with pytest.raises(Cancelled):
        verify(store, cancelled=lambda: True)
    with pytest.raises(Cancelled):
        repair(store, cancelled=lambda: True)


def test_many_affected_files_of_one_snapshot_are_counted(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, {f"{number:04}": b"same" for number in range(1200)})
    with store.catalog.write() as connection:
        connection.execute(tables.blob.delete().where(tables.blob.c.id == blake3(b"same").digest()))
    report = verify(store)
    assert len(report.affected) == 1001
    assert report.affected[-1].detail == "and 200 more"


def test_the_index_is_rebuilt_from_packs_alone(store: Store, snapshot: Snapshot, tmp_path: Path) -> None:
    root = snapshot(store, "anna", 1, FILES)
    expected = tree.flatten(store, root)
    with store.catalog.write() as connection:
        connection.execute(tables.blob.delete())
        connection.execute(tables.pack.delete())
    assert not verify(store).ok
    report = repair(store)
    assert (report.packs_added, report.blobs_added, report.damage) == (1, 8, ())
    assert verify(store).ok
    fresh = Catalog(f"sqlite:///{tmp_path}/fresh.sqlite")
    again = Store.open(store.backend.url, fresh)
    assert repair(again).blobs == 8
    assert tree.flatten(again, root) == expected
    with fresh.read() as connection:
        kinds = [row.kind for row in connection.execute(tables.blob.select())]
    assert kinds.count(TREE) == 3
    assert kinds.count(MANIFEST) == 1
    fresh.close()


def test_after_a_repair_the_same_content_heals_the_store(store: Store, snapshot: Snapshot) -> None:
    snapshot(store, "anna", 1, FILES)
    flip(packs(store)[0], place_of(store, FILES["README.md"]) + 1)
    report = repair(store)
    assert (report.blobs_removed, report.blobs) == (1, 7)
    assert references(verify(store)) == {"course/anna@1:README.md"}
    with store.writer() as writer:
        writer.add_content(FILES["README.md"])
        writer.flush()
        with store.catalog.write() as connection:
            writer.commit(connection)
    assert not verify(store).affected
    assert store.read(blake3(FILES["README.md"]).digest()) == FILES["README.md"]


def test_a_repair_drops_missing_packs_and_finds_other_copies(store: Store) -> None:
    with store.writer() as first, store.writer() as second:
        id_ = first.add(b"in both")
        lost = first.add(b"only in the first")
        second.add(b"in both")
        found: list[list[Path]] = []
        for writer in (first, second):
            writer.flush()
            with store.catalog.write() as connection:
                writer.commit(connection)
            found.append(packs(store))
    # Written within one tick of the file system's clock, both may bear the same time.
    found[0][0].unlink()
    report = repair(store)
    assert (report.packs_removed, report.blobs_removed, report.packs) == (1, 1, 1)
    assert store.read(id_) == b"in both"
    assert store.contains([lost]) == set()


def test_other_processes_notice_a_repair(store: Store, catalog: Catalog) -> None:
    with store.writer() as first, store.writer() as second:
        id_ = first.add(b"in both")
        second.add(b"in both")
        for writer in (first, second):
            writer.flush()
            with store.catalog.write() as connection:
                writer.commit(connection)
    other = Store.open(store.backend.url, catalog)
    assert other.read(id_) == b"in both"
    packs(store)[0].unlink()
    repair(store)
    assert other.read(id_) == b"in both"


@settings(max_examples=60)
@given(data=st.data())
def test_any_flipped_bit_is_noticed_and_never_read(shared_store: Store, data: st.DataObject) -> None:
    store = shared_store
    datas = data.draw(
        st.lists(st.one_of(st.binary(min_size=1, max_size=80), st.just(b"text " * 100)), min_size=1)
    )
    salt = os.urandom(8)
    datas = [salt + item for item in datas]
    before = packs(store)
    with store.writer() as writer:
        ids = writer.add_many(datas)
        writer.flush()
        with store.catalog.write() as connection:
            writer.commit(connection)
    (pack,) = set(packs(store)) - set(before)
    original = pack.read_bytes()
    # How long it is depends on the salt, and what is drawn must not.
    position = data.draw(st.integers(0, 1 << 20)) % len(original)
    bit = data.draw(st.integers(0, 7))
    altered = bytearray(original)
    altered[position] ^= 1 << bit
    pack.write_bytes(altered)
    try:
        expected = dict(zip(ids, datas, strict=True))
        failed: list[bytes] = []
        for id_, content in store.read_many(ids, damaged=lambda id_, _: failed.append(id_)):
            assert content == expected[id_]
        report = verify(store)
        assert pack.name in {item.pack for item in report.damage if item.code == "pack_damaged"}
        assert {bytes.fromhex(item.blob) for item in report.damage if item.blob} == set(failed)
    finally:
        # One pack only for the next example.
        pack.unlink()
        repair(store)


@settings(max_examples=300)
@given(data=st.binary(max_size=300))
def test_random_bytes_are_no_pack(data: bytes) -> None:
    with pytest.raises(StoreDamaged):
        read_entries(lambda start, length: data[start : start + length], len(data), b"\0" * 32)


@settings(max_examples=200)
@given(
    position=st.integers(0, 10_000),
    value=st.integers(0, 255),
    keep=st.one_of(st.none(), st.integers(0, 10_000)),
)
def test_an_altered_pack_gives_damage_or_right_content(position: int, value: int, keep: int | None) -> None:
    builder = PackBuilder()
    contents = {blake3(item).digest(): item for item in (b"", b"one", b"two" * 50)}
    for id_, item in contents.items():
        builder.append(id_, item, len(item), 0, 0)
    whole = builder.seal().data
    altered = bytearray(whole)
    altered[position % len(whole)] = value
    raw = bytes(altered[:keep])
    try:
        entries = read_entries(lambda start, length: raw[start : start + length], len(raw), b"\0" * 32)
    except StoreDamaged:
        return
    for entry in entries:
        data = unpack(raw[entry.offset : entry.offset + entry.length], entry.id, entry.size, entry.codec)
        assert data is None or data == contents[entry.id]


@settings(max_examples=200)
@given(stored=st.binary(max_size=200), size=st.integers(0, 2**62), codec=st.integers(-1, 3))
def test_random_bytes_are_no_blob(stored: bytes, size: int, codec: int) -> None:
    assert unpack(stored, b"\7" * 32, size, codec) is None
