"""From a distribution and a target's content to the changes of one delivery, merges resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from nuvo_jupyter.delivery.rows import merging_rows
from nuvo_jupyter.delivery.sources import Source, state_of, strategies_into_distributed
from nuvo_jupyter.merge.kinds import plan_kinds
from nuvo_jupyter.merge.logs import with_logs
from nuvo_jupyter.merge.recall import plan_recall
from nuvo_jupyter.merge.resolve import resolve_all
from nuvo_jupyter.model.changes import Change
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.model.tasks import DistributionKind
from nuvo_jupyter.store.store import Store


class Planned(msgspec.Struct, frozen=True):
    """The plan of one delivery.

    Args:
        source: the distributed state (for a recall: what is recalled), path text → node.
        before_merging: the plan with its merges still open, change by change as in ``changes``.
        changes: what is to be applied.
    """

    source: Mapping[str, Node]
    before_merging: list[Change]
    changes: list[Change]


def plan_delivery(
    store: Store,
    source: Source,
    target: Mapping[str, Node],
    base: Mapping[str, Node],
    *,
    into_distributed: bool,
    read: Callable[[Node], bytes],
    state: Mapping[str, Node] | None = None,
) -> Planned:
    """Plan one delivery.

    Args:
        source: what is distributed.
        target: the target's content, path text → node.
        base: what was last distributed to it.
        into_distributed: this is the delivery into Distributed that the others wait for.
        read: gives the content of a node of any of the states.
        state: the distributed state, where it is not in the store yet.
    """
    if source.order.kind is DistributionKind.RECALL:
        recalled = base if source.snapshot is None else state_of(store, source.snapshot.root)
        if source.order.recalled is not None and source.snapshot is None:
            # It came to its end before its source was captured: it distributed nothing.
            recalled = {}
        changes = plan_recall(target, recalled, source.paths)
        return Planned(recalled, changes, changes)
    if state is None:
        state = state_of(store, None if source.snapshot is None else source.snapshot.root)
    strategies = source.strategies
    if into_distributed:
        strategies = strategies_into_distributed(strategies)
        # Nobody edits Distributed, so whatever it holds counts as last distributed: where merging, the source wins.
        base = target
    objects = None if source.paths is None else list(source.paths)
    changes = plan_kinds(state, target, base, strategies=strategies, objects=objects, label=source.label)
    rows = merging_rows(read, strategies.key) if strategies.append_rows else None
    resolved = resolve_all(changes, read, state, target, base, source.label, rows)
    return Planned(state, *with_logs(changes, resolved, state, target))
