"""New folders, written out of sight with everything in them and shown in one step.

A folder that is not there yet is made under a hidden name beside its place, filled, made durable, and renamed.
What is in it needs no temporary names and no looks of its own. Where something has appeared at its place meanwhile,
its contents are put one by one instead, from where they lie.
"""

from __future__ import annotations

import contextlib
import os
from array import array
from collections.abc import Callable, Iterator, Sequence

import msgspec

from nuvo_jupyter.model.changes import Action, Change
from nuvo_jupyter.model.errors import Cancelled, NuvoError
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import basename, join, parent, to_name
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.workspace.check import is_as_put
from nuvo_jupyter.workspace.durable import Durability
from nuvo_jupyter.workspace.feed import Batch, Feed
from nuvo_jupyter.workspace.prepare import Put
from nuvo_jupyter.workspace.problems import explain
from nuvo_jupyter.workspace.safe import CREATE_FLAGS, VANISHED, Descent, look
from nuvo_jupyter.workspace.scan import FILE_MODE, FOLDER_MODE, Fingerprint
from nuvo_jupyter.workspace.syscalls import rename_new
from nuvo_jupyter.workspace.temporaries import Names, clear_folder
from nuvo_jupyter.workspace.writing import copy, pour, sync_file, write, wrong_size

_FILE, _FOLDER, _LINK = NodeKind.FILE, NodeKind.FOLDER, NodeKind.LINK

Published = Callable[[str, Fingerprint, Node], None]


class Seen:
    """How files look, in columns, because there are many: of which change each is, change time, inode and mode."""

    def __init__(self) -> None:
        self._of, self._modes = array("I"), array("I")
        self._ctimes, self._inodes = array("q"), array("Q")

    def add(self, index: int, status: os.stat_result) -> None:
        """Note a file of a change that is as its node says."""
        self._of.append(index)
        self._ctimes.append(status.st_ctime_ns)
        self._inodes.append(status.st_ino)
        self._modes.append(status.st_mode)

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


