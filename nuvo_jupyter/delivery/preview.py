"""A preview: the plans of all deliveries, made from how the targets are now, applied to nothing and stored nowhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.previews import Found, add_found, forget_found
from nuvo_jupyter.catalog.spaces import get_instance, get_instances
from nuvo_jupyter.delivery.application_changes import ApplicationChanges
from nuvo_jupyter.delivery.applications import refresh_before_looking
from nuvo_jupyter.delivery.execution import Execution
from nuvo_jupyter.delivery.orders import PreviewOrder
from nuvo_jupyter.delivery.planning import plan_delivery
from nuvo_jupyter.delivery.results import pack_result, pack_target, problem_of
from nuvo_jupyter.delivery.settle import because_of_first
from nuvo_jupyter.delivery.sources import Source, make_source, state_of
from nuvo_jupyter.delivery.take import look
from nuvo_jupyter.merge.concerned import concerned
from nuvo_jupyter.merge.simulate import simulate
from nuvo_jupyter.model.changes import Action, Change, ObjectOutcome, Outcome, count
from nuvo_jupyter.model.errors import Cancelled, NuvoError, WorkspaceUnavailable
from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.model.paths import basename, from_name, join, parent, to_name
from nuvo_jupyter.model.tasks import DistributionKind, Problem, TargetPreview, TaskState
from nuvo_jupyter.store.chunks import content_ids
from nuvo_jupyter.store.store import Store
from nuvo_jupyter.workspace import safe
from nuvo_jupyter.workspace.apply import NOT_EMPTY
from nuvo_jupyter.workspace.check import APPEARED
from nuvo_jupyter.workspace.rules import OURS
from nuvo_jupyter.workspace.safe import Descent, Root

PREVIEW = "preview"
AT_ONCE = 50
"""Targets that are noted in one transaction."""


def preview(execution: Execution) -> None:
    """Say for every target what the distribution would do to each object.

    Raises:
        Cancelled
        WorkspaceUnavailable: the source's folder is missing; a missing target is said in its preview.
        LeaseLost: somebody else has taken over.
    """
    context = execution.context
    order = msgspec.msgpack.decode(execution.row.request, type=PreviewOrder)
    execution.progress(PREVIEW, 0, len(order.targets))
    with context.catalog.read() as connection:
        home = get_instance(connection, order.source_instance)
        source = make_source(
            connection, order.distribution, order.source_snapshot, home.space_id, execution.row.created_at
        )
        concerned = {*order.targets, order.distribution.through}
        instances = {
            row.id: row for row in get_instances(connection, [one for one in concerned if one is not None])
        }
    work = _Preview(execution, source)
    recall = order.distribution.kind is DistributionKind.RECALL
    if not recall:
        work.read_source(home)
    through = order.distribution.through
    wanted = list(dict.fromkeys([*([] if through is None else [through]), *order.targets]))
    notes = _Notes(execution)
    blocked: Problem | None = None
    for instance_id in wanted:
        execution.check()
        execution.progress(PREVIEW, notes.count, len(wanted))
        if instance_id not in instances:
            continue
        if blocked is not None:
            name = _name(instances[instance_id])
            notes.add(TargetPreview(name, {}, (), because_of_first(blocked)))
            continue
        found = work.target(instances[instance_id], first=instance_id == through)
        if instance_id == through:
            blocked = found.problem or problem_of(found.outcomes)
            if not recall and work.after is not None:
                # What the others get is what Distributed will hold.
                work.state = work.after
        notes.add(found)
    notes.finish()
    execution.announce()


class _Notes:
    """Writes down what is found, some targets at a time, so that nobody has to keep all of it."""

    def __init__(self, execution: Execution) -> None:
        self.count = 0
        self._execution = execution
        self._totals: dict[str, int] = {}
        self._waiting: list[Found] = []
        with execution.context.catalog.write() as connection:
            execution.fence(connection)
            forget_found(connection, execution.id)

    def add(self, found: TargetPreview) -> None:
        """Note one target."""
        self._waiting.append(Found(self.count, found.instance, pack_target(found)))
        self.count += 1
        for outcome, number in found.counts.items():
            self._totals[outcome] = self._totals.get(outcome, 0) + number
        if len(self._waiting) >= AT_ONCE:
            with self._execution.context.catalog.write() as connection:
                self._execution.fence(connection, done=self.count)
                self._write(connection)

    def finish(self) -> None:
        """Note the rest, and the end of the task."""
        execution = self._execution
        with execution.context.catalog.write() as connection:
            execution.fence(connection, done=self.count)
            self._write(connection)
            execution.finish(connection, TaskState.DONE, result=pack_result(self._totals))

    def _write(self, connection: Connection) -> None:
        add_found(connection, self._execution.id, self._waiting)
        self._waiting = []


class _Preview:
    """Plans for one target after the other.

    Attributes:
        state: what the next target gets; ``None`` for what the source's snapshot says.
        after: what the last target would hold.
        prints: how environments of applications looked, of which targets often share one.
    """

    def __init__(self, execution: Execution, source: Source) -> None:
        self.execution = execution
        self.context = execution.context
        self.source = source
        self.state: Mapping[str, Node] | None = None
        self.after: Mapping[str, Node] | None = None
        self.contents = _Contents(self.context.store)
        self.applications = ApplicationChanges(self.context.home)
        self.prints: dict[str, str] = {}

    def read_source(self, instance: Row[Any]) -> None:
        """Look at the source, where no snapshot of it was taken yet."""
        if self.source.snapshot is None:
            refresh_before_looking(self.context, instance, self.execution.check, self.prints)
            with Root(instance.workspace) as root:
                seen = look(self.context, instance.id, root, self.execution.cancelled)
            self.state = seen.nodes
            self.contents = self.contents.beside(instance.workspace, seen.nodes)

    def target(self, instance: Row[Any], *, first: bool) -> TargetPreview:
        """What would happen to one target; a target that cannot be reached says so."""
        self.after = None
        try:
            return self._target(instance, first)
        except Cancelled:
            raise
        except NuvoError as error:
            return TargetPreview(_name(instance), {}, (), Problem(error.code, error.message, error.hint))

    def _target(self, instance: Row[Any], first: bool) -> TargetPreview:
        nodes: Mapping[str, Node] = {}
        try:
            root = Root(instance.workspace)
        except WorkspaceUnavailable:
            if self.source.order.kind is not DistributionKind.CREATE or os.path.lexists(instance.workspace):
                raise
            root = None
        contents = self.contents
        base = state_of(self.context.store, instance.base_root)
        distributed = self._distributed()
        if root is not None:
            # Of Distributed all is read: what it will hold is what the others get.
            reads = None if first else concerned(distributed, base, self.source.strategies.file)
            with root:
                refresh_before_looking(self.context, instance, self.execution.check, self.prints)
                nodes = look(self.context, instance.id, root, self.execution.cancelled, reads).nodes
            contents = self.contents.beside(instance.workspace, nodes)
        planned = plan_delivery(
            self.context.store,
            self.source,
            nodes,
            base,
            into_distributed=first,
            read=contents.read,
            state=distributed,
        )
        if first:
            self.after = simulate(nodes, planned.changes, content_ids)
            self.contents = contents
        outcomes = _outcomes(instance.workspace, planned.changes)
        return TargetPreview(
            _name(instance),
            count(outcomes),
            tuple(outcomes),
            applications=self.applications.of(nodes, planned.changes, contents.read),
        )

    def _distributed(self) -> Mapping[str, Node]:
        """What is distributed or recalled; where nothing is known of it, each target's own base is meant."""
        if self.state is not None:
            return self.state
        snapshot = self.source.snapshot
        return state_of(self.context.store, None if snapshot is None else snapshot.root)


