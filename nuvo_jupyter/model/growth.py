"""What grows: who holds how much of the store, what a retention rule takes away, and when snapshots are taken."""

from __future__ import annotations

from datetime import datetime

import msgspec

from nuvo_jupyter.model.changes import ObjectKind
from nuvo_jupyter.model.retention import Keep
from nuvo_jupyter.model.snapshots import Reason


class SnapshotUsage(msgspec.Struct, frozen=True):
    """What one snapshot needs of the store, in bytes as stored.

    Args:
        size: bytes of its files.
        held: stored bytes of all it needs.
        alone: of those, what nothing else needs: what deleting it frees.
        deleted: it was deleted and can still be brought back.
    """

    reference: str
    number: int
    name: str | None
    reason: Reason
    created_at: datetime
    size: int
    held: int
    alone: int
    deleted: bool = False


class PathUsage(msgspec.Struct, frozen=True):
    """What all versions of one path in an instance's snapshots, and in what was last distributed to it, need of the store.

    Args:
        path: of a table, an application, a file or a folder.
        name: under which people know it.
        folder: whether it is a folder, with all in it.
        snapshots: how many have it.
        versions: how many different ones there are.
        held: stored bytes of all versions.
        alone: of those, what nothing else needs: no other path, and no other instance.
        frees: what deleting all snapshots that have it would free; ``None`` where that was not worked out.
        newest: whether the newest snapshot has it.
    """

    path: str
    name: str
    kind: ObjectKind
    folder: bool
    snapshots: int
    versions: int
    held: int
    alone: int
    frees: int | None
    newest: bool


class InstanceUsage(msgspec.Struct, frozen=True):
    """What one instance's snapshots, and what was last distributed to it, need of the store together.

    Args:
        snapshots: how many there are.
        details: each, newest first; empty unless the instance was asked for.
        paths: what each path needs, the largest first; empty unless asked for.
    """

    instance: str
    snapshots: int
    held: int
    alone: int
    details: tuple[SnapshotUsage, ...] = ()
    paths: tuple[PathUsage, ...] = ()


class SpaceUsage(msgspec.Struct, frozen=True):
    """What a space's instances need of the store together."""

    space: str
    snapshots: int
    held: int
    alone: int
    instances: tuple[InstanceUsage, ...] = ()


class Freed(msgspec.Struct, frozen=True):
    """What deleting some snapshots would free, in bytes as stored."""

    states: tuple[str, ...]
    size: int


class Usage(msgspec.Struct, frozen=True):
    """Who holds how much of the store.

    Args:
        packs: bytes of the store's files.
        size: bytes of all blobs in them, as stored.
        unheld: of those, what nothing holds: what collecting frees.
        spaces: those asked for.
        frees: what deleting the states that were named would free.
    """

    packs: int
    size: int
    unheld: int
    spaces: tuple[SpaceUsage, ...]
    frees: Freed | None = None


class Retention(msgspec.Struct, frozen=True):
    """Which snapshots of a space's instances are kept.

    Args:
        keep: the rule; keeps all where nothing is set.
        text: the rule in words.
    """

    space: str
    keep: Keep
    text: str
    changed_at: datetime | None = None
    changed_by: str = ""


class Ruled(msgspec.Struct, frozen=True):
    """What a rule says of one snapshot: it is kept for these reasons, or goes because there is none."""

    reference: str
    name: str | None
    reason: Reason
    created_at: datetime
    kept: bool
    why: tuple[str, ...] = ()


class ForgetReport(msgspec.Struct, frozen=True):
    """What a retention rule took away, or would.

    Args:
        dry_run: nothing was deleted.
        snapshots: what the rule says of each, by instance, newest first.
        forgotten: how many it takes away.
        frees: stored bytes that collecting frees once they cannot be brought back any more.
    """

    space: str
    dry_run: bool
    snapshots: tuple[Ruled, ...]
    forgotten: int
    frees: int


class Schedule(msgspec.Struct, frozen=True):
    """When snapshots of an instance are taken by the clock.

    Args:
        minutes: between looks at whether something has changed; 0 never takes any.
        default: it is the server's setting rather than the instance's own.
    """

    instance: str
    minutes: int
    default: bool = False
