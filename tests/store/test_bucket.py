"""The store in a bucket, against moto's server: a mock of S3 that honours create-if-absent."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator

import pytest
from blake3 import blake3
from moto.server import ThreadedMotoServer

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.model.errors import (
    InvalidInput,
    NotFound,
    ServiceUnavailable,
    StoreDamaged,
    StoreUnsuitable,
)
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.bucket import BucketBackend
from nuvo_jupyter.store.collect import collect
from nuvo_jupyter.store.format import check_format
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.store.repair import repair
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.verify import verify


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, str]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/course", method="PUT")) as answer:
        assert answer.status == 200
    yield {"endpoint": endpoint, "region": "us-east-1", "access_key_id": "key", "secret_access_key": "secret"}
    server.stop()


def test_objects_of_a_bucket(options: dict[str, str]) -> None:
    backend = open_backend("s3://course/objects", options)
    assert backend.put("packs/ab/one", b"first")
    assert not backend.put("packs/ab/one", b"second")
    assert backend.get("packs/ab/one", 0, 100) == b"first"
    assert backend.get("packs/ab/one", 2, 2) == b"rs"
    assert backend.get("packs/ab/one", 50, 2) == b""
    assert backend.size("packs/ab/one") == 5
    assert list(backend.list()) == [("packs/ab/one", 5)]
    backend.delete("packs/ab/one")
    backend.delete("packs/ab/one")
    assert backend.size("packs/ab/one") is None
    with pytest.raises(FileNotFoundError):
        backend.get("packs/ab/one", 0, 1)


def test_a_store_in_a_bucket(options: dict[str, str], catalog: Catalog) -> None:
    store = Store.open("s3://course/semester/store", catalog, options)
    datas = [blake3(bytes([number])).digest(length=300_000) for number in range(80)]
    with store.writer() as writer:
        ids = writer.add_many(datas)
        writer.flush()
        with catalog.write() as connection:
            writer.commit(connection)
    store = Store.open("s3://course/semester/store", catalog, options)
    assert dict(store.read_many(ids)) == dict(zip(ids, datas, strict=True))
    assert verify(store).ok
    packs = list(store.backend.list())
    assert len(packs) == 2
    store.backend.delete(packs[0].path)
    assert [item.code for item in verify(store).damage] == ["pack_missing"]
    told: list[bytes] = []
    found = dict(store.read_many(ids, damaged=lambda id_, _: told.append(id_)))
    assert told
    assert len(told) + len(found) == 80
    with pytest.raises(StoreDamaged, match="missing"):
        store.read(told[0])
    assert repair(store).blobs_removed == len(told)


def test_a_bucket_that_does_not_exist_or_answer(options: dict[str, str]) -> None:
    with pytest.raises(ServiceUnavailable):
        open_backend("s3://nowhere/store", options)
    with pytest.raises(InvalidInput):
        open_backend("nothing-of-the-kind://course/store")


def test_a_server_that_overwrites_is_refused(
    options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What some servers do: take the condition and ignore it.
    def overwrite(self: BucketBackend, path: str, data: Buffer) -> bool:
        import obstore

        obstore.put(self._store, path, bytes(data))
        return True

    monkeypatch.setattr(BucketBackend, "put", overwrite)
    with pytest.raises(StoreUnsuitable):
        open_backend("s3://course/overwriting", options)
    monkeypatch.undo()
    backend: Backend = open_backend("s3://course/overwriting", options)
    assert list(backend.list("probe")) == []


def test_a_store_in_a_bucket_is_brought_up(options: dict[str, str]) -> None:
    backend = open_backend("s3://course/older/store", options)
    done: list[str] = []
    for _ in range(2):
        check_format(backend, version=2, migrations={2: lambda place: done.append(place.url)})
    assert done == ["s3://course/older/store"]
    with pytest.raises(StoreDamaged, match="format version 2"):
        open_backend("s3://course/older/store", options)
    with pytest.raises(NotFound):
        open_backend("s3://course/nothing/here", options, make=False)


def test_collecting_in_a_bucket(
    options: dict[str, str],
    catalog: Catalog,
    snapshot: Callable[[Store, str, int, dict[str, bytes]], bytes],
) -> None:
    store = Store.open("s3://course/collected", catalog, options)
    both = {"shared": blake3(b"shared").digest(20_000)}
    snapshot(store, "anna", 1, {**both, "old": blake3(b"old").digest(90_000)})
    root = snapshot(store, "anna", 2, {**both, "new": blake3(b"new").digest(20_000)})
    before = sum(item.size for item in store.backend.list())
    with catalog.write() as connection:
        connection.exec_driver_sql("UPDATE snapshot SET deleted_at = 1 WHERE number = 1")
    done = collect(store, grace=0.0)
    assert (done.blobs, done.packs_rewritten, done.packs_deleted) == (3, 1, 1)
    assert before - sum(item.size for item in store.backend.list()) == done.freed - done.written > 80_000
    report = verify(store)
    assert report.ok
    assert report.unreferenced == 0
    node = tree.find(store, root, "shared")
    assert node is not None
    assert store.read_file(node) == both["shared"]
    store.close()
