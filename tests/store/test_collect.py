"""Collecting frees what nothing holds, and never anything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from blake3 import blake3

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.model.errors import Cancelled, ContentGone, StoreDamaged
from nuvo_jupyter.model.nodes import Node, NodeKind, TreeEntry
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.store import repack, tree
from nuvo_jupyter.store.collect import collect
from nuvo_jupyter.store.repair import repair
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify

Take = Callable[[Store, str, int, dict[str, bytes]], bytes]


def content(name: str, size: int = 20_000) -> bytes:
    """Bytes that do not compress, the same for the same name."""
    return blake3(name.encode()).digest(size)


def delete(store: Store, number: int, at: float = 1.0) -> None:
    with store.catalog.write() as connection:
        connection.execute(sa.update(t.snapshot).where(t.snapshot.c.number == number).values(deleted_at=at))


def now(store: Store, **settings: object) -> CollectReport:
    return collect(store, grace=0.0, early=True, alone=lambda _: True, **settings)  # type: ignore[arg-type]


def size(store: Store) -> int:
    return sum(item.size for item in store.backend.list())


def rows(store: Store, table: sa.Table) -> int:
    with store.catalog.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def read(store: Store, root: bytes) -> dict[str, bytes]:
    return {
        path: store.read_file(node)
        for path, node in tree.flatten(store, root).items()
        if node.kind is NodeKind.FILE
    }


def test_what_only_a_deleted_snapshot_held_goes_and_the_rest_stays(store: Store, snapshot: Take) -> None:
    both = {"shared": content("shared")}
    first = {**both, "old": content("old", 60_000)}
    second = {**both, "new": content("new")}
    snapshot(store, "anna", 1, first)
    root = snapshot(store, "anna", 2, second)
    before = size(store)
    delete(store, 1)
    foreseen = now(store, dry_run=True)
    assert size(store) == before
    done = now(store)
    assert done.snapshots == foreseen.snapshots == 1
    assert done.blobs == foreseen.blobs == 3
    assert done.size == foreseen.size >= 60_000
    assert done.packs_rewritten == foreseen.packs_rewritten == 1
    assert before - size(store) == done.freed - done.written == foreseen.freed - foreseen.written
    assert size(store) == done.store_size == foreseen.store_size
    assert read(store, root) == second
    report = verify(store)
    assert report.ok, report
    assert report.unreferenced == 0
    again = now(store)
    assert (again.blobs, again.freed, again.written) == (0, 0, 0)


def test_what_can_still_be_brought_back_is_kept(store: Store, snapshot: Take) -> None:
    root = snapshot(store, "anna", 1, {"a": content("a")})
    with store.catalog.write() as connection:
        moment = connection.scalar(sa.text("SELECT (julianday('now') - 2440587.5) * 86400.0"))
    delete(store, 1, moment)
    assert collect(store, grace=0.0).blobs == 0
    assert read(store, root) == {"a": content("a")}
    assert now(store).snapshots == 1


def test_there_is_a_grace_period_before_blobs_leave_and_before_their_packs_do(
    store: Store, snapshot: Take
) -> None:
    snapshot(store, "anna", 1, {"a": content("a")})
    delete(store, 1)
    first = collect(store, grace=3600.0)
    assert (first.snapshots, first.blobs, first.freed) == (1, 0, 0)
    assert first.waiting >= 20_000
    assert rows(store, t.condemned) == 3
    with store.catalog.write() as connection:
        connection.execute(sa.update(t.condemned).values(at=0.0))
    second = collect(store, grace=3600.0)
    assert second.blobs == 3
    assert second.freed == 0
    assert second.waiting == size(store)
    with store.catalog.write() as connection:
        connection.execute(sa.update(t.doomed).values(at=0.0))
    third = collect(store, grace=3600.0)
    assert (third.packs_deleted, third.waiting, size(store)) == (1, 0, 0)


def test_whoever_refers_to_a_condemned_blob_keeps_it(store: Store, snapshot: Take) -> None:
    files = {"a": content("a")}
    snapshot(store, "anna", 1, files)
    delete(store, 1)
    collect(store, grace=3600.0)
    assert rows(store, t.condemned) == 3
    root = snapshot(store, "ben", 1, files)
    # Its name differs, but not what it holds.
    assert rows(store, t.condemned) == 0
    assert now(store).blobs == 0
    assert read(store, root) == files
    assert rows(store, t.pack) == 1


def test_a_writer_whose_find_is_collected_before_its_commit_begins_again(
    store: Store, snapshot: Take
) -> None:
    data = content("a")
    snapshot(store, "anna", 1, {"a": data})
    with store.writer() as writer:
        ids = writer.add_content(data)
        writer.flush()
        delete(store, 1)
        assert now(store).blobs == 3
        with pytest.raises(ContentGone), store.catalog.write() as connection:
            writer.commit(connection)
    with store.writer() as writer:
        assert writer.add_content(data) == ids
        writer.flush()
        with store.catalog.write() as connection:
            writer.commit(connection)
    assert store.read(ids[0]) == data


def test_another_process_does_not_trust_what_it_remembers_of_the_index(
    tmp_path: Path, store: Store, snapshot: Take
) -> None:
    data = content("a")
    snapshot(store, "anna", 1, {"a": data})
    other = Store.open(store.backend.url, store.catalog)
    with other.writer() as writer:
        (id_,) = writer.add_content(data)
    delete(store, 1)
    now(store)
    with other.writer() as writer:
        writer.add_content(data)
        writer.flush()
        with other.catalog.write() as connection:
            writer.commit(connection)
    assert other.read(id_) == data
    other.close()


def test_a_writer_that_is_not_done_keeps_its_packs(store: Store) -> None:
    with store.writer() as writer:
        (id_,) = writer.add_content(content("a"))
        writer.flush()
        done = collect(store, grace=0.0)
        assert (done.packs_deleted, rows(store, t.doomed)) == (0, 1)
        with store.catalog.write() as connection:
            writer.commit(connection)
    assert rows(store, t.doomed) == 0
    assert store.read(id_) == content("a")


def test_a_writer_whose_pack_was_deleted_learns_it(store: Store) -> None:
    with store.writer() as writer:
        writer.add_content(content("a"))
        writer.flush()
        assert now(store).packs_deleted == 1
        with pytest.raises(ContentGone), store.catalog.write() as connection:
            writer.commit(connection)
    assert verify(store).ok


def test_a_snapshot_taken_while_it_marks_is_followed_too(store: Store, snapshot: Take) -> None:
    files = {"a": content("a")}
    snapshot(store, "anna", 1, files)
    delete(store, 1)
    taken: list[bytes] = []

    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "condemn" and not taken:
            taken.append(snapshot(store, "ben", 1, {**files, "b": b"b"}))

    now(store, progress=meanwhile)
    assert read(store, taken[0]) == {**files, "b": b"b"}
    assert verify(store).ok


def test_what_was_last_distributed_is_kept(store: Store, snapshot: Take) -> None:
    root = snapshot(store, "anna", 1, {"a": content("a")})
    with store.catalog.write() as connection:
        connection.execute(sa.update(t.instance).values(base_root=root))
    delete(store, 1)
    assert now(store).blobs == 1
    assert read(store, root) == {"a": content("a")}
    assert verify(store).ok


def test_a_store_that_cannot_be_followed_is_left_alone(store: Store, snapshot: Take) -> None:
    root = snapshot(store, "anna", 1, {"a": content("a")})
    snapshot(store, "anna", 2, {"b": content("b")})
    delete(store, 2)
    with store.catalog.write() as connection:
        connection.execute(sa.text("DELETE FROM blob WHERE id = :id"), {"id": root})
    store.index.forget()
    before = size(store)
    with pytest.raises(StoreDamaged):
        now(store)
    assert size(store) == before
    assert rows(store, t.condemned) == 0


def test_many_small_packs_become_few(store: Store, snapshot: Take) -> None:
    roots = [snapshot(store, "anna", n, {"a": f"{n}".encode(), "b": b"b"}) for n in range(1, repack.MANY + 1)]
    foreseen = now(store, dry_run=True)
    done = now(store)
    assert done.packs_rewritten == foreseen.packs_rewritten == repack.MANY
    assert (done.freed, done.written) == (foreseen.freed, foreseen.written)
    assert rows(store, t.pack) == len(list(store.backend.list())) == 1
    assert [read(store, root)["a"] for root in roots] == [f"{n}".encode() for n in range(1, repack.MANY + 1)]
    assert verify(store).ok
    assert now(store).packs_rewritten == 0


def test_a_damaged_pack_is_left_as_it_is(store: Store, snapshot: Take) -> None:
    snapshot(store, "anna", 1, {"a": content("a"), "b": content("b", 60_000)})
    root = snapshot(store, "anna", 2, {"a": content("a")})
    delete(store, 1)
    path = next(item.path for item in store.backend.list() if item.size > 60_000)
    file = Path(store.backend.url, path)
    with store.catalog.read() as connection:
        (id_,) = tree.find(store, root, "a").content  # type: ignore[union-attr]
        place = store.index.locate([id_])[id_]
    data = bytearray(file.read_bytes())
    data[place.offset + 5] ^= 1
    file.write_bytes(data)
    done = now(store)
    assert done.damaged == (file.name,)
    assert file.exists()
    assert [one.code for one in verify(store).damage] == ["pack_damaged", "blob_damaged"]
    assert connection.closed


def test_cancelled_between_any_two_steps_it_goes_on_the_next_time(store: Store, snapshot: Take) -> None:
    kept = {"kept": content("kept")}
    snapshot(store, "anna", 1, {**kept, "gone": content("gone", 60_000)})
    root = snapshot(store, "anna", 2, kept)
    delete(store, 1)
    asked = 0
    for patience in range(100):
        left = iter(range(patience))
        try:
            now(store, cancelled=lambda: next(left, None) is None)  # noqa: B023
        except Cancelled:
            asked += 1
            assert verify(store).ok
            continue
        break
    assert asked > 3
    assert read(store, root) == kept
    report = verify(store)
    assert report.ok
    assert report.unreferenced == 0
    assert size(store) < 60_000


def test_a_repair_does_not_bring_collected_packs_back(store: Store, snapshot: Take) -> None:
    snapshot(store, "anna", 1, {"a": content("a")})
    root = snapshot(store, "anna", 2, {"b": content("b")})
    delete(store, 1)
    collect(store, grace=0.0, early=True)
    with store.catalog.write() as connection:
        connection.execute(sa.update(t.doomed).values(deleting_at=None))
    done = repair(store)
    assert done.packs_added == 0
    assert read(store, root) == {"b": content("b")}


def test_what_is_kept_between_runs_may_be_damaged_or_lost(
    tmp_path: Path, store: Store, snapshot: Take
) -> None:
    memory = tmp_path / "graph"
    root = snapshot(store, "anna", 1, {"a/b/c": content("c"), "d": b"d"})
    now(store, memory=memory)
    whole = memory.read_bytes()
    assert whole
    for damage in (b"", whole[:-1], whole[:40] + b"x" + whole[41:], b"nuvo graph 1\n"):
        memory.write_bytes(damage)
        assert now(store, memory=memory).blobs == 0
    for number in range(2, 8):
        snapshot(store, "anna", number, {"e/f": content(f"{number}"), "g/h": content(f"h{number}")})
        now(store, memory=memory)
    for number in range(2, 8):
        delete(store, number)
    assert now(store, memory=memory).snapshots == 6
    assert now(store, memory=memory).blobs == 0
    assert read(store, root) == {"a/b/c": content("c"), "d": b"d"}


def test_bytes_that_are_a_folder_here_and_a_file_there_are_kept_for_either(
    store: Store, snapshot: Take
) -> None:
    inner = tree.encode_tree([TreeEntry("x", Node(NodeKind.FILE, size=1, content=(b"\x01" * 32,)))])
    root = snapshot(store, "anna", 1, {"looks like a folder": inner})
    # What the file seems to refer to is nowhere, and nobody minds.
    assert now(store).blobs == 0
    assert read(store, root) == {"looks like a folder": inner}
