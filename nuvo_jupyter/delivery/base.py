"""What counts as last distributed to a target after a delivery: the B of the merge contract. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nuvo_jupyter.merge.scope import Scope
from nuvo_jupyter.model.changes import Action, Change, ObjectOutcome, Outcome
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.paths import parent

_NEW_FOLDER = Node(NodeKind.FOLDER, 0o755)


def after_delivery(
    base: Mapping[str, Node],
    source: Mapping[str, Node],
    objects: Sequence[str] | None,
    planned: Sequence[Change],
    changes: Sequence[Change],
    outcomes: Sequence[ObjectOutcome],
    folders: Iterable[str],
) -> dict[str, Node]:
    """The new base: what was really delivered, or put beside, in place of what was before.

    Args:
        base: what was last distributed until now, path text → node.
        source: what was distributed.
        objects: staged paths; ``None`` for the whole state.
        planned: the plan before its merges were resolved.
        changes: the plan that was applied, in the order of ``planned``.
        outcomes: what became of each change.
        folders: folders the target has now.

    Returns:
        The new base. What the target kept although it differs, what failed, and what was edited between backup
        and apply keep what was last distributed there; what was deleted leaves the base.
    """
    after = dict(base)
    for before, change, outcome in zip(planned, changes, outcomes, strict=True):
        path = change.path
        if change.action is Action.REMOVE:
            if outcome.outcome is Outcome.DELETED and path == change.at:
                after.pop(path, None)
        elif path in source and arrived(before, change, outcome, source[path]):
            _put(after, path, source)
    there = set(folders)
    for path in Scope(source, objects).paths:
        # Plans do not mention folders that stay as they are.
        if source[path].kind is NodeKind.FOLDER and path in there and path not in after:
            _put(after, path, source)
    return _sound(after)


def after_recall(
    base: Mapping[str, Node], recalled: Mapping[str, Node], outcomes: Sequence[ObjectOutcome]
) -> dict[str, Node]:
    """The base without what was recalled; edited copies that stay are their owner's from now on.

    Args:
        base: what was last distributed until now, path text → node.
        recalled: what was recalled, in the same form; what a later distribution put in its place stays in the base.
        outcomes: what became of it in the target.
    """
    failed = {outcome.path for outcome in outcomes if outcome.outcome is Outcome.FAILED}
    deleted = {outcome.path for outcome in outcomes if outcome.outcome is Outcome.DELETED}
    return _sound(
        {
            path: node
            for path, node in base.items()
            if path in failed or not (path in deleted or same(node, recalled.get(path)))
        }
    )


def arrived(before: Change, change: Change, outcome: ObjectOutcome, wanted: Node) -> bool:
    """Whether what was distributed at a change's path is in the target now, or beside what is."""
    if outcome.outcome is Outcome.FAILED or outcome.outcome is not change.outcome:
        return False
    if change.action is Action.PUT or before.action is Action.MERGE:
        return True
    # Kept: because it is equal, or because the distributed version lies beside it already.
    return change.outcome is Outcome.KEPT and (change.at != change.path or same(wanted, change.expected))


def _put(after: dict[str, Node], path: str, source: Mapping[str, Node]) -> None:
    after[path] = source[path]
    folder = parent(path)
    while folder:
        if folder not in after or after[folder].kind is not NodeKind.FOLDER:
            after[folder] = source.get(folder, _NEW_FOLDER)
        folder = parent(folder)


def _sound(nodes: dict[str, Node]) -> dict[str, Node]:
    """Without what would lie below a file or link, and with every folder on the way."""
    sound: dict[str, Node] = {}
    for path in sorted(nodes):
        folder, missing, blocked = parent(path), [], False
        while folder:
            there = sound.get(folder)
            if there is not None:
                blocked = there.kind is not NodeKind.FOLDER
                break
            missing.append(folder)
            folder = parent(folder)
        if blocked:
            continue
        for folder in missing:
            sound[folder] = _NEW_FOLDER
        sound[path] = nodes[path]
    return sound
