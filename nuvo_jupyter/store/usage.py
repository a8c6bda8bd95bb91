"""Who holds what: the stored bytes that one holder has alone, and what would be free without some of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import condemned
from nuvo_jupyter.catalog.releasing import Held
from nuvo_jupyter.store.graph import Graph

NOBODY = 0
SHARED = -1


class Sizes(NamedTuple):
    """Stored bytes by the number of a folder (or manifest), and of a content; and of what the graph does not know."""

    folders: array[int]
    contents: array[int]
    unknown: int


def sizes(graph: Graph, connection: Connection) -> Sizes:
    """How large every blob is in the store."""
    folders = array("q", bytes(8 * len(graph.names)))
    contents = array("q", bytes(8 * len(graph.contents)))
    unknown = 0
    folder_of, content_of = graph.folders.get, graph.contents.get
    for row in condemned.rows(connection):
        if (number := folder_of(row.id)) is not None:
            # The same bytes as a file's content count here.
            folders[number] = row.length
        elif (number := content_of(row.id)) is not None:
            contents[number] = row.length
        else:
            unknown += row.length
    return Sizes(folders, contents, unknown)


class Owners:
    """For every blob the one holder that needs it, ``SHARED`` or ``NOBODY``.

    Each folder is walked at most twice, however many hold it.

    Args:
        graph: knows everything that is held.
        holders: label (from 1) and what it holds; a label may come again.
    """

    def __init__(self, graph: Graph, holders: Iterable[tuple[int, Held]], stop: Callable[[], None]) -> None:
        self._graph = graph
        self.folders = [NOBODY] * len(graph.names)
        self.contents = [NOBODY] * len(graph.contents)
        for count, (label, held) in enumerate(holders):
            if not count % 256:
                stop()
            self._walk(label, roots_of(graph, held))
        self._join()

    def _walk(self, label: int, pending: list[int]) -> None:
        folders, contents = self.folders, self.contents
        below = self._graph.below
        while pending:
            number = pending.pop()
            known = folders[number]
            if known in (label, SHARED):
                continue
            if known != NOBODY:
                self._share(number)
                continue
            folders[number] = label
            for edge in below(number):
                if edge & 1:
                    owner = contents[edge >> 1]
                    if owner == NOBODY:
                        contents[edge >> 1] = label
                    elif owner != label:
                        contents[edge >> 1] = SHARED
                else:
                    owner = folders[edge >> 1]
                    if owner not in (label, SHARED):
                        pending.append(edge >> 1)

    def _share(self, number: int) -> None:
        folders, contents = self.folders, self.contents
        below = self._graph.below
        folders[number] = SHARED
        pending = [number]
        while pending:
            for edge in below(pending.pop()):
                if edge & 1:
                    contents[edge >> 1] = SHARED
                elif folders[edge >> 1] != SHARED:
                    folders[edge >> 1] = SHARED
                    pending.append(edge >> 1)

    def _join(self) -> None:
        """The same bytes as a folder here and a file's content there are one blob."""
        for id_ in self._graph.folders.keys() & self._graph.contents.keys():
            number = self._graph.folders[id_]
            one, other = self.folders[number], self.contents[self._graph.contents[id_]]
            if other not in (NOBODY, one):
                self.folders[number] = other if one == NOBODY else SHARED

    def alone(self, measured: Sizes) -> dict[int, int]:
        """Stored bytes by the holder that alone needs them; under ``SHARED`` and ``NOBODY`` the others."""
        found: dict[int, int] = {}
        for owners, lengths in ((self.folders, measured.folders), (self.contents, measured.contents)):
            for owner, length in zip(owners, lengths, strict=True):
                if length:
                    found[owner] = found.get(owner, 0) + length
        return found


def roots_of(graph: Graph, held: Held) -> list[int]:
    """Numbers of the manifest and the trees that one holder names."""
    ids = held.trees if held.manifest is None else (held.manifest, *held.trees)
    return [graph.folder(id_) for id_ in ids]


class Totals:
    """Stored bytes of everything that some holders need, each blob counted once.

    Args:
        graph: knows everything that is held.
    """

    def __init__(self, graph: Graph, measured: Sizes) -> None:
        self._graph = graph
        self._inner: dict[int, tuple[int, ...]] = {}
        self._sizes = [0] * (2 * max(len(measured.folders), len(measured.contents)))
        self._sizes[0 : 2 * len(measured.folders) : 2] = measured.folders
        self._sizes[1 : 2 * len(measured.contents) : 2] = measured.contents

    def of(self, held: Iterable[Held]) -> int:
        """Of some holders together."""
        inner, below = self._inner, self._graph.below
        roots = {number for one in held for number in roots_of(self._graph, one)}
        seen = {number << 1 for number in roots}
        walked = set(roots)
        pending = list(roots)
        while pending:
            number = pending.pop()
            edges = below(number)
            seen.update(edges)
            folders = inner.get(number)
            if folders is None:
                folders = inner[number] = tuple(edge >> 1 for edge in edges if not edge & 1)
            for folder in folders:
                if folder not in walked:
                    walked.add(folder)
                    pending.append(folder)
        return sum(map(self._sizes.__getitem__, seen))


def freed(
    graph: Graph,
    held: Iterable[Held],
    without: Callable[[Held], bool],
    measured: Sizes,
    stop: Callable[[], None],
) -> int:
    """Stored bytes that would be free if what ``without`` says yes to held nothing any more."""
    kept, gone = 1, 2
    labels: Mapping[bool, int] = {False: kept, True: gone}
    owners = Owners(graph, ((labels[without(one)], one) for one in held), stop)
    return owners.alone(measured).get(gone, 0)
