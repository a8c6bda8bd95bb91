"""What a state would be after changes, without applying them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from nuvo_jupyter.model.changes import Action, Change
from nuvo_jupyter.model.nodes import BlobId, Node, NodeKind
from nuvo_jupyter.model.paths import parent

Identify = Callable[[bytes], tuple[BlobId, ...]]
"""The blob ids that a content has."""


def simulate(nodes: Mapping[str, Node], changes: Iterable[Change], identify: Identify) -> dict[str, Node]:
    """The state ``nodes`` after all of ``changes`` succeeded.

    Args:
        nodes: path text → node, folders included, without ``""``.
        changes: resolved, in the order in which they are applied.
        identify: gives the ids of contents that a merge made.
    """
    after = dict(nodes)
    for change in changes:
        if change.action is Action.REMOVE:
            after.pop(change.at, None)
        elif change.action is Action.PUT and change.node is not None:
            node = change.node
            if change.data is not None:
                node = msgspec.structs.replace(node, content=identify(change.data), size=len(change.data))
            after[change.at] = node
            folder = parent(change.at)
            while folder and folder not in after:
                after[folder] = Node(NodeKind.FOLDER, 0o755)
                folder = parent(folder)
    return after
