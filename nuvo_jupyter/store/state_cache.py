"""Whole states kept in memory by path, since all targets of a distribution get the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from nuvo_jupyter.model.nodes import Node

REMEMBERED = 65_536
"""Objects of the states that are kept, about 500 bytes each; the last state is, however many it has."""
STATES = 4


class StateCache:
    """States by the id of their root tree, the least recently used dropped first. Safe to use from several threads."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._states: OrderedDict[bytes, Mapping[str, Node]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, root: bytes) -> Mapping[str, Node] | None:
        """Everything below a root tree by path text, if remembered; not to be changed."""
        with self._lock:
            nodes = self._states.get(root)
            if nodes is not None:
                self._states.move_to_end(root)
            return nodes

    def put(self, root: bytes, nodes: Mapping[str, Node]) -> None:
        """Remember a state."""
        with self._lock:
            self._states[root] = nodes
            self._states.move_to_end(root)
            while len(self._states) > 1 and (len(self._states) > STATES or self._is_large()):
                self._states.popitem(last=False)

    def forget_large(self) -> None:
        """Forget all if they take much memory: nothing is being delivered any more."""
        with self._lock:
            if self._is_large():
                self._states.clear()

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._states.clear()

    def _is_large(self) -> bool:
        return sum(map(len, self._states.values())) > self._limit
