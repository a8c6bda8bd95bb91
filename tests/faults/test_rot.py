"""Bytes that change by themselves: noticed, never handed out, taken back from what is still sound, or named."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from blake3 import blake3

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import StoreDamaged
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.store import RepairReport, VerifyReport
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify
from tests.contract.disk import file, found_in, lay_out
from tests.contract.disk import tree as folder_of
from tests.engine.campus import Campus

from .conftest import Extent

FILES = folder_of(
    {
        "week1/notes.txt": "notes\n" * 300,
        "week1/same.txt": "the same\n" * 40,
        "week2/same.txt": "the same\n" * 40,
        "week2/own.bin": file(zlib.compress(bytes(range(256)) * 20)),
        "big.bin": file(
            b"".join(zlib.crc32(bytes([n % 251, n >> 8])).to_bytes(4, "big") for n in range(60_000))
        ),
        "README.md": "hello",
    }
)
CHANGED = {**FILES, b"README.md": file("hello again"), b"week2/own.bin": file("other")}

Content = dict[str, dict[str, bytes]]


def flip(path: Path, position: int, mask: int) -> None:
    with path.open("r+b") as out:
        out.seek(position)
        byte = out.read(1)[0]
        out.seek(position)
        out.write(bytes([byte ^ mask]))


class Place(NamedTuple):
    """A home with some snapshots, and what they hold."""

    campus: Campus
    content: Content

    @property
    def store(self) -> Path:
        return self.campus.home / "store"

    def verified(self) -> VerifyReport:
        found: VerifyReport = self.campus.call("verify_show", id=self.campus.run("verify").id)
        return found

    def repaired(self, **fields: str) -> RepairReport:
        found: RepairReport = self.campus.call("repair_show", id=self.campus.run("repair", **fields).id)
        return found


def content_of(catalog: Catalog, store: Store) -> Content:
    """Every file of every snapshot, read; those that cannot be read are left out."""
    with catalog.read() as connection:
        rows = connection.execute(t.snapshot.select()).all()
    found: Content = {}
    for row in rows:
        files = found.setdefault(str(row.id), {})
        try:
            nodes = tree.flatten(store, row.root)
            store.manifest(row.manifest)
        except StoreDamaged:
            continue
        for path, node in nodes.items():
            if node.kind is NodeKind.FILE:
                try:
                    files[path] = store.read_file(node)
                except StoreDamaged:
                    continue
    return found


def make(folder: Path) -> Place:
    campus = Campus(folder)
    campus.space()
    lay_out(campus.workspace("intro/master"), FILES)
    campus.snapshot("intro/master")
    lay_out(campus.workspace("intro/master"), CHANGED)
    campus.snapshot("intro/master")
    return Place(campus, content_of(campus.catalog, campus.engine.store))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = make(tmp_path / "campus")
    yield made
    made.campus.close()


def files_of(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*") if path.is_file())


def test_any_flipped_byte_is_noticed_and_never_comes_out(place: Place, extent: Extent) -> None:
    files = files_of(place.store)
    sizes = [path.stat().st_size for path in files]
    chance = extent.chance("rot")
    # The few bytes of the format's mark would nearly never be hit by chance.
    hits = [(files.index(place.store / "format"), position) for position in range(0, 30, 7)]
    while len(hits) < extent.runs(100, 1000):
        (which,) = chance.choices(range(len(files)), sizes)
        # Every fourth in the last part of a file, where a pack's index is.
        first = max(0, sizes[which] - 500) if len(hits) % 4 == 0 else 0
        hits.append((which, chance.randrange(first, sizes[which])))
    noticed_by_reading = 0
    for which, position in hits:
        mask = 1 << chance.randrange(8)
        note = f"{files[which].name} at {position} ^ {mask} (seed {extent.seed})"
        flip(files[which], position, mask)
        try:
            store = Store.open(str(place.store), place.campus.catalog)
        except StoreDamaged:
            flip(files[which], position, mask)
            continue
        report = verify(store)
        found = content_of(place.campus.catalog, store)
        flip(files[which], position, mask)
        if files[which].name == "format":
            # What still reads as the same mark is the same mark.
            assert report.ok, note
            assert found == place.content, note
            continue
        assert not report.ok, note
        for snapshot, right in place.content.items():
            assert found[snapshot].items() <= right.items(), note
        noticed_by_reading += found != place.content
        # What cannot be read is what the report names.
        assert (found != place.content) == bool(report.affected), note
    print(f"rot: {len(hits)} bytes flipped, {noticed_by_reading} of them in content, seed {extent.seed}")
    assert place.verified().ok


def damage(place: Place, *, lose: bool) -> None:
    """Spoil every pack in many places, or remove all but the newest."""
    packs = [path for path in files_of(place.store) if path.name != "format"]
    for path in packs:
        if lose and path != packs[-1]:
            path.unlink()
        else:
            for position in range(40, path.stat().st_size, 512):
                flip(path, position, 4)


@pytest.mark.parametrize("lose", [True, False])
def test_what_still_lies_in_workspaces_is_taken_back(place: Place, lose: bool) -> None:
    """The newest snapshot is whole again; of the older one what has changed since is lost, and named."""
    damage(place, lose=lose)
    assert not place.verified().ok
    report = place.repaired()
    assert report.taken_back
    assert report.damage
    lost = {item.reference.partition(":")[0] for item in report.lost}
    assert lost == {"intro/master@1"}, report.lost
    verified = place.verified()
    assert verified.affected == report.lost
    assert {item.code for item in verified.damage} == {"blob_missing"}
    found = content_of(place.campus.catalog, place.campus.engine.store)
    newest = max(place.content, key=int)
    assert found[newest] == place.content[newest]


def test_what_a_copy_has_is_taken_back_and_the_rest_is_named(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(place.store, copy)
    lay_out(place.campus.workspace("intro/master"), {})
    damage(place, lose=False)
    report = place.repaired(source=str(copy))
    assert (report.lost, bool(report.taken_back)) == ((), True)
    assert place.verified().ok
    assert content_of(place.campus.catalog, place.campus.engine.store) == place.content
    again = place.repaired()
    assert (again.damage, again.lost, again.taken_back) == ((), (), 0)


def test_a_damaged_copy_gives_what_is_sound_in_it(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(place.store, copy)
    lay_out(place.campus.workspace("intro/master"), {})
    with place.campus.catalog.read() as connection:
        row = connection.execute(t.blob.select().where(t.blob.c.id == blake3(b"hello").digest())).one()
        name = connection.execute(t.pack.select().where(t.pack.c.id == row.pack_id)).one().name.hex()
    for store in (place.store, copy):
        flip(store / "packs" / name[:2] / name, row.offset, 1)
    report = place.repaired(source=str(copy))
    assert [item.reference for item in report.lost] == ["intro/master@1:README.md"]
    found = content_of(place.campus.catalog, place.campus.engine.store)
    assert {path for path in place.content["1"] if path not in found["1"]} == {"README.md"}


def test_a_copy_that_is_none(place: Place, tmp_path: Path) -> None:
    task = place.campus.finish(place.campus.call("repair", source=str(tmp_path / "nowhere")))
    assert (task.state, task.problem and task.problem.code) == ("failed", "not_found")
    assert not (tmp_path / "nowhere").exists()
    assert place.verified().ok


def test_a_sound_blob_of_a_damaged_pack_stays(place: Place) -> None:
    lay_out(place.campus.workspace("intro/master"), {})
    biggest = max(files_of(place.store), key=lambda path: path.stat().st_size)
    flip(biggest, biggest.stat().st_size - 1, 1)
    assert not place.verified().ok
    report = place.repaired()
    assert (report.blobs_removed, report.lost) == (0, ())
    assert place.verified().ok
    os.unlink(biggest)
    assert place.verified().ok
    assert content_of(place.campus.catalog, place.campus.engine.store) == place.content


def test_modes_and_links_come_back_from_a_workspace(place: Place) -> None:
    """Folders are content, too: with the same modes and times they are the same blobs."""
    before = found_in(place.campus.workspace("intro/master"))
    damage(place, lose=False)
    place.repaired()
    place.campus.run("restore", source="intro/master@2")
    assert found_in(place.campus.workspace("intro/master")) == before
