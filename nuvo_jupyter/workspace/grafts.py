"""Which new folders a plan makes, and with what in them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence

import msgspec

from nuvo_jupyter.model.changes import Action, Change
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.workspace.scan import Fingerprint

_FOLDER = NodeKind.FOLDER


class Seen:
    """How files look, in columns, because there are many: of which change each is, change time, inode and mode."""

    def __init__(self) -> None:
        self._of, self._modes = array("I"), array("I")
        self._ctimes, self._inodes = array("q"), array("Q")

    def add(self, index: int, ctime_ns: int, inode: int, mode: int) -> None:
        """Note a file of a change that is as its node says."""
        self._of.append(index)
        self._ctimes.append(ctime_ns)
        self._inodes.append(inode)
        self._modes.append(mode)

    def each(self, changes: Sequence[Change]) -> Iterator[tuple[str, Fingerprint, Node]]:
        """Path text, look and node of each."""
        modes: dict[int, int] = {}
        for index, ctime_ns, inode, mode in zip(
            self._of, self._ctimes, self._inodes, self._modes, strict=True
        ):
            change = changes[index]
            node = change.node
            assert node is not None
            # Of what is the same for many, or in the node, one is enough.
            seen = Fingerprint(node.size, node.mtime_ns, ctime_ns, inode, modes.setdefault(mode, mode))
            yield change.at, seen, node


class Graft(msgspec.Struct):
    """One new folder with all that comes into it.

    Args:
        at: its path text.
        members: indices of its changes in the plan, itself first, folders before what is in them.
        hidden: path text of where it is written; ``""`` while it is not.
        shown: whether it lies in its place.
        seen: how its files look that will not change unnoticed.
        modes: path text of folders → modes that are set when they lie in their place.
    """

    at: str
    members: array[int]
    hidden: str = ""
    shown: bool = False
    seen: Seen = msgspec.field(default_factory=Seen)
    modes: dict[str, int] = {}

    def place_of(self, path: str) -> str:
        """Where something lies while it is out of sight."""
        return self.hidden + path[len(self.at) :]


class Grafts:
    """The new folders of a plan.

    Args:
        changes: a plan, folders before their children.
        sound: whether a change's path can be.

    Attributes:
        all: in the order of the plan.
        of: of which one each change is part, in the order of the plan; ``None`` for those that are part of none.
    """

    def __init__(self, changes: Sequence[Change], sound: Callable[[Change], bool]) -> None:
        self.all: list[Graft] = []
        self.of: list[Graft | None] = [None] * len(changes)
        inside: dict[str, Graft] = {}
        for index, change in enumerate(changes):
            node = change.node
            if node is None or change.action is not Action.PUT or change.expected is not None:
                continue
            graft = inside.get(change.at.rpartition("/")[0])
            if (graft is None and node.kind is not _FOLDER) or not sound(change):
                continue
            if graft is None:
                graft = Graft(change.at, array("I"))
                self.all.append(graft)
            if node.kind is _FOLDER:
                inside[change.at] = graft
            graft.members.append(index)
            self.of[index] = graft

    def give_up(self, graft: Graft) -> None:
        """Leave what would come into a folder to be put one by one."""
        self.all.remove(graft)
        for index in graft.members:
            self.of[index] = None
