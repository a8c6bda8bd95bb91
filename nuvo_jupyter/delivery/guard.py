"""Nothing is overwritten or deleted of which the backup could not be read back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nuvo_jupyter.delivery.planning import Planned
from nuvo_jupyter.model.changes import Action, Change, Outcome
from nuvo_jupyter.model.nodes import BlobId, NodeKind
from nuvo_jupyter.store.store import Store

DAMAGED = "Its copy in the store is damaged, so there is no backup of it; it was not changed. `nuvo verify` says more."


def guarded(store: Store, planned: Planned) -> Planned:
    """The plan without the changes whose way back is gone.

    A backup does not store again what the index says is stored already; should that copy have rotted on disk
    since, the file about to be replaced or deleted is the last one. Its change becomes ``failed``.

    Args:
        store: holds the backup.
        planned: with its merges resolved.
    """
    # Of most there is nothing to lose, which is seen soonest here.
    unsound = store.unsound(
        id_ for change in planned.changes if change.expected is not None for id_ in _taken_away(change)
    )
    if not unsound:
        return planned
    changes = [
        _left_alone(change) if unsound.intersection(_taken_away(change)) else change
        for change in planned.changes
    ]
    return msgspec.structs.replace(planned, changes=changes)


def _taken_away(change: Change) -> Iterable[BlobId]:
    there = change.expected
    if change.action not in (Action.PUT, Action.REMOVE) or there is None or there.kind is not NodeKind.FILE:
        return ()
    return there.content


def _left_alone(change: Change) -> Change:
    return Change(
        change.path,
        Outcome.FAILED,
        Action.KEEP,
        change.at,
        expected=change.expected,
        detail=DAMAGED,
        kind=change.kind,
    )
