"""What a plan says about each object, and what applying it did: changes and outcomes."""

from __future__ import annotations

import enum
from collections import Counter
from typing import Annotated

import msgspec

from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.nodes import Node


class ObjectKind(enum.StrEnum):
    """What can be staged and distributed."""

    FILE = "file"
    TABLE = "table"
    APPLICATION = "application"


class Strategy(enum.StrEnum):
    """How an object is merged into a target (the merge contract, docs/merge.md)."""

    EXTRA = "extra"
    OVERWRITE = "overwrite"
    REPLACE = "replace"
    RENAME = "rename"
    MERGE = "merge"
    SKIP = "skip"


class Strategies(msgspec.Struct, frozen=True):
    """One strategy per object type.

    Args:
        append_rows: where ``merge`` meets a table that was changed in the target, append the rows it has no key of.
        key: columns that tell rows apart, for tables without a primary key.
    """

    file: Strategy = Strategy.OVERWRITE
    table: Strategy = Strategy.OVERWRITE
    application: Strategy = Strategy.OVERWRITE
    append_rows: bool = False
    key: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()

    @classmethod
    def every(cls, strategy: Strategy) -> Strategies:
        """The same one for every kind."""
        return cls(strategy, strategy, strategy)


class Outcome(enum.StrEnum):
    """What a delivery did to one object."""

    CREATED = "created"
    REPLACED = "replaced"
    MERGED = "merged"
    KEPT = "kept"
    RENAMED = "renamed"
    DELETED = "deleted"
    CONFLICT = "conflict"
    FAILED = "failed"


class Action(enum.StrEnum):
    """What applying a change does on disk."""

    KEEP = "keep"
    PUT = "put"
    REMOVE = "remove"
    MERGE = "merge"
    """A three-way merge of contents that is still to be resolved; never reaches the disk as such."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """One planned change of one object in a target.

    Args:
        path: the object's path in the source (for ``deleted``, in the target).
        outcome: what the user will be told.
        action: what is done on disk, at ``at``.
        at: where on disk; differs from ``path`` for a copy put beside.
        node: what to put there (kind, mode, content ids, link).
        data: content to put instead of ``node.content`` (a merge's result).
        expected: what the plan saw at ``at``; ``None`` for nothing. Applying re-checks it.
        base: for ``merge``: what was last distributed here.
        source: for ``merge``: what is distributed.
        detail: a sentence for the report.
    """

    path: str
    outcome: Outcome
    action: Action = Action.KEEP
    at: str = ""
    node: Node | None = None
    data: bytes | None = None
    expected: Node | None = None
    base: Node | None = None
    source: Node | None = None
    detail: str = ""
    kind: ObjectKind = ObjectKind.FILE


@inspected
class ObjectOutcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What became of one object in one target.

    Args:
        path: the object's path text.
        outcome: one of :class:`Outcome`.
        at: where the distributed version lies, when not at ``path``.
        detail: why, in a sentence; ``""`` when there is nothing to say.
    """

    path: str
    outcome: Outcome
    at: str = ""
    detail: str = ""
    kind: ObjectKind = ObjectKind.FILE


def count(outcomes: list[ObjectOutcome]) -> dict[str, int]:
    """How many objects met each outcome; outcomes that nothing met are left out."""
    return {outcome.value: number for outcome, number in Counter(item.outcome for item in outcomes).items()}
