"""Measuring what each table, application, file and folder of an instance needs of the store, over all its snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nuvo_jupyter.catalog.releasing import Held
from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.errors import NotFound
from nuvo_jupyter.model.growth import PathUsage
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.objects import APPLICATIONS, TABLES, kind_of, name_of
from nuvo_jupyter.model.paths import join, parent
from nuvo_jupyter.store import tree
from nuvo_jupyter.store.graph import Graph, Reached
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.store.usage import NOBODY, SHARED, Sizes

MOST = 500
"""Paths that are told, the largest."""
_SETS = 32
"""Sets of snapshots of which it is worked out what deleting them frees."""
_HELD_APART = ("", TABLES, parent(APPLICATIONS), APPLICATIONS)
"""Folders whose entries are told one by one when everything is asked for."""


class Row:
    """One path: in which snapshots it is, and which blobs its versions need.

    Args:
        is_folder: whether the newest that was seen is one.
    """

    def __init__(self, is_folder: bool) -> None:
        self.is_folder = is_folder
        self.snapshots: set[int] = set()
        self.versions: set[tuple[bytes, ...]] = set()
        self.folders: set[int] = set()
        self.contents: set[int] = set()


class Paths:
    """What the states of one instance hold in one folder.

    Args:
        graph: knows everything that is held.
        folder: path text; ``""`` for everything, of which tables and applications are told one by one.
        stop: called now and then; raises to stop.
    """

    def __init__(self, store: Store, graph: Graph, folder: str, stop: Callable[[], None]) -> None:
        self._store = store
        self._graph = graph
        self._folder = folder
        self._stop = stop
        self._listed: dict[tuple[bytes, str], list[tuple[str, Node]]] = {}
        self.rows: dict[str, Row] = {}

    def add(self, root: bytes, snapshot: int | None) -> None:
        """Count one state in.

        Args:
            root: of its tree.
            snapshot: row id; ``None`` for what was last distributed.
        """
        try:
            start = tree.find(self._store, root, self._folder) if self._folder else None
        except NotFound:
            return
        if self._folder and (start is None or start.kind is not NodeKind.FOLDER):
            return
        for path, node in self._list(root if start is None else start.content[0], self._folder):
            row = self.rows.setdefault(path, Row(node.kind is NodeKind.FOLDER))
            row.is_folder = node.kind is NodeKind.FOLDER
            if snapshot is not None:
                row.snapshots.add(snapshot)
            version = node.content or (node.link.encode(errors="surrogateescape"),)
            if version not in row.versions:
                row.versions.add(version)
                self._need(row, node)

    def _list(self, id_: bytes, folder: str) -> list[tuple[str, Node]]:
        """The paths in a folder that are told; each folder is read once."""
        known = self._listed.get((id_, folder))
        if known is None:
            self._stop()
            known = []
            for entry in tree.entries(self._store, id_):
                path = join(folder, entry.name)
                if entry.node.kind is NodeKind.FOLDER and not self._folder and _is_apart(path):
                    known += self._list(entry.node.content[0], path)
                else:
                    known.append((path, entry.node))
            self._listed[id_, folder] = known
        return known

    def _need(self, row: Row, node: Node) -> None:
        if node.kind is not NodeKind.FOLDER:
            row.contents.update(self._graph.contents[id_] for id_ in node.content)
            return
        folders, contents = self._all_below(node.content[0])
        row.folders |= folders
        row.contents |= contents

    def _all_below(self, id_: bytes) -> tuple[set[int], set[int]]:
        pending = [self._graph.folder(id_)]
        folders, contents = set(pending), set[int]()
        while pending:
            for edge in self._graph.below(pending.pop()):
                if edge & 1:
                    contents.add(edge >> 1)
                elif edge >> 1 not in folders:
                    folders.add(edge >> 1)
                    pending.append(edge >> 1)
        return folders, contents


def _is_apart(path: str) -> bool:
    return path in _HELD_APART or (parent(path) == TABLES and kind_of(path) is not ObjectKind.TABLE)


def measured(
    paths: Paths,
    elsewhere: Reached,
    sizes: Sizes,
    frees: Callable[[Iterable[int]], int],
    newest: int | None,
) -> tuple[PathUsage, ...]:
    """What every path needs, the largest first.

    Args:
        elsewhere: what other instances reach.
        frees: stored bytes that would be free without some snapshots.
        newest: id of the newest snapshot.
    """
    folders = _owners(
        ((number, row.folders) for number, row in enumerate(paths.rows.values(), 1)), elsewhere.folders
    )
    contents = _owners(
        ((number, row.contents) for number, row in enumerate(paths.rows.values(), 1)), elsewhere.contents
    )
    found = []
    for number, (path, row) in enumerate(paths.rows.items(), 1):
        held = alone = 0
        for owners, numbers, lengths in (
            (folders, row.folders, sizes.folders),
            (contents, row.contents, sizes.contents),
        ):
            held += sum(lengths[one] for one in numbers)
            alone += sum(lengths[one] for one in numbers if owners[one] == number)
        found.append((held, alone, path, row))
    found.sort(key=lambda item: (-item[0], item[2]))
    known: dict[frozenset[int], int] = {}
    told = []
    for held, alone, path, row in found[:MOST]:
        which = frozenset(row.snapshots)
        if which and which not in known and len(known) < _SETS:
            known[which] = frees(which)
        told.append(
            PathUsage(
                path=path,
                name=name_of(path),
                kind=kind_of(path),
                folder=row.is_folder,
                snapshots=len(which),
                versions=len(row.versions),
                held=held,
                alone=alone,
                frees=known.get(which, None if which else 0),
                newest=newest in which,
            )
        )
    return tuple(told)


def _owners(rows: Iterable[tuple[int, set[int]]], elsewhere: bytearray) -> Mapping[int, int]:
    """Which row alone needs a blob; ``SHARED`` where several do, or another instance does."""
    owners: dict[int, int] = {}
    for row, numbers in rows:
        for number in numbers:
            other = SHARED if number < len(elsewhere) and elsewhere[number] else owners.get(number, NOBODY)
            owners[number] = row if other == NOBODY else SHARED
    return owners


def reached_by(graph: Graph, store: Store, held: Iterable[Held], stop: Callable[[], None]) -> Reached:
    """Everything that some holders need."""
    found = Reached()
    listed = list(held)
    graph.reach(
        store,
        found,
        (one.manifest for one in listed if one.manifest is not None),
        (id_ for one in listed for id_ in one.trees),
        stop=stop,
    )
    return found
