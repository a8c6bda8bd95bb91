"""What the store says about itself: its packs' entries and the reports of verify and repair."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class BlobEntry(NamedTuple):
    """One blob in a pack.

    Args:
        id: BLAKE3-256 of the plain bytes: 32 bytes.
        offset: in the pack, bytes.
        length: as stored, bytes.
        size: of the plain content, bytes.
        codec: 0 as is, 1 zstd.
        kind: 0 content, 1 tree, 2 manifest: what it was first written as.
    """

    id: bytes
    offset: int
    length: int
    size: int
    codec: int
    kind: int


class Damage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with the store.

    Args:
        code: ``pack_missing``, ``pack_damaged``, ``blob_damaged``, ``blob_missing`` or ``index_wrong``.
        detail: a sentence for the user.
        pack: name of the pack concerned, hexadecimal.
        blob: id of the blob concerned, hexadecimal.
    """

    code: str
    detail: str
    pack: str = ""
    blob: str = ""


class Affected(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file (or folder, or a whole snapshot) that cannot be read completely.

    Args:
        reference: as people type it: ``space/instance@number:path``.
        detail: what of it is lost, where it is not a plain file.
    """

    reference: str
    detail: str = ""


class VerifyReport(msgspec.Struct, frozen=True):
    """What ``nuvo verify`` found.

    Args:
        packs: number read completely.
        blobs: number whose content was hashed.
        size: bytes of all packs read.
        snapshots: number followed to their last blob.
        unreferenced: packs the catalog does not know: left by writers that were interrupted, harmless.
        damage: everything that is wrong, by pack and blob.
        affected: what cannot be read because of it, by reference.
    """

    packs: int = 0
    blobs: int = 0
    size: int = 0
    snapshots: int = 0
    unreferenced: int = 0
    damage: tuple[Damage, ...] = ()
    affected: tuple[Affected, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage and not self.affected


class RepairReport(msgspec.Struct, frozen=True):
    """What ``nuvo repair`` did to the catalog's blob index.

    Args:
        packs: number of packs read.
        blobs: number of sound blobs found in them.
        packs_added: packs that were not in the catalog.
        packs_removed: packs in the catalog that no longer exist.
        blobs_added: blobs that were not in the catalog, or were listed elsewhere.
        blobs_removed: blobs in the catalog of which no sound copy was in the packs.
        damage: what was wrong with packs.
        taken_back: blobs found again in a copy of the store, or in a workspace.
        lost: what cannot be read completely, by reference; ``nuvo verify`` says the same from now on.
    """

    packs: int = 0
    blobs: int = 0
    packs_added: int = 0
    packs_removed: int = 0
    blobs_added: int = 0
    blobs_removed: int = 0
    damage: tuple[Damage, ...] = ()
    taken_back: int = 0
    lost: tuple[Affected, ...] = ()


class RebuildReport(msgspec.Struct, frozen=True):
    """What ``nuvo rebuild`` made a new catalog of.

    Args:
        packs: number of packs read.
        blobs: number of sound blobs found in them.
        snapshots: found in the store.
        incomplete: how many of them lack some of their content: they were let go and partly collected, or damaged.
        space: whose Master has them now; ``""`` where there are none.
    """

    packs: int = 0
    blobs: int = 0
    snapshots: int = 0
    space: str = ""
    incomplete: int = 0


class CollectReport(msgspec.Struct, frozen=True):
    """What ``nuvo collect`` freed, or would free.

    Args:
        dry_run: nothing was changed; the figures are what would be freed in the end.
        snapshots: let go of: deleted, and no longer recoverable.
        blobs: that left the index because nothing holds them.
        size: their bytes as stored.
        packs_deleted: files that are gone; also those that were put together anew.
        packs_rewritten: packs of which most was dead, or that were small, put together anew.
        freed: bytes of the files deleted.
        written: bytes of the files that took their place.
        waiting: bytes that are freed once the grace period is over.
        store_size: bytes of all packs afterwards.
        damaged: packs that were left alone because something in them cannot be read, hexadecimal.
    """

    dry_run: bool = False
    snapshots: int = 0
    blobs: int = 0
    size: int = 0
    packs_deleted: int = 0
    packs_rewritten: int = 0
    freed: int = 0
    written: int = 0
    waiting: int = 0
    store_size: int = 0
    damaged: tuple[str, ...] = ()
