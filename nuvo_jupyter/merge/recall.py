"""Taking back what was distributed: only what is still as it was; edited copies stay and are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nuvo_jupyter.merge.scope import Scope
from nuvo_jupyter.model.changes import Action, Change, Outcome
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.paths import parent


def plan_recall(
    target: Mapping[str, Node], distributed: Mapping[str, Node], objects: Sequence[str] | None
) -> list[Change]:
    """What recalling ``distributed`` removes from a target.

    Args:
        target: the target's current content, path text → node, folders included, without ``""``.
        distributed: what is recalled, in the same form.
        objects: only these paths and what lies below them; ``None`` for all of it.

    Returns:
        Removals, children before their folder, then what stays although it was distributed. A folder goes
        when it was distributed and nothing is left in it.
    """
    recalled = recalled_paths(distributed, objects)
    left: dict[str, int] = {}
    for path in target:
        left[parent(path)] = left.get(parent(path), 0) + 1
    removals: list[Change] = []
    kept: list[Change] = []
    # In reverse order everything comes before the folder it lies in.
    for path in reversed(recalled):
        there, sent = target.get(path), distributed[path]
        if there is None:
            continue
        if there.kind is NodeKind.FOLDER and sent.kind is NodeKind.FOLDER:
            if left.get(path, 0):
                continue
        elif not same(there, sent):
            detail = "It was changed here since it was distributed, and was kept."
            kept.append(Change(path, Outcome.KEPT, Action.KEEP, path, expected=there, detail=detail))
            continue
        removals.append(
            Change(path, Outcome.DELETED, Action.REMOVE, path, expected=there, detail="It was recalled.")
        )
        left[parent(path)] -= 1
    kept.reverse()
    return removals + kept


def recalled_paths(distributed: Mapping[str, Node], objects: Sequence[str] | None) -> list[str]:
    """The paths of ``distributed`` that a recall of ``objects`` is about, sorted."""
    scope = Scope(distributed, objects)
    return [path for path in scope.paths if path not in scope.parents]
