"""Installations: a catalog and a store each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.interop.crate import Author, CrateMetadata, Imported
from nuvo_jupyter.interop.export import export_crate
from nuvo_jupyter.interop.importing import import_crate
from nuvo_jupyter.model.nodes import Manifest, Node, NodeKind
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.manifest import add_manifest
from nuvo_jupyter.store.store import Store

METADATA = CrateMetadata(
    name="Tides & currents",
    description="Everything for chapter 3.",
    authors=(
        Author(
            name="Ada Müller",
            identifier="https://orcid.org/0000-0002-1825-0097",
            affiliation="Sea University",
        ),
        Author(name="Bo"),
    ),
    license="https://spdx.org/licenses/CC-BY-4.0",
    published="2026-11-21",
    keywords=("sea", "tides"),
)


class Installation:
    """A catalog and a store."""

    def __init__(self, home: Path) -> None:
        self.catalog = Catalog(f"sqlite:///{home}/catalog.sqlite")
        self.store = Store.open(str(home / "store"), self.catalog)

    def snapshot(self, files: Mapping[str, bytes | Node], **more: Any) -> bytes:
        """A snapshot of files, or links and folders as nodes; gives its id."""
        with self.store.writer() as writer:
            nodes = {
                path: Node(
                    NodeKind.FILE, 0o644, len(what), 1_700_000_000_123_456_789, writer.add_content(what)
                )
                if isinstance(what, bytes)
                else what
                for path, what in files.items()
            }
            root = tree.build(nodes, writer)
            size = sum(node.size for node in nodes.values())
            id_ = add_manifest(writer, Manifest(root, files=len(nodes), size=size, **more))
            writer.flush()
            with self.catalog.write() as connection:
                writer.commit(connection)
        return id_

    def exported(self, id_: bytes, **options: Any) -> bytes:
        out = io.BytesIO()
        export_crate(self.store, id_, out, metadata=METADATA, **options)
        return out.getvalue()

    def imported(self, crate: bytes, **options: Any) -> Imported:
        with self.store.writer() as writer:
            imported = import_crate(io.BytesIO(crate), writer, **options)
            writer.flush()
            with self.catalog.write() as connection:
                writer.commit(connection)
        return imported

    def close(self) -> None:
        self.store.close()
        self.catalog.close()


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Callable[[], Installation]]:
    made: list[Installation] = []

    def install() -> Installation:
        home = tmp_path / f"home-{len(made)}"
        home.mkdir()
        made.append(Installation(home))
        return made[-1]

    yield install
    for one in made:
        one.close()
