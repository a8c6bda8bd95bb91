"""Decoded trees kept in memory: the same ones are read for every target of a distribution."""

from __future__ import annotations

import threading
from collections import OrderedDict

from nuvo_jupyter.model.nodes import TreeEntry

Entries = tuple[TreeEntry, ...]

REMEMBERED = 65_536
"""Tree entries kept; about 400 bytes each."""


class TreeCache:
    """Trees by id, the least recently used dropped first. Safe to use from several threads."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._trees: OrderedDict[bytes, Entries] = OrderedDict()
        self._entries = 0
        self._lock = threading.Lock()

    def get(self, id_: bytes) -> Entries | None:
        """The entries of a tree, if remembered."""
        with self._lock:
            entries = self._trees.get(id_)
            if entries is not None:
                self._trees.move_to_end(id_)
            return entries

    def put(self, id_: bytes, entries: Entries) -> None:
        """Remember a tree. One that alone is over the limit is not kept."""
        with self._lock:
            if id_ in self._trees or len(entries) >= self._limit:
                return
            self._trees[id_] = entries
            self._entries += len(entries) + 1
            while self._entries > self._limit:
                _, oldest = self._trees.popitem(last=False)
                self._entries -= len(oldest) + 1

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._trees.clear()
            self._entries = 0
