"""Blobs written and read back."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import ServiceUnavailable, StorageFull, StoreDamaged
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.store import chunks
from nuvo_jupyter.store.store import Store, Writer
from nuvo_jupyter.store.writer import ROOMS


def commit(store: Store, writer: Writer) -> None:
    writer.flush()
    with store.catalog.write() as connection:
        writer.commit(connection)


def add_and_flush(writer: Writer, datas: list[bytes]) -> None:
    writer.add_many(datas)
    writer.flush()


def packs(store: Store) -> list[Path]:
    return sorted(path for path in Path(store.backend.url, "packs").rglob("*") if path.is_file())


def noise(seed: int, size: int) -> bytes:
    return blake3(seed.to_bytes(8, "little")).digest(length=size)


@settings(deadline=None, max_examples=60)
@given(
    datas=st.lists(
        st.one_of(st.binary(max_size=300), st.binary(min_size=1, max_size=4).map(lambda b: b * 500))
    )
)
def test_what_is_added_reads_back(shared_store: Store, datas: list[bytes]) -> None:
    with shared_store.writer() as writer:
        ids = writer.add_many(datas)
        commit(shared_store, writer)
    assert ids == [blake3(data).digest() for data in datas]
    expected = dict(zip(ids, datas, strict=True))
    found = list(shared_store.read_many([*ids, *ids]))
    assert len(found) == len(expected)
    assert dict(found) == expected
    for id_, data in expected.items():
        assert shared_store.read(id_) == data
    assert shared_store.contains([*ids, b"\0" * 32]) == set(ids)


def test_content_is_stored_once_across_writers(store: Store) -> None:
    datas = [noise(number, 5000) for number in range(50)]
    for _ in range(3):
        with store.writer() as writer:
            writer.add_many(datas + datas)
            writer.add(datas[7])
            commit(store, writer)
    assert sum(path.stat().st_size for path in packs(store)) < 50 * 5000 + 10_000


def test_text_is_compressed_and_noise_is_not(store: Store) -> None:
    with store.writer() as writer:
        writer.add(b"a line of text\n" * 60_000)
        commit(store, writer)
    assert packs(store)[0].stat().st_size < 5_000
    with store.writer() as writer:
        id_ = writer.add(noise(1, 100_000))
        commit(store, writer)
    assert store.index.locate([id_])[id_].codec == 0


def test_a_large_file_is_cut_the_same_way_whichever_way_it_comes(store: Store, tmp_path: Path) -> None:
    data = noise(3, 21_000_000)
    path = tmp_path / "large"
    path.write_bytes(data)
    pieces = [data[start : start + 777_777] for start in range(0, len(data), 777_777)]
    with store.writer() as writer:
        ids = writer.add_content(data)
        assert writer.add_stream(pieces) == ids
        assert writer.add_stream([data]) == ids
        descriptor = os.open(path, os.O_RDONLY)
        assert writer.add_file(descriptor, len(data)) == ids
        os.close(descriptor)
        commit(store, writer)
    assert ids == chunks.content_ids(data)
    assert len(ids) > 10
    node = Node(NodeKind.FILE, size=len(data), content=ids)
    assert store.read_file(node) == data
    assert b"".join(store.stream_file(node)) == data
    assert len(packs(store)) == 2


@pytest.mark.parametrize(
    "size", [0, 1, chunks.WHOLE_UP_TO - 1, chunks.WHOLE_UP_TO, chunks.WHOLE_UP_TO + 1, 5_000_000]
)
def test_the_limit_between_whole_and_cut_is_the_same_for_all_ways_in(store: Store, size: int) -> None:
    data = noise(4, size)
    with store.writer() as writer:
        ids = writer.add_content(data)
        assert writer.add_stream([data[:100], data[100:]]) == ids
    assert ids == chunks.content_ids(data)
    if size <= chunks.WHOLE_UP_TO:
        assert len(ids) == bool(size)
    if size > chunks.MAX_CHUNK:
        assert len(ids) > 1


def test_where_content_is_cut_never_changes() -> None:
    # Other cuts would find nothing that was stored before.
    lengths = [len(piece) for piece in chunks.cut(noise(5, 9_000_000))]
    assert lengths == CUTS


def test_an_insertion_changes_only_the_chunks_around_it() -> None:
    data = noise(6, 16_000_000)
    before = set(chunks.content_ids(data))
    after = set(chunks.content_ids(data[:8_000_000] + b"x" * 100 + data[8_000_000:]))
    assert len(after - before) <= 2


def test_a_growing_file_ends_where_it_was_said_to(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"0123456789")
    descriptor = os.open(path, os.O_RDONLY)
    with store.writer() as writer:
        assert writer.add_file(descriptor, 4) == chunks.content_ids(b"0123")
        assert writer.add_file(descriptor, 100) == chunks.content_ids(b"456789")
    os.close(descriptor)


def test_nothing_is_there_before_the_commit(store: Store) -> None:
    with store.writer() as writer:
        id_ = writer.add(b"content")
        writer.flush()
        assert store.contains([id_]) == set()
        with pytest.raises(StoreDamaged, match=id_.hex()):
            store.read(id_)
        with store.catalog.write() as connection:
            writer.commit(connection)
    assert store.read(id_) == b"content"


def test_a_commit_without_a_flush_is_refused(store: Store) -> None:
    with store.writer() as writer:
        writer.add(b"content")
        with store.catalog.write() as connection, pytest.raises(RuntimeError):
            writer.commit(connection)


def test_leaving_with_an_error_leaves_only_garbage(store: Store) -> None:
    def interrupted() -> None:
        with store.writer() as writer:
            writer.add(b"content")
            writer.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    id_ = blake3(b"content").digest()
    assert store.contains([id_]) == set()
    with store.writer() as writer:
        writer.add(b"content")
        commit(store, writer)
    assert store.read(id_) == b"content"


def test_a_transaction_rolled_back_leaves_nothing_behind(store: Store) -> None:
    with store.writer() as writer:
        id_ = writer.add(b"content")
        writer.flush()
        with suppress(ZeroDivisionError), store.catalog.write() as connection:
            writer.commit(connection)
            raise ZeroDivisionError
    assert store.contains([id_]) == set()


def test_many_packs_are_one_commit(store: Store) -> None:
    with store.writer() as writer:
        ids = []
        for start in range(0, 90, 30):
            ids += writer.add_many([noise(number, 700_000) for number in range(start, start + 30)])
        commit(store, writer)
    assert len(packs(store)) == 4
    assert {id_ for id_, _ in store.read_many(reversed(ids))} == set(ids)


def test_two_writers_with_the_same_content(store: Store) -> None:
    with store.writer() as first, store.writer() as second:
        shared = first.add(b"shared" * 100)
        assert second.add(b"shared" * 100) == shared
        own = second.add(b"own")
        commit(store, first)
        commit(store, second)
    assert dict(store.read_many([shared, own])) == {shared: b"shared" * 100, own: b"own"}


def test_reading_goes_on_past_damage_when_asked_to(store: Store) -> None:
    with store.writer() as writer:
        ids = writer.add_many([noise(number, 1000) for number in range(20)])
        commit(store, writer)
    place = store.index.locate([ids[5]])[ids[5]]
    flip(packs(store)[0], place.offset + 3)
    told: list[bytes] = []
    found = dict(store.read_many([*ids, b"\1" * 32], damaged=lambda id_, _: told.append(id_)))
    assert set(found) == set(ids) - {ids[5]}
    assert sorted(told) == sorted([ids[5], b"\1" * 32])
    with pytest.raises(StoreDamaged, match=ids[5].hex()):
        dict(store.read_many(ids))


def test_a_missing_pack_is_named(store: Store) -> None:
    with store.writer() as writer:
        id_ = writer.add(b"content")
        commit(store, writer)
    pack = packs(store)[0]
    pack.unlink()
    with pytest.raises(StoreDamaged, match=pack.name):
        store.read(id_)


def test_the_store_is_private_whatever_the_umask(tmp_path: Path, catalog: Catalog) -> None:
    before = os.umask(0)
    try:
        store = Store.open(f"file://{tmp_path}/a%20store/deep", catalog)
        with store.writer() as writer:
            writer.add(b"content")
            commit(store, writer)
    finally:
        os.umask(before)
    top = tmp_path / "a store"
    for path in [top, *top.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert not list((top / "deep" / "tmp").iterdir())


def test_a_full_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with store.writer() as writer:
        id_ = writer.add(b"content")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            writer.flush()
        with store.catalog.write() as connection, pytest.raises(RuntimeError):
            writer.commit(connection)
    assert store.contains([id_]) == set()
    assert packs(store) == []
    assert not list(Path(store.backend.url, "tmp").iterdir())


def test_what_was_written_in_part_is_no_pack(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = os.write, 0

    def full_once(descriptor: int, data: bytes | memoryview) -> int:
        nonlocal written
        written += len(data)
        if 2_000_000 < written < 5_000_000:
            written = 5_000_000
            real(descriptor, memoryview(data)[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with store.writer() as writer:
        monkeypatch.setattr(os, "write", full_once)
        with pytest.raises(StorageFull):
            add_and_flush(writer, [noise(number, 300_000) for number in range(60)])
        with store.catalog.write() as connection, pytest.raises(RuntimeError):
            writer.commit(connection)
    for path in packs(store):
        assert blake3(path.read_bytes()).hexdigest() == path.name
    assert not list(Path(store.backend.url, "tmp").iterdir())


def test_a_writer_that_is_left_writes_no_pack(store: Store) -> None:
    with store.writer() as writer:
        writer.add_many([noise(number, 300_000) for number in range(60)])
    assert not list(Path(store.backend.url, "tmp").iterdir())
    for path in packs(store):
        assert blake3(path.read_bytes()).hexdigest() == path.name


def test_large_files_are_read_to_memory_that_is_used_again(store: Store) -> None:
    rooms: set[int] = set()
    data = {number: noise(number, 20_000_000) for number in range(3)}
    nodes = {}
    with store.writer() as writer:
        for number, content in data.items():
            read = chunks.filling([content])

            def fill(room: memoryview, read: chunks.Fill = read) -> int:
                rooms.add(id(room.obj))
                return read(room)

            nodes[number] = Node(NodeKind.FILE, size=len(content), content=writer.add_filled(fill))
            # What is stored already gives its room back, too.
            assert writer.add_stream([content]) == nodes[number].content
        commit(store, writer)
    assert len(rooms) <= ROOMS
    for number, node in nodes.items():
        assert node.content == chunks.content_ids(data[number])
        assert store.read_file(node) == data[number]


def test_rooms_for_small_files_are_used_again_by_the_next_writer(store: Store) -> None:
    with store.writer() as writer:
        room = writer.room()
        room[:6] = b"foobar"
        first = writer.add_room(room, [3, 3])
        commit(store, writer)
    with store.writer() as writer:
        assert writer.room() is room
        # What lay in it before is no part of what it holds now.
        room[:3] = b"baz"
        second = writer.add_room(room, [3])
        commit(store, writer)
    assert [store.read(id_) for id_ in (*first, *second)] == [b"foo", b"bar", b"baz"]


@pytest.mark.parametrize("stored", [0, 300, 3_000])
def test_all_ids_are_asked_for_only_where_there_are_few(
    store: Store, monkeypatch: pytest.MonkeyPatch, stored: int
) -> None:
    with store.writer() as writer:
        writer.add_many([b"%d" % number for number in range(stored)])
        commit(store, writer)
    store.index.forget()
    asked: list[set[bytes] | None] = []
    real = store.index.all_of_few

    def all_of_few(limit: int) -> set[bytes] | None:
        asked.append(real(limit))
        return asked[-1]

    monkeypatch.setattr(store.index, "all_of_few", all_of_few)
    with store.writer() as writer:
        ids = [
            writer.add_many([b"%d" % number for number in range(start, start + 60)])
            for start in range(0, 240, 60)
        ]
        commit(store, writer)
    assert [None if found is None else len(found) for found in asked] == [stored if stored < 480 else None]
    assert {store.read(id_) for some in ids for id_ in some} == {b"%d" % number for number in range(240)}


def test_a_file_that_cannot_be_read_on(store: Store) -> None:
    def pieces() -> Iterator[bytes]:
        yield noise(0, 10_000_000)
        raise OSError(errno.EIO, "Input/output error")

    data = noise(1, 30_000_000)
    with store.writer() as writer:
        for _ in range(2 * ROOMS):
            with pytest.raises(OSError, match="Input/output"):
                writer.add_stream(pieces())
        node = Node(NodeKind.FILE, size=len(data), content=writer.add_stream([data]))
        commit(store, writer)
    assert store.read_file(node) == data


def test_a_place_that_cannot_be_a_store(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "file/below", "link"):
        with pytest.raises(ServiceUnavailable, match=name):
            Store.open(str(tmp_path / name), catalog)


@pytest.mark.parametrize(
    "marker",
    [b"", b"rubbish", b"[]", b'{"format": "other", "version": 1}', b'{"format": "nuvo-store", "version": 2}'],
)
def test_an_unknown_format_is_refused(store: Store, marker: bytes) -> None:
    Path(store.backend.url, "format").write_bytes(marker)
    with pytest.raises(StoreDamaged):
        Store.open(store.backend.url, store.catalog)


def test_packs_without_a_marker_are_not_taken_for_a_new_store(store: Store) -> None:
    with store.writer() as writer:
        writer.add(b"content")
        commit(store, writer)
    Path(store.backend.url, "format").unlink()
    with pytest.raises(StoreDamaged, match="missing"):
        Store.open(store.backend.url, store.catalog)


def test_a_store_is_found_again(store: Store, tmp_path: Path) -> None:
    with store.writer() as writer:
        id_ = writer.add(b"content")
        commit(store, writer)
    again = Store.open(f"file://{tmp_path}/store", store.catalog)
    assert again.read(id_) == b"content"
    again.close()


def test_a_put_never_overwrites(store: Store) -> None:
    assert store.backend.put("packs/ab/one", b"first")
    assert not store.backend.put("packs/ab/one", b"second")
    assert store.backend.get("packs/ab/one", 0, 100) == b"first"
    assert store.backend.size("packs/ab/one") == 5
    assert list(store.backend.list()) == [("packs/ab/one", 5)]
    store.backend.delete("packs/ab/one")
    store.backend.delete("packs/ab/one")
    assert store.backend.size("packs/ab/one") is None


def test_a_stream_is_not_held_in_memory(store: Store) -> None:
    alive = 0
    most = 0

    class Piece(bytes):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def pieces() -> Iterator[bytes]:
        nonlocal alive, most
        for number in range(60):
            alive += 1
            most = max(most, alive)
            yield Piece(noise(number, 1_000_000))

    with store.writer() as writer:
        writer.add_stream(pieces())
        writer.flush()
    assert most < 10


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(data)


CUTS = [1067482, 1637535, 1206375, 1772439, 1310712, 1976653, 28804]