def _name(instance: Row[Any]) -> str:
    return f"{instance.space}/{instance.name}"


def _outcomes(workspace: str, changes: Sequence[Change]) -> list[ObjectOutcome]:
    """What applying will say, including that something the capture leaves out lies in the way, or in a folder that is to go."""
    removed: set[str] = set()
    missing: set[str] = set()
    outcomes = []
    try:
        root = Root(workspace)
    except WorkspaceUnavailable:
        root = None
    for change in changes:
        at = change.at if change.at != change.path else ""
        outcome, detail = change.outcome, change.detail
        if change.action is Action.REMOVE:
            if root is not None and _is_folder(change.expected) and _holds_more(root, change.at, removed):
                outcome, detail, at = Outcome.KEPT, NOT_EMPTY, ""
            else:
                removed.add(change.at)
        new = change.action is Action.PUT and change.expected is None and change.at not in removed
        if (
            new
            and root is not None
            and change.node is not None
            and _in_the_way(root, change.at, change.node, missing)
        ):
            outcome, detail = Outcome.CONFLICT, APPEARED
            at = at if outcome is change.outcome else ""
        outcomes.append(ObjectOutcome(change.path, outcome, at, detail, change.kind))
    if root is not None:
        root.close()
    return outcomes


def _is_folder(node: Node | None) -> bool:
    return node is not None and node.kind is NodeKind.FOLDER


