"""Applying a plan to a workspace: safely, object by object, so that nothing is ever half-written.

1. All new content is written out of sight: new folders whole under hidden names, files that come into folders
   that exist under temporary names; and made durable. Nothing that exists was changed, and it can still be cancelled.
2. Each path is compared with the backup again and changed in one atomic step, in the order of the plan.
3. Modes of folders are set, and the folders made durable.

Killed anywhere and applied again, the end is the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from blake3 import blake3

from nuvo_jupyter.model.changes import Action, Change, ObjectOutcome, Outcome
from nuvo_jupyter.model.errors import Cancelled, InvalidPath
from nuvo_jupyter.model.nodes import Node, NodeKind
from nuvo_jupyter.model.paths import NAME_MAX, parent, parse_path
from nuvo_jupyter.store.chunks import windows
from nuvo_jupyter.store.spool import Spool
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace.content import Patience
from nuvo_jupyter.workspace.durable import Durability
from nuvo_jupyter.workspace.feed import Feed
from nuvo_jupyter.workspace.graft import Grafting, Published
from nuvo_jupyter.workspace.grafts import Graft, Grafts
from nuvo_jupyter.workspace.prepare import Preparation, Put
from nuvo_jupyter.workspace.problems import explain
from nuvo_jupyter.workspace.publish import NOT_EMPTY, Publishing
from nuvo_jupyter.workspace.safe import Descent, Root
from nuvo_jupyter.workspace.scan import Fingerprint
from nuvo_jupyter.workspace.temporaries import Mark, Names, marked, sweep

__all__ = ["NOT_EMPTY", "apply"]

_FOLDER = NodeKind.FOLDER
_TELL_SECONDS = 0.1
"""Progress is told about this often."""

_PIECE = 4 << 20

_ODD = frozenset("\\\0")
"""Characters of names that need a closer look."""


def apply(
    root: Root,
    store: Store,
    changes: Sequence[Change],
    fingerprints: Mapping[str, Fingerprint],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    durable: bool = True,
    spool: Spool | None = None,
    published: Published | None = None,
    while_visible: Callable[[], AbstractContextManager[None]] | None = None,
) -> list[ObjectOutcome]:
    """Carry out a plan.

    Args:
        root: the opened workspace.
        store: holds the contents.
        changes: the plan, in its order: removals, children before their folder; then puts, folders before
            their children. ``MERGE`` must have been resolved.
        fingerprints: of the capture the plan was made from; a file without one is compared by content.
        progress: called with (steps done, steps).
        cancelled: asked until the first visible change; after that all is carried out.
        durable: whether the changes survive a power failure that follows at once.
        spool: keeps contents that other targets get as well.
        published: called with path text, fingerprint and node of each file that was put and could not change
            unnoticed since.
        while_visible: held while what exists is changed, so that others see all of it or nothing.

    Returns:
        One outcome per change, in the same order. What failed is said there; the rest was carried out.

    Raises:
        Cancelled: nothing was changed.
        StorageFull, WorkspaceUnavailable: content could not be made durable; nothing was changed.
    """
    work = _Apply(
        root, store, changes, fingerprints, progress, cancelled, durable, spool, published, while_visible
    )
    folders = (parent(change.at) for change in changes if change.at)
    with marked(root, folders, work.is_kept) as work.mark, Descent(root) as descent, Descent(root) as sources:
        return work.run(descent, sources)


class _Apply:
    def __init__(
        self,
        root: Root,
        store: Store,
        changes: Sequence[Change],
        fingerprints: Mapping[str, Fingerprint],
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
        durable: bool,
        spool: Spool | None,
        published: Published | None,
        while_visible: Callable[[], AbstractContextManager[None]] | None,
    ) -> None:
        self.root = root
        self.while_visible = while_visible or nullcontext
        self.changes = changes
        self.fingerprints = fingerprints
        self.progress = progress
        self.cancelled = cancelled
        self.durable = durable
        self.published = published
        self.feed = Feed(store, spool)
        self.names = Names()
        self.patience = Patience()
        self.mark = Mark()
        self.sound: dict[str, bool] = {}
        self.grafts = Grafts(changes, lambda change: not self._path_problem(change))
        self.puts: dict[int, Put] = {}
        self.told = 0.0
        self.done = 0
        puts = sum(change.action is Action.PUT and change.node is not None for change in changes)
        self.steps = len(changes) + puts

    def run(self, descent: Descent, sources: Descent) -> list[ObjectOutcome]:
        durability = Durability(wanted=self.durable)
        preparation = Preparation(
            sources,
            self.feed,
            durability,
            self.fingerprints,
            self.patience,
            self._tick,
            self._stop,
            self.names,
        )
        grafting = self.grafting = Grafting(
            sources,
            self.changes,
            self.feed,
            durability,
            self.names,
            self._tick,
            self._stop,
            self.published,
        )

        def sync_each(device: int) -> None:
            preparation.sync_each(device)
            grafting.sync_each(device)

        try:
            try:
                self._begin_grafts()
                self._add_puts()
                preparation.write(list(self.puts.values()))
                grafting.write(self.grafts)
                durability.settle(sync_each)
                self._stop()
                self.mark.publishing()
            except BaseException:
                self._clean(preparation)
                preparation.undo()
                raise
            finally:
                durability.close()
            self.publishing = Publishing(
                self.root,
                descent,
                sources,
                self.fingerprints,
                self.patience,
                self.names,
                self.published,
                self._wanted(),
                self._failed(),
            )
            with self.while_visible():
                outcomes = self._carry_out_all()
            self.publishing.set_modes(grafting.modes)
            if self.durable:
                self.publishing.sync_folders()
        finally:
            self._clean(preparation)
            # Each holds the other: all they hold would stay until Python looks for garbage.
            del self.grafting
        return outcomes

    def is_kept(self, file: int) -> bool:
        """Whether the content of an open file is in the store, or is what a change here puts."""
        data = [change.data for change in self.changes if change.data is not None]
        size = os.fstat(file).st_size
        if any(len(one) == size and os.pread(file, size + 1, 0) == one for one in data):
            return True
        ids = {
            blake3(piece).digest()
            for pieces in windows(iter(lambda: os.read(file, _PIECE), b""))
            for piece in pieces
        }
        return self.feed.store.contains(ids) == ids

    def _begin_grafts(self) -> None:
        """Make the hidden folders; what cannot be written out of sight is put one by one."""
        for graft in list(self.grafts.all):
            self._stop()
            if not self.grafting.begin(graft):
                self.grafts.give_up(graft)

    def _add_puts(self) -> None:
        for index, (change, graft) in enumerate(zip(self.changes, self.grafts.of, strict=True)):
            if graft is None and change.action is Action.PUT and change.node is not None:
                put = self.puts[index] = Put.of(change, change.node)
                put.problem = self._path_problem(change)

    def _wanted(self) -> dict[str, Node]:
        """What is to lie at each path; asked for only by removals."""
        if not any(change.action is Action.REMOVE for change in self.changes):
            return {}
        return {
            change.at: change.node
            for change in self.changes
            if change.action is Action.PUT and change.node is not None
        }

    def _failed(self) -> set[str]:
        failed = {put.change.at for put in self.puts.values() if put.problem}
        return failed | {self.changes[index].at for index in self.grafting.problems}

    def _clean(self, preparation: Preparation) -> None:
        complete = preparation.clean(self.puts.values())
        if not (self.grafting.clean() and complete):
            # A folder was moved away under us: look everywhere.
            left = {put.temporary for put in self.puts.values() if put.temporary} | self.grafting.left()
            self.mark.stays = bool(left - sweep(self.root, self.is_kept))

    def _carry_out_all(self) -> list[ObjectOutcome]:
        problems = self.grafting.problems
        outcomes = []
        for index, (change, graft) in enumerate(zip(self.changes, self.grafts.of, strict=True)):
            if graft is not None and not graft.shown and index == graft.members[0]:
                self._show(graft)
            if graft is None or not graft.shown:
                outcome = self._carry_out(index, change)
                self._tick(1)
            elif index in problems:
                outcome = _outcome(change, Outcome.FAILED, problems[index])
            else:
                at = change.at if change.at != change.path else ""
                outcome = ObjectOutcome(change.path, change.outcome, at, change.detail, change.kind)
            outcomes.append(outcome)
        return outcomes

    def _show(self, graft: Graft) -> None:
        """Let a new folder appear, or take it apart."""
        try:
            self.publishing.show(graft, self.grafting)
        except OSError:
            # Something is there, or the way there is gone: putting one by one says what.
            self.puts.update(self.grafting.apart(graft))
        else:
            self._tick(len(graft.members))

    def _carry_out(self, index: int, change: Change) -> ObjectOutcome:
        try:
            return _outcome(change, *self._change(index, change))
        except OSError as error:
            return _outcome(change, Outcome.FAILED, explain(error))

    def _change(self, index: int, change: Change) -> tuple[Outcome, str]:
        if change.action is Action.KEEP:
            return change.outcome, change.detail
        put = self.puts.get(index)
        if put is not None:
            if put.problem:
                return Outcome.FAILED, put.problem
            return self.publishing.put_folder(put) if put.node.kind is _FOLDER else self.publishing.put(put)
        if change.action is Action.REMOVE:
            problem = self._path_problem(change)
            return (Outcome.FAILED, problem) if problem else self.publishing.remove(change)
        return Outcome.FAILED, "Its merge was not resolved."

    def _path_problem(self, change: Change) -> str:
        """Why a change cannot be carried out at its path; ``""`` if it can."""
        folder, _, name = change.at.rpartition("/")
        if name.isascii() and 0 < len(name) <= NAME_MAX and _ODD.isdisjoint(name) and name not in (".", ".."):
            # All but the folder is fine, and that is the same for many.
            sound = self.sound.get(folder)
            if sound is None:
                sound = self.sound[folder] = not _problem(folder)
            if sound:
                return ""
        return _problem(change.at) if change.at else "The state itself is no path inside a workspace."

    def _tick(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            moment = time.monotonic()
            if moment - self.told >= _TELL_SECONDS or self.done == self.steps:
                self.told = moment
                self.progress(self.done, self.steps)

    def _stop(self) -> None:
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("Cancelled before anything was changed.")


def _outcome(change: Change, outcome: Outcome, detail: str) -> ObjectOutcome:
    at = change.at if change.at != change.path else ""
    if at and outcome is not change.outcome and change.action is not Action.KEEP:
        at = ""
    return ObjectOutcome(change.path, outcome, at, detail, change.kind)


def _problem(path: str) -> str:
    try:
        if parse_path(path) != path:
            raise InvalidPath(f"{path!r} is no path inside a workspace.")
    except InvalidPath as error:
        return error.message
    return ""
