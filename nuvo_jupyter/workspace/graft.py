"""New folders, written out of sight with everything in them and shown in one step.

A folder that is not there yet is made under a hidden name beside its place, filled, made durable, and renamed.
What is in it needs no temporary names and no looks of its own. Where something has appeared at its place meanwhile,
its contents are put one by one instead, from where they lie.
"""

from __future__ import annotations

import contextlib
import functools
import os
from array import array
from collections.abc import Callable, Sequence

from nuvo_jupyter.model.changes import Change
from nuvo_jupyter.model.errors import Cancelled, NuvoError
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import basename, join, parent, to_name
from nuvo_jupyter.store.pack import Buffer
from nuvo_jupyter.workspace.durable import Durability
from nuvo_jupyter.workspace.feed import Batch, Feed
from nuvo_jupyter.workspace.grafts import Graft, Grafts, Seen
from nuvo_jupyter.workspace.making import Made, Makers, Order
from nuvo_jupyter.workspace.prepare import Put
from nuvo_jupyter.workspace.problems import explain
from nuvo_jupyter.workspace.safe import VANISHED, Descent, look
from nuvo_jupyter.workspace.scan import FILE_MODE, FOLDER_MODE, Fingerprint, is_as_put
from nuvo_jupyter.workspace.syscalls import rename_new
from nuvo_jupyter.workspace.temporaries import Names, clear_folder
from nuvo_jupyter.workspace.writing import Maker, copy, pour, sync_file

_FOLDER, _LINK = NodeKind.FOLDER, NodeKind.LINK

Published = Callable[[str, Fingerprint, Node], None]


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
        self._maker = Maker()
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
        with Makers(self._descent.root.fd, self._feed) as makers:
            members = self._make_many(members, of, makers)
        with contextlib.closing(self._feed.batches(members, self._content_of)) as batches:
            for batch in batches:
                for index in batch.items:
                    graft = of[index]
                    assert graft is not None
                    self._put(index, graft, batch)
                self._progress(len(batch.items))
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

    def _progress(self, count: int) -> None:
        self._durability.written(self._bytes, self._files)
        self._bytes = self._files = 0
        self._tick(count)
        self._stop()

    def _make_many(self, members: Sequence[int], of: Sequence[Graft | None], makers: Makers) -> array[int]:
        """Have what is plain made by threads, many at a time; returns what is left to be put one by one."""
        left = array("I")
        for part, wanted in self._feed.parts(members, self._content_of):
            # Nothing is put into a folder before it is there, with its mode: files take over what its mode says of groups.
            rest = self._make_folders(part, of, makers)
            order = Order()
            for index in rest:
                graft = of[index]
                assert graft is not None
                if not self._order(order, index, graft):
                    left.append(index)
            while makers.busy:
                self._took(makers.take(self._stop), of)
            if order.members:
                makers.give(order, wanted)
            self._progress(len(part) - len(rest))
        while makers.pending:
            self._took(makers.take(self._stop), of)
        return left

    def _make_folders(self, part: Sequence[int], of: Sequence[Graft | None], makers: Makers) -> array[int]:
        """Make the plain ones among the folders; returns all the others."""
        rest, made, places = array("I"), array("I"), []
        for index in part:
            change, graft = self._changes[index], of[index]
            node = change.node
            assert node is not None
            assert graft is not None
            # Nobody else looks into the outermost before it is complete.
            if node.kind is not _FOLDER or change.at == graft.at or _is_odd(change.at, graft):
                rest.append(index)
                continue
            if node.mode & 0o700 != 0o700:
                # Until it has its place it must be possible to take it apart.
                graft.modes[change.at] = node.mode
            home, _, name = change.at.rpartition("/")
            made.append(index)
            places.append((graft.place_of(home), name, node.mode | 0o700))
        for index, problem in zip(made, makers.folders(places) if places else (), strict=True):
            at = self._changes[index].at
            problem = self._broken.get(parent(at), problem)
            if problem:
                self.problems[index] = self._broken[at] = problem
        return rest

    def _order(self, order: Order, index: int, graft: Graft) -> bool:
        """Add a change to an order; ``False`` where it has to be put by itself."""
        change = self._changes[index]
        node = self._content_of(index)
        home, _, name = change.at.rpartition("/")
        if node is None or not order.takes(node) or _is_odd(change.at, graft) or home in self._broken:
            return False
        if len(node.content) > 1 and not self._feed.is_kept(node):
            return False
        order.file(
            index, graft.place_of(home), name, node.mode & FILE_MODE, node.mtime_ns, node.size, node.content
        )
        return True

    def _took(self, made: Made, of: Sequence[Graft | None]) -> None:
        """Note what was made."""
        self.problems.update(made.problems)
        if self._published is not None:
            for index, *found in made.seen:
                graft = of[index]
                assert graft is not None
                graft.seen.add(index, *found)
        self._bytes += made.unflushed
        self._files += made.files
        self._progress(made.count)

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
                if self._published is not None and is_as_put(status, node.size, node.mtime_ns):
                    graft.seen.add(index, status.st_ctime_ns, status.st_ino, status.st_mode)
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

    def _write(self, name: str, node: Node, data: Buffer | None, size: int) -> os.stat_result:
        content = data if data is not None else functools.partial(self._pour, node)
        status = self._maker.make(self._fd, name, node.mode & FILE_MODE, node.mtime_ns, size, content)
        self._bytes += size
        self._files += 1
        return status

    def _pour(self, node: Node, fd: int) -> int:
        """Write what is not in the batch: large files, and what the spool keeps."""
        if self._feed.spool is not None and self._feed.is_kept(node):
            return copy(self._feed.spool, node, fd, self._stop)
        return pour(self._feed.stream(node), fd, self._stop)


def _is_odd(path: str, graft: Graft) -> bool:
    """Whether path text has escapes, which only Python resolves."""
    return "\\" in path or "\\" in graft.hidden
