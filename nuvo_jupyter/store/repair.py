"""Rebuild the catalog's blob index from the packs, and take back what is lost from other copies of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, condemned
from nuvo_jupyter.catalog.blobs import PackRow
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.store import BlobEntry, Damage, RepairReport
from nuvo_jupyter.store.follow import Followed
from nuvo_jupyter.store.pack import name_of, path_of
from nuvo_jupyter.store.pack_check import OpenPack
from nuvo_jupyter.store.salvage import Give, Picker, take_back
from nuvo_jupyter.store.store import Store


def repair(
    store: Store,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    sources: Sequence[Give] = (),
) -> RepairReport:
    """Make the catalog list exactly the sound blobs that are in the packs, and look elsewhere for those that are lost.

    No pack is changed: what is sound in a damaged one goes into a new one. Blobs of which no sound copy exists are
    dropped from the catalog, so that the next capture of the same content stores them again. Each pack is one
    transaction: it can run beside captures and be broken off at any point.

    Args:
        progress: told ``(done, total)`` in bytes of packs after each pack.
        cancelled: asked between packs.
        sources: of content, beside the packs.

    Raises:
        Cancelled: ``cancelled`` said so; what was repaired until then stays.
    """

    def stop() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Repairing was cancelled.")

    work = _Repair(store)
    with store.catalog.read() as connection:
        # Collecting took everything out of them that anything holds.
        doomed = {pack.name for pack, _, _ in condemned.all_doomed(connection) if not pack.orphan}
    sizes = {
        name: item.size
        for item in store.backend.list()
        if (name := name_of(item.path)) is not None and name not in doomed
    }
    total, done = sum(sizes.values()), 0
    for name, size in sizes.items():
        stop()
        work.pack(name, size)
        done += size
        if progress is not None:
            progress(done, total)
    work.drop_missing(set(sizes))
    work.find_copies(sizes)
    store.index.forget()
    followed, taken_back = take_back(store, sources, stop)
    return work.report(followed, taken_back)


class _Repair:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._damage: list[Damage] = []
        self._dropped: set[bytes] = set()
        self._packs = self._blobs = 0
        self._packs_added = self._packs_removed = self._blobs_added = 0

    def pack(self, name: bytes, size: int) -> None:
        """Enter one pack's sound blobs; drop what the catalog says of it that is not so."""
        catalog = self._store.catalog
        with catalog.read() as connection:
            row = blobs.find_pack(connection, name)
            listed = blobs.rows_of_pack(connection, row.id) if row is not None else []
        try:
            pack = OpenPack(self._store.backend, name, size)
        except FileNotFoundError:
            return
        self._packs += 1
        if not pack.has_its_hash():
            self._damaged(pack, row, listed)
            return
        sound = pack.readable_entries()
        self._blobs += len(sound)
        wrong = {entry.id for entry in set(listed) - set(sound)}
        with catalog.write() as connection:
            blobs.remove_blobs(connection, wrong)
            self._dropped |= wrong
            if row is None and sound:
                self._packs_added += 1
            self._enter(connection, name, size, sound)

    def _damaged(self, pack: OpenPack, row: PackRow | None, listed: list[BlobEntry]) -> None:
        """Copy what is sound in a damaged pack into a new one, and forget the old one."""
        # Where the pack's own index is lost, the catalog may still know what lies in it.
        both = {entry.id: entry for entry in (*listed, *pack.readable_entries())}
        with self._store.catalog.read() as connection:
            places = blobs.locate(connection, both.keys())
        wanted = {id_ for id_ in both if id_ not in places or (row and places[id_].pack_id == row.id)}
        with Picker(self._store, wanted) as picker:
            for entry in both.values():
                data = pack.read(entry) if entry.id in wanted else None
                if data is not None:
                    picker.add(data, entry.kind)
            if row is None and not picker.picked:
                return
            picker.flush()
            with self._store.catalog.write(durable=True) as connection:
                if row is not None:
                    blobs.remove_pack(connection, row.id)
                picker.commit(connection)
        self._blobs += len(picker.picked)
        self._blobs_added += len(picker.picked - {entry.id for entry in listed})
        self._dropped.difference_update(picker.picked)
        self._dropped |= {entry.id for entry in listed} - picker.picked
        lost = len(wanted - picker.picked)
        rest = "The others were copied into a new pack." if picker.picked else ""
        detail = f"{lost} blobs in it are damaged. {rest}".strip()
        self._damage.append(Damage("pack_damaged", detail, pack=pack.name.hex()))

    def drop_missing(self, present: set[bytes]) -> None:
        """Drop packs that do not exist, with their blobs."""
        catalog = self._store.catalog
        with catalog.read() as connection:
            rows = [row for row in blobs.all_packs(connection) if row.name not in present]
        for row in rows:
            # A writer may have put it after the packs were listed.
            if self._store.backend.size(path_of(row.name)) is not None:
                continue
            with catalog.write() as connection:
                self._dropped.update(entry.id for entry in blobs.rows_of_pack(connection, row.id))
                blobs.remove_pack(connection, row.id)
            self._packs_removed += 1
            self._damage.append(Damage("pack_missing", "The pack is missing.", pack=row.name.hex()))

    def find_copies(self, sizes: dict[bytes, int]) -> None:
        """Look for other copies of dropped blobs: a pack that was looked at earlier may hold one."""
        for name, size in sizes.items():
            if not self._dropped:
                return
            try:
                pack = OpenPack(self._store.backend, name, size)
                entries = [entry for entry in pack.readable_entries() if entry.id in self._dropped]
            except FileNotFoundError:
                continue
            copies = [entry for entry, sound in pack.check(entries) if sound] if pack.has_its_hash() else []
            if copies:
                with self._store.catalog.write() as connection:
                    self._enter(connection, name, size, copies)

    def report(self, followed: Followed, taken_back: int) -> RepairReport:
        return RepairReport(
            packs=self._packs,
            blobs=self._blobs,
            packs_added=self._packs_added,
            packs_removed=self._packs_removed,
            blobs_added=self._blobs_added,
            blobs_removed=len(self._dropped),
            damage=tuple(self._damage),
            taken_back=taken_back,
            lost=tuple(followed.affected),
        )

    def _enter(self, connection: Connection, name: bytes, size: int, entries: list[BlobEntry]) -> None:
        if not entries:
            return
        known = blobs.locate(connection, {entry.id for entry in entries})
        fresh = [entry for entry in entries if entry.id not in known]
        blobs.add_packs(connection, self._store.catalog, [(name, size, fresh)])
        self._blobs_added += len({entry.id for entry in fresh})
        self._dropped.difference_update(entry.id for entry in entries)
