"""A catalog or a store that is gone is no fresh home; what a store describes by itself can be had again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.rebuild import rebuild
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import CatalogDamaged, CatalogLost, InvalidInput, StoreDamaged
from nuvo_jupyter.store.manifests import described
from nuvo_jupyter.store.tree import flatten
from tests.contract.disk import Tree, clear, file, found_in, lay_out, tree
from tests.engine.campus import Campus

STATES: list[Tree] = [
    tree({"a.txt": "first", "week1/b.txt": "b"}),
    tree({"a.txt": "second", "week1/b.txt": "b", "week2/c.txt": "c"}),
    tree({"a.txt": "third", "run.sh": file("#!", 0o755)}),
]


@pytest.fixture
def settings(tmp_path: Path) -> Nuvo:
    """A closed home with three snapshots."""
    campus = Campus(tmp_path / "campus")
    campus.space()
    for moment, state in enumerate(STATES):
        folder = campus.workspace("intro/master")
        lay_out(folder, state)
        for path in folder.rglob("*"):
            os.utime(path, (1_700_000_000 + moment, 1_700_000_000 + moment))
        campus.snapshot("intro/master")
    settings = campus.engine.settings
    campus.close()
    return settings


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("lose", [remove, empty])
def test_a_store_without_its_catalog_is_not_a_fresh_home(
    settings: Nuvo, lose: Callable[[Path], None]
) -> None:
    catalog = Path(settings.home, "catalog.sqlite")
    saved = catalog.read_bytes()
    lose(catalog)
    for _ in range(2):
        with pytest.raises(CatalogLost, match=r"missing or empty, but the store .* holds content") as error:
            Engine.open(settings)
        assert "nuvo rebuild" in str(error.value.hint)
    catalog.write_bytes(saved)
    Engine.open(settings).close()


def test_a_damaged_catalog_is_named(settings: Nuvo) -> None:
    catalog = Path(settings.home, "catalog.sqlite")
    catalog.write_bytes(b"x" * 8192)
    with pytest.raises(CatalogDamaged, match="not a database"):
        Engine.open(settings)
    with pytest.raises(InvalidInput, match="There is a catalog already"):
        rebuild(settings)


def test_a_catalog_without_its_store_is_not_a_fresh_store(settings: Nuvo) -> None:
    store = Path(settings.home, "store")
    store.rename(store.with_name("elsewhere"))
    for _ in range(2):
        with pytest.raises(StoreDamaged, match="is empty, but the catalog knows of content in it"):
            Engine.open(settings)
    shutil.rmtree(store)
    store.with_name("elsewhere").rename(store)
    Engine.open(settings).close()


def test_a_first_capture_that_was_killed_leaves_a_fresh_home(tmp_path: Path) -> None:
    """Its packs lie there, and nothing refers to them."""
    campus = Campus(tmp_path / "campus")
    with campus.engine.store.writer() as writer:
        writer.add(b"never committed")
        writer.flush()
    settings = campus.engine.settings
    campus.close()
    Engine.open(settings).close()


@pytest.mark.parametrize("lose", [remove, empty])
def test_a_rebuilt_catalog_has_every_snapshot_of_the_store(
    settings: Nuvo, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    lose(Path(settings.home, "catalog.sqlite"))
    report = rebuild(settings)
    assert (report.snapshots, report.space) == (3, "recovered")
    campus = Campus(tmp_path / "campus")
    try:
        shown = campus.call("snapshot_list", instance="recovered/master")
        assert {item.number: item.description for item in shown} == {
            1: "Found in the store: a.txt, week1",
            2: "Found in the store: a.txt, week1, week2",
            3: "Found in the store: a.txt, run.sh",
        }
        assert campus.call("verify_show", id=campus.run("verify").id).ok
        folder = campus.workspace("recovered/master")
        for number, state in enumerate(STATES, 1):
            campus.run("restore", source=f"recovered/master@{number}")
            assert found_in(folder) == state
            clear(folder)
    finally:
        campus.close()
    with pytest.raises(InvalidInput, match="There is a catalog already"):
        rebuild(settings)


def test_what_was_collected_in_part_is_said_to_be_incomplete(settings: Nuvo) -> None:
    engine = Engine.open(settings)
    with engine.catalog.read() as connection:
        manifest = connection.scalar(sa.select(t.snapshot.c.manifest).order_by(t.snapshot.c.id))
        kept = [
            manifest,
            *connection.scalars(sa.select(t.snapshot.c.manifest).where(t.snapshot.c.number > 1)),
        ]
    store = engine.store
    roots = [store.manifest(id_).root for id_ in kept]
    others = {
        content for root in roots[1:] for node in flatten(store, root).values() for content in node.content
    }
    lone = {content for node in flatten(store, roots[0]).values() for content in node.content} - others
    assert lone, "the first snapshot holds something alone"
    with engine.catalog.write() as connection:
        connection.execute(sa.delete(t.blob).where(t.blob.c.id.in_(lone)))
    engine.close()
    engine = Engine.open(settings)
    found = described(engine.store, (), lambda: None)
    engine.close()
    assert sorted((item.id == manifest, item.complete) for item in found) == [
        (False, True),
        (False, True),
        (True, False),
    ]


def test_rebuilding_a_store_with_damage_gives_what_is_sound(settings: Nuvo, tmp_path: Path) -> None:
    Path(settings.home, "catalog.sqlite").unlink()
    packs = sorted(path for path in Path(settings.home, "store", "packs").rglob("*") if path.is_file())
    spoiled = packs[0].read_bytes()
    packs[0].write_bytes(spoiled[:-5])
    report = rebuild(settings)
    assert 0 < report.snapshots < 3
    Engine.open(settings).close()
