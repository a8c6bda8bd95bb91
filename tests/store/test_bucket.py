"""The store in a bucket, against moto's server: a mock of S3 that honours create-if-absent."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

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
from nuvo_jupyter.store.backend import Backend, open_backend
from nuvo_jupyter.store.bucket import BucketBackend
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
