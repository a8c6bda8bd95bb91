"""Which paths of a source a plan is about: everything, or the staged objects and the way to them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.model.paths import parent

# "0" follows "/" in every ordering of text, so folder + "0" ends the range of what lies below a folder.
_BELOW, _BEHIND = "/", "0"


class Scope:
    """The paths of a source that are planned, parents before children.

    Args:
        source: the distributed state, path text → node.
        objects: staged paths, or ``None`` (or one that is ``""``) for the whole state.

    Attributes:
        paths: the source's paths in scope, sorted, with the unstaged parents of staged objects.
        parents: those of ``paths`` that are only the way to a staged object.
        missing: staged paths the source does not have, sorted.
        whole: whether the whole state is in scope.
    """

    def __init__(self, source: Mapping[str, Node], objects: Sequence[str] | None) -> None:
        self.whole = objects is None or "" in objects
        self.parents: set[str] = set()
        self.missing: list[str] = []
        everything = sorted(source)
        if objects is None or self.whole:
            self._staged: frozenset[str] = frozenset()
            self.paths = everything
            return
        wanted = set(objects)
        self.missing = sorted(wanted - source.keys())
        self._staged = frozenset(wanted - set(self.missing))
        chosen = set(self._staged)
        for staged in self._staged:
            chosen.update(_slice_below(everything, staged))
        for staged in self._staged:
            folder = parent(staged)
            while folder and folder not in chosen and folder not in self.parents:
                self.parents.add(folder)
                folder = parent(folder)
        self.parents &= source.keys()
        self.paths = sorted(chosen | self.parents)

    def holds(self, path: str) -> bool:
        """Whether ``path``, of any state, is a staged object or lies inside one."""
        if self.whole:
            return True
        while path:
            if path in self._staged:
                return True
            path = parent(path)
        return False

    def below(self, folder: str) -> list[str]:
        """The paths in scope that lie below ``folder``, sorted."""
        return _slice_below(self.paths, folder)


def _slice_below(ordered: list[str], folder: str) -> list[str]:
    return ordered[bisect_left(ordered, folder + _BELOW) : bisect_left(ordered, folder + _BEHIND)]
