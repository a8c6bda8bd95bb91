from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.catalog import tables
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import add_manifest
from nuvo_jupyter.store.store import Store


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    yield catalog
    catalog.close()


@pytest.fixture
def store(tmp_path: Path, catalog: Catalog) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "store"), catalog)
    yield store
    store.close()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for many generated examples: content never collides."""
    folder = tmp_path_factory.mktemp("shared")
    catalog = Catalog(f"sqlite:///{folder}/catalog.sqlite")
    store = Store.open(str(folder / "store"), catalog)
    yield store
    store.close()
    catalog.close()


@pytest.fixture
def snapshot() -> Callable[[Store, str, int, dict[str, bytes]], bytes]:
    """Store files as a snapshot ``course/NAME@NUMBER`` and return its root's id."""

    def take(store: Store, name: str, number: int, files: dict[str, bytes]) -> bytes:
        with store.writer() as writer:
            nodes = {
                path: Node(NodeKind.FILE, size=len(data), content=writer.add_content(data))
                for path, data in files.items()
            }
            root = tree.build(nodes, writer)
            manifest = add_manifest(writer, Manifest(root, files=len(files)))
            writer.flush()
            with store.catalog.write() as connection:
                writer.commit(connection)
                instance = _instance(connection, name)
                connection.execute(
                    tables.snapshot.insert().values(
                        instance_id=instance, number=number, manifest=manifest, root=root, reason="manual",
                        files=len(files), size=0, created_at=0.0, created_by="teacher",
                    )
                )  # fmt: skip
        return root

    return take


def _instance(connection, name: str) -> int:  # type: ignore[no-untyped-def]
    found = connection.execute(tables.instance.select().where(tables.instance.c.name == name)).first()
    if found is not None:
        return int(found.id)
    space = connection.execute(tables.space.select()).first()
    if space is None:
        connection.execute(tables.organization.insert().values(id=1, name="university", created_at=0.0))
        connection.execute(
            tables.space.insert().values(
                id=1, organization_id=1, name="course", kind="course", created_at=0.0, created_by="teacher"
            )
        )
    made = connection.execute(
        tables.instance.insert().values(
            space_id=1,
            name=name,
            kind="personal",
            workspace=f"/none/{name}",
            created_at=0.0,
            created_by="teacher",
        )
    )
    return int(made.inserted_primary_key[0])