class Grafting:
    """Writes the new folders of one target.

    Args:
        descent: into the workspace.
        changes: the plan.
        feed: gives the contents.
        durability: told of what is written.
        names: for hidden folders.
        tick: called with the number of objects done.
        stop: asked often; raises Cancelled to stop.
        published: as for ``apply``.
    """

    def __init__(
        self,
        descent: Descent,
        changes: Sequence[Change],
        feed: Feed,
        durability: Durability,
        names: Names,
        tick: Callable[[int], None],
        stop: Callable[[], None],
        published: Published | None,
    ) -> None:
        self._descent = descent
        self._changes = changes
        self._feed = feed
        self._durability = durability
        self._names = names
        self._tick = tick
        self._stop = stop
        self._published = published
        self._hidden: list[Graft] = []
        self._home: str | None = None
        self._fd = -1
        self._files = self._bytes = 0
        self._unlike: set[int] = set()
        self._broken: dict[str, str] = {}
        self.problems: dict[int, str] = {}
        self.modes: dict[str, int] = {}
        """Modes to be set at the end, of folders that appeared."""

    def begin(self, graft: Graft) -> bool:
        """Make the hidden folder; ``False`` where the folder's contents have to be put one by one."""
        home, _, name = graft.at.rpartition("/")
        hidden = self._names.new()
        try:
            folder = self._descent.at(home)
            if look(folder, to_name(name)) is not None:
                return False
            os.mkdir(hidden, 0o700, dir_fd=folder)
        except OSError:
            # Putting says what is wrong.
            return False
        self._durability.note(folder)
        graft.hidden = join(home, hidden)
        self._hidden.append(graft)
        return True

    def write(self, grafts: Grafts) -> None:
        """Fill the hidden folders; failures are noted in :attr:`problems`.

        Args:
            grafts: those that were begun.

        Raises:
            Cancelled: by ``stop``.
        """
        of = grafts.of
        members = array("I", (index for index, graft in enumerate(of) if graft is not None))
        with contextlib.closing(self._feed.batches(members, self._content_of)) as batches:
            for batch in batches:
                for index in batch.items:
                    graft = of[index]
                    assert graft is not None
                    self._put(index, graft, batch)
                self._durability.written(self._bytes, self._files)
                self._bytes = self._files = 0
                self._tick(len(batch.items))
                self._stop()
        self._home = None

    def show(self, graft: Graft, folder: int) -> None:
        """Let a folder appear.

        Args:
            folder: descriptor of the open folder it is to lie in.

        Raises:
            FileExistsError: something lies there.
            OSError: it cannot be.
        """
        node = self._changes[graft.members[0]].node
        assert node is not None
        source = self._descent.at(graft.hidden)
        if node.mode & 0o700 == 0o700:
            os.fchmod(source, node.mode)
        else:
            graft.modes[graft.at] = node.mode
        hidden = to_name(basename(graft.hidden))
        rename_new(self._descent.at(parent(graft.hidden)), hidden, folder, to_name(basename(graft.at)))
        self._descent.forget(graft.hidden)
        graft.shown = True
        self.modes.update(graft.modes)
        if self._published is not None:
            for path, seen, put in graft.seen.each(self._changes):
                self._published(path, seen, put)
        graft.seen = Seen()

    def apart(self, graft: Graft) -> dict[int, Put]:
        """The members of a folder that cannot appear as a whole, to be put one by one from where they lie."""
        puts = {}
        for index in graft.members:
            change = self._changes[index]
            if change.node is not None:
                put = puts[index] = Put.of(change, change.node)
                put.problem = self.problems.get(index, "")
                if change.node.kind is not _FOLDER and not put.problem:
                    put.folder, put.temporary = graft.place_of(put.home), put.name
        return puts

    def sync_each(self, device: int) -> None:
        """Make everything on a device durable file by file, where it cannot be synced as a whole."""
        for graft in self._hidden:
            for index in reversed(graft.members):
                change = self._changes[index]
                place = graft.place_of(change.at)
                if index in self.problems or change.node is None or change.node.kind is _LINK:
                    continue
                try:
                    folder = self._descent.at(parent(place))
                    if os.fstat(folder).st_dev != device:
                        break
                    if change.node.kind is _FOLDER:
                        os.fsync(self._descent.at(place))
                    else:
                        sync_file(folder, to_name(basename(place)))
                except OSError as error:
                    if error.errno not in VANISHED:
                        raise

    def clean(self) -> bool:
        """Remove what did not appear; whether all of it could be reached."""
        complete = True
        for graft in self._hidden:
            if not graft.shown:
                self._descent.forget(graft.hidden)
                try:
                    complete &= clear_folder(self._descent.at(parent(graft.hidden)), basename(graft.hidden))
                except OSError:
                    complete = False
        return complete

    def left(self) -> set[str]:
        """Names of hidden folders that did not appear."""
        return {basename(graft.hidden) for graft in self._hidden if not graft.shown}

    def _content_of(self, index: int) -> Node | None:
        change = self._changes[index]
        return None if change.data is not None else change.node

    def _put(self, index: int, graft: Graft, batch: Batch[int]) -> None:
        change = self._changes[index]
        node = change.node
        assert node is not None
        home, _, name = change.at.rpartition("/")
        if "\\" in name:
            name = to_name(name)
        try:
            if node.kind is _FOLDER:
                self._make(index, change, node, graft, name)
                return
            if home != self._home and not self._enter(home, graft, index):
                return
            if node.kind is _LINK:
                os.symlink(to_name(node.link), name, dir_fd=self._fd)
                return
            data: Buffer | None = change.data
            if data is None:
                content = node.content
                if not content:
                    data = b""
                elif len(content) == 1:
                    data = batch.contents.get(content[0])
                    if data is None and not self._feed.is_kept(node):
                        self.problems[index] = batch.problem_of(content[0])
                        return
                status = self._write(name, node, data, node.size)
                if self._published is not None and is_as_put(status, node):
                    graft.seen.add(index, status)
            else:
                self._write(name, node, data, len(data))
        except (NuvoError, OSError) as error:
            if isinstance(error, Cancelled):
                raise
            self.problems[index] = explain(error)
            if node.kind is _FOLDER:
                self._broken[change.at] = self.problems[index]

    def _enter(self, home: str, graft: Graft, index: int) -> bool:
        """Open the folder a change is in; ``False`` where it could not be made."""
        if home in self._broken:
            self.problems[index] = self._broken[home]
            return False
        self._home = None
        self._fd = self._descent.at(graft.place_of(home))
        self._home = home
        self._stop()
        return True

    def _make(self, index: int, change: Change, node: Node, graft: Graft, name: str) -> None:
        self._home = None
        place = graft.place_of(change.at)
        if change.at != graft.at:
            if parent(change.at) in self._broken:
                self.problems[index] = self._broken[change.at] = self._broken[parent(change.at)]
                return
            os.mkdir(name, node.mode | 0o700, dir_fd=self._descent.at(parent(place)))
        fd = self._descent.at(place)
        if change.at == graft.at:
            # Nobody else looks in before it is complete.
            return
        if node.mode & 0o700 != 0o700:
            # Until it has its place it must be possible to take it apart.
            graft.modes[change.at] = node.mode
        elif os.fstat(fd).st_mode & FOLDER_MODE != node.mode:
            os.fchmod(fd, node.mode)

    def _write(self, name: str, node: Node, data: Buffer | None, wanted: int) -> os.stat_result:
        mode, mtime_ns = node.mode & FILE_MODE, node.mtime_ns
        fd = os.open(name, CREATE_FLAGS, mode, dir_fd=self._fd)
        try:
            if data is None:
                size = self._pour(node, fd)
            else:
                size = os.write(fd, data) if data else 0
                if size != len(data):
                    size += write(memoryview(data)[size:], fd)
            if size != wanted:
                raise wrong_size(size, wanted)
            if mode in self._unlike:
                os.fchmod(fd, mode)
            if mtime_ns:
                os.utime(fd, ns=(mtime_ns, mtime_ns))
            status = os.fstat(fd)
            if status.st_mode & FILE_MODE != mode:
                # The user's mask, or the folder's own rules.
                self._unlike.add(mode)
                os.fchmod(fd, mode)
                status = os.fstat(fd)
        except BaseException:
            # A disk that is full needs the space back for the next, smaller object.
            os.unlink(name, dir_fd=self._fd)
            raise
        finally:
            os.close(fd)
        self._bytes += size
        self._files += 1
        return status

    def _pour(self, node: Node, fd: int) -> int:
        """Write what is not in the batch: large files, and what the spool keeps."""
        if self._feed.spool is not None and self._feed.is_kept(node):
            return copy(self._feed.spool, node, fd, self._stop)
        return pour(self._feed.stream(node), fd, self._stop)