def _holds_more(root: Root, path: str, removed: Container[str]) -> bool:
    """Whether a folder will hold something, such as caches, when what the plan removes is gone."""
    try:
        folder = root.folder(path)
    except OSError:
        return False
    try:
        return any(
            join(path, from_name(name)) not in removed
            for name in os.listdir(folder)
            if not name.startswith(OURS)
        )
    finally:
        os.close(folder)


def _in_the_way(root: Root, path: str, node: Node, missing: set[str]) -> bool:
    """Whether something else lies at a path; folders found missing are noted, as many files may come into one."""
    if parent(path) in missing:
        return False
    try:
        folder = root.folder(parent(path))
    except OSError:
        missing.add(parent(path))
        return False
    try:
        status = safe.look(folder, to_name(basename(path)))
        if status is None:
            return False
        from nuvo_jupyter.workspace.check import matches

        return not matches(folder, to_name(basename(path)), status, node)
    except OSError:
        return True
    finally:
        os.close(folder)


class _Contents:
    """Contents by their blob ids: from the store, or from the folder in which they were seen."""

    def __init__(self, store: Store, states: Sequence[tuple[str, Mapping[str, Node]]] = ()) -> None:
        self._store = store
        self._states = tuple(states)
        self._places: dict[tuple[BlobId, ...], tuple[str, str]] | None = None

    def beside(self, workspace: str, nodes: Mapping[str, Node]) -> _Contents:
        """The same, and the contents of one more state."""
        return _Contents(self._store, (*self._states, (workspace, nodes)))

    def _place(self, node: Node) -> tuple[str, str] | None:
        """Where a content lies; asked for merges only."""
        if self._places is None:
            self._places = {}
            for workspace, nodes in self._states:
                for path, other in nodes.items():
                    if other.kind is NodeKind.FILE:
                        self._places.setdefault(other.content, (workspace, path))
        return self._places.get(node.content)

    def read(self, node: Node) -> bytes:
        """A file's content.

        Raises:
            OSError: it was changed since it was looked at.
            StoreDamaged: the store's copy is missing or altered.
        """
        place = self._place(node)
        if place is None or self._store.contains(set(node.content)) == set(node.content):
            return self._store.read_file(node)
        workspace, path = place
        with Root(workspace) as root, Descent(root) as descent:
            fd = safe.open_file(descent.at(parent(path)), to_name(basename(path)))
            try:
                data = safe.read_whole(fd, node.size)
            finally:
                os.close(fd)
        if content_ids(data) != node.content:
            raise OSError(errno.ESTALE, "it was changed meanwhile", path)
        return data
