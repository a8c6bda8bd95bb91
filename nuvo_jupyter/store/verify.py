"""Re-hash everything in the store and say which snapshots and files are affected by what is wrong."""

from __future__ import annotations

from collections.abc import Callable

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog.blobs import PackRow
from nuvo_jupyter.model.errors import Cancelled, StoreDamaged
from nuvo_jupyter.model.store import BlobEntry, Damage, VerifyReport
from nuvo_jupyter.store.follow import follow
from nuvo_jupyter.store.pack import name_of, path_of
from nuvo_jupyter.store.pack_check import OpenPack
from nuvo_jupyter.store.store import Store

Progress = Callable[[int, int], None]


def verify(
    store: Store, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> VerifyReport:
    """Read and hash every pack and blob, then follow every snapshot to its last blob.

    Changes nothing, and can run beside captures and deliveries.

    Args:
        progress: told ``(done, total)`` in bytes of packs after each pack.
        cancelled: asked between packs and folders.

    Raises:
        Cancelled: ``cancelled`` said so.
    """

    def stop() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Verifying was cancelled.")

    store.index.forget()
    # In this order: a pack is durable before its row exists, so a row without a pack is damage.
    with store.catalog.read() as connection:
        known = {row.name: row for row in blobs.all_packs(connection)}
    present = {name: item.size for item in store.backend.list() if (name := name_of(item.path)) is not None}

    check = _Check(store)
    total, done = sum(present.values()), 0
    for name, size in present.items():
        stop()
        # What the catalog does not know is whatever an interrupted writer or a repair left: nothing relies on it.
        if name in known:
            check.pack(name, size, known[name])
        done += size
        if progress is not None:
            progress(done, total)
    for name in known.keys() - present.keys():
        if store.backend.size(path_of(name)) is None:
            check.missing(known[name])

    followed = follow(store, check.bad, stop)
    return VerifyReport(
        packs=len(present),
        blobs=check.blobs,
        size=done,
        snapshots=followed.snapshots,
        unreferenced=len(present.keys() - known.keys()),
        damage=(*check.damage, *followed.damage),
        affected=tuple(followed.affected),
    )


class _Check:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.blobs = 0
        self.damage: list[Damage] = []
        self.bad: set[bytes] = set()

    def pack(self, name: bytes, size: int, row: PackRow) -> None:
        text = name.hex()
        rows = self._rows(row)
        try:
            pack = OpenPack(self._store.backend, name, size)
        except FileNotFoundError:
            self.missing(row)
            return
        if not pack.has_its_hash():
            detail = "It does not have the hash it should have."
            if row.size != size:
                detail = f"It is {size} bytes long and should be {row.size}."
            self.damage.append(Damage("pack_damaged", detail, pack=text))
        else:
            try:
                pack.entries()
            except StoreDamaged as error:
                self.damage.append(Damage("pack_damaged", error.message, pack=text))
        bad = [entry for entry, sound in pack.check(rows) if not sound]
        self.blobs += len(rows)
        if not bad:
            return
        wanted = {entry.id for entry in bad}
        elsewhere = [entry for entry in pack.readable_entries() if entry.id in wanted]
        misplaced = {entry.id for entry, sound in pack.check(elsewhere) if sound}
        for entry in bad:
            self.bad.add(entry.id)
            if entry.id in misplaced:
                code, detail = (
                    "index_wrong",
                    "The catalog names a wrong place for it; `nuvo repair` corrects that.",
                )
            else:
                code, detail = "blob_damaged", "It does not have the hash it should have."
            self.damage.append(Damage(code, detail, pack=text, blob=entry.id.hex()))

    def missing(self, row: PackRow) -> None:
        with self._store.catalog.read() as connection:
            if blobs.find_pack(connection, row.name) is None:
                # Collected meanwhile.
                return
        entries = self._rows(row)
        self.bad.update(entry.id for entry in entries)
        self.damage.append(
            Damage(
                "pack_missing", f"The pack is missing, and {len(entries)} blobs with it.", pack=row.name.hex()
            )
        )

    def _rows(self, row: PackRow) -> list[BlobEntry]:
        with self._store.catalog.read() as connection:
            return blobs.rows_of_pack(connection, row.id)
