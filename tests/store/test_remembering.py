"""What is kept in memory of the store is bounded, and everything is found all the same."""

from __future__ import annotations

import pytest

from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.store import index
from nuvo_jupyter.store.state_cache import STATES, StateCache
from nuvo_jupyter.store.store import Store


def state(size: int) -> dict[str, Node]:
    return {f"{number}": Node(NodeKind.FILE) for number in range(size)}


def test_the_states_used_last_are_kept() -> None:
    cache = StateCache()
    for number in range(STATES + 1):
        cache.put(bytes([number]), state(1))
        assert cache.get(b"\0") is not None
    assert cache.get(b"\1") is None
    assert [cache.get(bytes([number])) is not None for number in range(2, STATES + 1)] == [True] * (
        STATES - 1
    )


def test_a_large_state_is_kept_alone_until_nothing_is_delivered() -> None:
    cache = StateCache(limit=10)
    cache.put(b"a", state(4))
    cache.put(b"b", state(6))
    assert cache.get(b"a") is not None
    cache.forget_large()
    assert cache.get(b"b") is not None
    cache.put(b"c", state(11))
    assert cache.get(b"a") is cache.get(b"b") is None
    assert cache.get(b"c") is not None
    cache.forget_large()
    assert cache.get(b"c") is None


def test_more_blobs_than_are_remembered_are_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "REMEMBERED", 3)
    with store.writer() as writer:
        ids = writer.add_many([bytes([number]) * 9 for number in range(10)])
        writer.flush()
        with store.catalog.write() as connection:
            writer.commit(connection)
    store.index.forget()
    assert store.index.locate(ids[:5]).keys() == set(ids[:5])
    assert store.index.locate(ids).keys() == set(ids)
    assert store.index.locate(ids[::-1]).keys() == set(ids)
    assert len(store.index._places) == 3
