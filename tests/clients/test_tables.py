"""`nuvo.connect()`: the tables of the instance one works in, of its snapshots, and of Distributed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.clients.local import LocalTransport
from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.clients.tables import InstanceTables
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.errors import InvalidInput, NotFound


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Client(LocalTransport(Nuvo(home=str(tmp_path / "home")))) as client:
        yield client


def test_the_current_state_changes_and_snapshots_are_read(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "deep").mkdir(parents=True)
    with pytest.raises(NotFound, match="belongs to no instance"):
        InstanceTables(client, str(folder)).connect()
    client.finish(client.snapshot_create(folder=str(folder)))
    # From any folder inside the instance.
    tables = InstanceTables(client, str(folder / "deep"))
    with tables.connect() as con:
        con.execute("CREATE TABLE marks AS SELECT range AS id FROM range(10)")
        assert (folder / "tables" / "marks.parquet").is_file()
        client.finish(client.snapshot_create(folder=str(folder)))
        con.execute("DELETE FROM marks WHERE id > 2")
        with tables.connect("@2") as old:
            assert old.execute("SELECT count(*) FROM marks").fetchall() == [(10,)]
            with pytest.raises(InvalidInput, match="only reads"):
                old.execute("DELETE FROM marks")
        con.attach("@2", "before")
        gone = "SELECT count(*) FROM before.marks b LEFT JOIN marks m USING (id) WHERE m.id IS NULL"
        assert con.execute(gone).fetchall() == [(7,)]
    with tables.connect("@1") as empty, tables.connect("distributed") as distributed:
        assert list(empty.entries) == list(distributed.entries) == []
    with pytest.raises(NotFound):
        tables.connect("@9")
