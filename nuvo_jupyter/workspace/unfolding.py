"""What a captured state holds by path, each folder unfolded when somebody asks for something in it.

Plans ask for what is distributed, which is a small part of what most targets hold.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TypeVar

from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import join
from nuvo_jupyter.workspace.record import Content, FolderRecord, Seen
from nuvo_jupyter.workspace.scan import FILE_MODE, Fingerprint

T = TypeVar("T")


class _Unfolding(Mapping[str, T]):
    """Path text → something of each entry, in the order of the paths; never changed.

    Args:
        folders: path text → record of each folder, ``""`` being the state itself.
    """

    def __init__(self, folders: Mapping[str, FolderRecord]) -> None:
        self._folders = folders
        self._unfolded: dict[str, dict[str, T]] = {}
        self._all: dict[str, T] | None = None

    def __getitem__(self, path: str) -> T:
        if self._all is not None:
            return self._all[path]
        folder, _, name = path.rpartition("/")
        known = self._unfolded.get(folder)
        if known is None:
            record = self._folders.get(folder)
            if record is None:
                raise KeyError(path)
            known = self._unfolded[folder] = self._unfold(record)
        return known[name]

    def get(self, path: str, default: T | None = None) -> T | None:  # type: ignore[override]
        """What is at a path."""
        # Asked for once per distributed object: an exception for each that is not there would be slow.
        if self._all is not None:
            return self._all.get(path, default)
        folder, _, name = path.rpartition("/")
        known = self._unfolded.get(folder)
        if known is None:
            record = self._folders.get(folder)
            if record is None:
                return default
            known = self._unfolded[folder] = self._unfold(record)
        return known.get(name, default)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole())

    def __len__(self) -> int:
        return len(self.whole())

    def whole(self) -> dict[str, T]:
        """All of it, as a dictionary that is not to be changed."""
        if self._all is None:
            found: dict[str, T] = {}
            for path, record in self._folders.items():
                known = self._unfolded.get(path)
                if known is None:
                    known = self._unfold(record)
                for name, item in known.items():
                    found[join(path, name)] = item
            self._all = dict(sorted(found.items(), key=lambda item: item[0]))
            self._unfolded.clear()
        return self._all

    @abstractmethod
    def _unfold(self, record: FolderRecord) -> dict[str, T]:
        """What is asked for of everything in one folder, by name."""


class Nodes(_Unfolding[Node]):
    """Nodes, folders and links included, without ``""``."""

    def _unfold(self, record: FolderRecord) -> dict[str, Node]:
        found = {name: Node(NodeKind.FOLDER, mode) for name, mode in record.below()}
        for name, seen, content in record.entries():
            found[name] = _node(seen, content)
        return found


class Looks(_Unfolding[Fingerprint]):
    """How each file looked."""

    def _unfold(self, record: FolderRecord) -> dict[str, Fingerprint]:
        return {
            name: Fingerprint(*seen)
            for name, seen, content in record.entries()
            if not isinstance(content, str)
        }


def _node(seen: Seen, content: Content) -> Node:
    if isinstance(content, str):
        return Node(NodeKind.LINK, 0o777, link=content)
    return Node(NodeKind.FILE, seen[4] & FILE_MODE, seen[0], seen[1], content or ())
