"""Snapshots, listings, comparisons, as every face shows them."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from nuvo_jupyter.model.nodes import Exclusion, NodeKind


class Reason(enum.StrEnum):
    """Why a snapshot was taken."""

    MANUAL = "manual"
    BEFORE_DISTRIBUTION = "before_distribution"
    BEFORE_RESTORE = "before_restore"
    DISTRIBUTED = "distributed"
    SCHEDULED = "scheduled"


class Snapshot(msgspec.Struct, frozen=True):
    """An immutable state of an instance.

    Args:
        number: counts from 1 in its instance.
        reference: ``space/instance@number``.
        id: hash of the manifest in hexadecimal; equal states have equal ids.
        files: number of files and links.
        size: bytes of all files.
        excluded: how many paths were left out.
        inconsistent: how many files kept changing while they were read.
    """

    number: int
    reference: str
    instance: str
    id: str
    name: str | None
    description: str
    reason: Reason
    files: int
    size: int
    excluded: int
    inconsistent: int
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = None


class SnapshotDetail(msgspec.Struct, frozen=True):
    """A snapshot and what its manifest says beyond the listing."""

    snapshot: Snapshot
    excluded: tuple[Exclusion, ...]
    inconsistent: tuple[str, ...]
    tables: tuple[str, ...]
    applications: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """One entry of a folder in a state.

    Args:
        size: bytes for a file; number of entries is not counted for a folder (0).
        link: where a symbolic link points.
    """

    name: str
    path: str
    kind: NodeKind
    size: int
    modified_at: datetime
    executable: bool = False
    link: str = ""


class Difference(enum.StrEnum):
    """How a path differs between two states."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    TYPE_CHANGED = "type_changed"
    MODE_CHANGED = "mode_changed"


class PathDifference(msgspec.Struct, frozen=True):
    """One path that differs between two states; sizes in bytes."""

    path: str
    difference: Difference
    kind: NodeKind
    old_size: int = 0
    new_size: int = 0


class Comparison(msgspec.Struct, frozen=True):
    """What differs from the left state to the right one, sorted by path.

    Args:
        total: how many paths differ; more than ``len(differences)`` when the list was cut.
    """

    left: str
    right: str
    differences: tuple[PathDifference, ...]
    total: int


class FileDiff(msgspec.Struct, frozen=True):
    """A file in two states.

    Args:
        kind: ``text``, ``notebook`` (shown cell by cell as text), ``binary`` or ``same``.
        unified: the differences in unified diff format; ``""`` for binary files.
    """

    left: str
    right: str
    kind: str
    unified: str = ""


class FileVersion(msgspec.Struct, frozen=True):
    """A version of one file in an instance's history: a snapshot in which it changed."""

    snapshot: Snapshot
    size: int
    modified_at: datetime
