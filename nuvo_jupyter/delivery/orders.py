"""What a task is asked to do, as stored in its row (msgpack)."""

from __future__ import annotations

import msgspec

from nuvo_jupyter.model.changes import Strategies
from nuvo_jupyter.model.inspected import inspected
from nuvo_jupyter.model.snapshots import Reason
from nuvo_jupyter.model.tasks import DistributionKind, StagedObject

DELIVER = "deliver"
"""The step of a distribution whose deliveries run."""


@inspected
class SnapshotOrder(msgspec.Struct, frozen=True):
    """Capture the current state of the task's instance.

    Args:
        description: ``None`` takes the current state's description.
        next_description: becomes the current state's description; ``None`` leaves it.
        final: no work is expected in the next stage.
        unless_same: take none if the newest snapshot holds the same.
    """

    name: str | None = None
    description: str | None = None
    next_description: str | None = None
    final: bool = False
    reason: Reason = Reason.MANUAL
    unless_same: bool = False


@inspected
class DistributionOrder(msgspec.Struct, frozen=True):
    """Prepare a distribution's source, then let its deliveries run (stored in ``distribution.request`` too).

    Args:
        objects: ``None`` for the whole state.
        through: instance id of Distributed when everything goes through it first; else ``None``.
        recalled: for a recall: the distribution taken back, if one was named.
    """

    kind: DistributionKind
    objects: tuple[StagedObject, ...] | None
    strategies: Strategies = Strategies()
    only_files: bool = False
    through: int | None = None
    recalled: int | None = None


@inspected
class DeliveryOrder(msgspec.Struct, frozen=True):
    """Deliver to the task's instance what its distribution says.

    Args:
        first: this is the delivery into Distributed that the others of the distribution wait for.
    """

    first: bool = False


@inspected
class PreviewOrder(msgspec.Struct, frozen=True):
    """Say what a distribution would do.

    Args:
        source_instance: id.
        source_snapshot: id; ``None`` for the current state.
        targets: instance ids.
    """

    distribution: DistributionOrder
    source_instance: int
    source_snapshot: int | None
    targets: tuple[int, ...]


@inspected
class VerifyOrder(msgspec.Struct, frozen=True):
    """Re-hash the store."""


@inspected
class RepairOrder(msgspec.Struct, frozen=True):
    """Rebuild the catalog's index of the store from its packs.

    Args:
        source: a copy of the store to take back from what is lost; ``""`` for none.
    """

    source: str = ""


@inspected
class CollectOrder(msgspec.Struct, frozen=True):
    """Free what nothing holds.

    Args:
        dry_run: change nothing; say what would be freed.
        now: with what could still be brought back, and without the grace period.
    """

    dry_run: bool = False
    now: bool = False


@inspected
class UsageOrder(msgspec.Struct, frozen=True):
    """Say who holds how much of the store.

    Args:
        space_id: of this space alone.
        instance_id: of this instance alone, snapshot by snapshot.
        snapshot_ids: also what deleting these would free.
        states: their references.
        folder: also what each path in this folder of the instance needs; ``""`` for all of it.
    """

    space_id: int | None = None
    instance_id: int | None = None
    snapshot_ids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    folder: str | None = None


@inspected
class ForgetOrder(msgspec.Struct, frozen=True):
    """Apply a space's retention rule.

    Args:
        dry_run: delete nothing; say what would be.
    """

    space_id: int
    dry_run: bool = False


@inspected
class ApplicationAddOrder(msgspec.Struct, frozen=True):
    """Capture an environment as a new application of the task's instance.

    Args:
        prefix: folder of the environment.
        variables: names of environment variables its kernel expects.
        seal: put all wheels into the definition.
        offline: never use the network.
        spec: folder of its kernel's ``kernel.json``; ``""`` for the environment's own.
    """

    name: str
    prefix: str
    variables: tuple[str, ...] = ()
    seal: bool = False
    offline: bool = False
    spec: str = ""


@inspected
class ApplicationBuildOrder(msgspec.Struct, frozen=True):
    """Build the environment of an application of the task's instance, and install its kernel.

    Args:
        offline: never use the network.
        any_python: also where another Python than it was captured with is here.
        confirmed: also where its kernel would run another program than Python's.
        settings: then put its settings in the place of JupyterLab's.
    """

    name: str
    offline: bool = False
    any_python: bool = False
    confirmed: bool = False
    settings: bool = False


@inspected
class CrateImportOrder(msgspec.Struct, frozen=True):
    """Bring a crate that lies in the task's instance into the store, as a snapshot of it.

    Args:
        path: path text of the file.
    """

    path: str
    name: str | None = None
