"""Collecting: find what nothing holds, take it out of the index after a grace period, and give its space back.

Every step can be repeated, each of its transactions is complete in itself, and nothing is removed that was not
condemned before: killed anywhere, the next run goes on (docs/growth.md).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import blobs, condemned, holding, releasing
from nuvo_jupyter.catalog.blobs import PackRow
from nuvo_jupyter.catalog.database import read_clock
from nuvo_jupyter.model.errors import Cancelled
from nuvo_jupyter.model.store import BlobEntry, CollectReport
from nuvo_jupyter.store.graph import Graph, Reached
from nuvo_jupyter.store.pack import name_of, path_of
from nuvo_jupyter.store.repack import Use, chosen, grouped, repack, size_of
from nuvo_jupyter.store.store import Store

GRACE_SECONDS = 24 * 3600.0
ORPHAN_SECONDS = 24 * 3600.0
"""How long a pack that nobody entered is taken for one of a writer that is not done yet."""
AT_ONCE = 20_000
"""Blobs that are condemned in one transaction …"""
REMOVED_AT_ONCE = 5000
"""… and removed in one: writers wait that long."""
ROUNDS = 5
"""How often new snapshots are followed beside their writers before writers have to wait."""

Step = Callable[[str, int, int], None]


class _Found(NamedTuple):
    """What the index holds: dead blobs with their stored bytes, and by pack what is alive (blobs, bytes)."""

    dead: dict[bytes, int]
    alive: dict[int, tuple[int, int]]


def collect(
    store: Store,
    *,
    memory: Path | None = None,
    grace: float = GRACE_SECONDS,
    early: bool = False,
    alone: Callable[[Connection], bool] = lambda _: False,
    dry_run: bool = False,
    progress: Step | None = None,
    cancelled: Callable[[], bool] | None = None,
    fence: Callable[[Connection], None] = lambda _: None,
) -> CollectReport:
    """Free what no snapshot, no last distribution and nothing unfinished holds.

    It runs beside captures, deliveries and reading, in any number of processes. One collection at a time, and no
    repair meanwhile, is its caller's to see to; ``fence`` makes sure where leases run out.

    Args:
        memory: file that keeps what refers to what between runs.
        grace: seconds between noticing that something is dead and removing it, and again its pack.
        early: with what was deleted but could still be brought back.
        alone: whether nobody writes now, so that packs nobody entered are garbage; asked in a transaction.
        dry_run: change nothing; say what would be freed in the end.
        progress: told a step, and how far it is.
        cancelled: asked between small pieces of work.
        fence: called in each transaction that changes anything; raises if somebody else has taken over.

    Raises:
        Cancelled: ``cancelled`` said so; what was freed until then is.
        StoreDamaged: a snapshot cannot be followed, so that nobody knows what it needs; nothing was freed.
    """
    work = _Collect(store, memory, grace, early, alone, progress, cancelled, fence)
    return work.foresee() if dry_run else work.run()


class _Collect:
    def __init__(
        self,
        store: Store,
        memory: Path | None,
        grace: float,
        early: bool,
        alone: Callable[[Connection], bool],
        progress: Step | None,
        cancelled: Callable[[], bool] | None,
        fence: Callable[[Connection], None],
    ) -> None:
        self._store = store
        self._catalog = store.catalog
        self._memory = memory
        self._grace = grace
        self._early = early
        self._alone = alone
        self._progress = progress
        self._cancelled = cancelled
        self._fence = fence
        self._graph = Graph.load(memory)
        self._reached = Reached()

    def run(self) -> CollectReport:
        """Collect."""
        with self._catalog.read() as connection:
            released = releasing.due(connection, early=self._early)
            held = releasing.held(connection)
        # Writers are disturbed only where there is something to do.
        if any(released):
            with self._catalog.write() as connection:
                self._fence(connection)
                released = releasing.due(connection, early=self._early)
                releasing.release(connection, released)
                held = releasing.held(connection)
        self._mark(held)
        self._remember()
        found = self._look()
        self._condemn(found.dead)
        removed = self._remove(found.dead)
        alive = self._uses()
        packs = chosen(alive)
        repacked = repack(
            self._store,
            packs,
            fence=self._fence,
            stop=self._stop,
            tell=lambda a, b: self._tell("rewrite", a, b),
        )
        self._doom()
        deleted = self._delete()
        with self._catalog.read() as connection:
            waiting = sum(found.dead.get(id_, 0) for id_ in condemned.all_condemned(connection))
            waiting += sum(
                pack.size for pack, _, deleting in condemned.all_doomed(connection) if deleting is None
            )
            size = sum(row.size for row in blobs.all_packs(connection))
        return CollectReport(
            snapshots=len(released.snapshots),
            blobs=len(removed),
            size=sum(found.dead.get(id_, 0) for id_ in removed),
            packs_deleted=len(deleted),
            packs_rewritten=repacked.packs,
            freed=sum(deleted),
            written=repacked.written,
            waiting=waiting,
            store_size=size,
            damaged=tuple(name.hex() for name in repacked.damaged),
        )

    def foresee(self) -> CollectReport:
        """Say what would be freed in the end."""
        with self._catalog.read() as connection:
            released = releasing.due(connection, early=self._early)
            held = [
                one
                for one in releasing.held(connection)
                if one.instance not in released.instances or one.snapshot is not None
                if one.snapshot is None or one.snapshot not in released.snapshots
            ]
        self._mark(held)
        self._remember()
        found = self._look()
        with self._catalog.read() as connection:
            known = blobs.all_packs(connection)
        uses = [Use(pack, *found.alive.get(pack.id, (0, 0))) for pack in known]
        packs = chosen(uses)
        entries = (entry for pack in packs for entry in self._alive_in(pack, found.dead))
        written = [size_of(group) for group in grouped(entries)]
        gone = {pack.name: pack.size for pack in packs} | {
            use.pack.name: use.pack.size for use in uses if not use.blobs
        }
        total = sum(pack.size for pack in known)
        freed = sum(gone.values())
        gone |= self._unknown({pack.name for pack in known})
        return CollectReport(
            dry_run=True,
            snapshots=len(released.snapshots),
            blobs=len(found.dead),
            size=sum(found.dead.values()),
            packs_deleted=len(gone),
            packs_rewritten=len(packs),
            freed=sum(gone.values()),
            written=sum(written),
            store_size=total - freed + sum(written),
        )

    def _unknown(self, known: set[bytes]) -> dict[bytes, int]:
        """Sizes of the packs in the store that the index no longer knows and that would be deleted in the end."""
        with self._catalog.read() as connection:
            orphan = {pack.name: pack.orphan for pack, _, _ in condemned.all_doomed(connection)}
            nobody = self._alone(connection)
        return {
            name: size
            for name, size in self._present()
            if name not in known and (nobody or not orphan.get(name, True))
        }

    def _mark(self, held: list[releasing.Held], *, quiet: bool = False) -> None:
        """Reach all that is held and was not reached before; quietly where others wait for a transaction."""
        for sure in (True, False):
            some = [one for one in held if one.sure is sure]
            self._graph.reach(
                self._store,
                self._reached,
                (one.manifest for one in some if one.manifest is not None),
                (tree for one in some for tree in one.trees),
                stop=(lambda: None) if quiet else self._stop,
                tell=None if quiet else lambda done, total: self._tell("mark", done, total),
                partly=not sure,
            )

    def _remember(self) -> None:
        if self._memory is None:
            return
        reached = sum(self._reached.folders)
        if reached * 2 < len(self._graph.names):
            # Mostly of what is long gone.
            self._graph.without_unreached(self._reached).save(self._memory)
        elif self._graph.learned:
            self._graph.save(self._memory)

    def _look(self) -> _Found:
        """Look through the index for what was not reached."""
        dead: dict[bytes, int] = {}
        alive: dict[int, tuple[int, int]] = {}
        with self._catalog.read() as connection:
            for row in condemned.rows(connection):
                if self._is_alive(row.id):
                    count, size = alive.get(row.pack_id, (0, 0))
                    alive[row.pack_id] = (count + 1, size + row.length)
                else:
                    dead[row.id] = row.length
        return _Found(dead, alive)

    def _is_alive(self, id_: bytes) -> bool:
        return self._graph.is_reached(self._reached, id_)

    def _condemn(self, dead: dict[bytes, int]) -> None:
        """Condemn what nothing holds, having followed everything that is held at that moment."""
        ids = sorted(dead)
        for start in range(0, len(ids), AT_ONCE):
            batch = ids[start : start + AT_ONCE]
            self._tell("condemn", start, len(ids))
            for last in (*(False,) * ROUNDS, True):
                self._stop()
                if not last:
                    # Beside the writers, so that little is left to do while they wait.
                    with self._catalog.read() as connection:
                        held = releasing.held(connection)
                    self._mark(held)
                with self._catalog.write() as connection:
                    holding.alone(connection)
                    self._fence(connection)
                    held = releasing.held(connection)
                    fresh = [one for one in held if not self._is_marked(one)]
                    if fresh and not last:
                        continue
                    self._mark(fresh, quiet=True)
                    condemned.condemn(connection, [id_ for id_ in batch if not self._is_alive(id_)])
                break

    def _is_marked(self, one: releasing.Held) -> bool:
        manifest = one.manifest is None or self._is_alive_folder(one.manifest)
        return manifest and all(map(self._is_alive_folder, one.trees))

    def _is_alive_folder(self, id_: bytes) -> bool:
        number = self._graph.folders.get(id_)
        folders = self._reached.folders
        return number is not None and number < len(folders) and bool(folders[number])

    def _remove(self, dead: dict[bytes, int]) -> list[bytes]:
        """Take out of the index what has been condemned for the grace period."""
        with self._catalog.read() as connection:
            limit = read_clock(connection) - self._grace
            listed = condemned.all_condemned(connection)
        # Never what is held, whatever the list says.
        held = [id_ for id_ in listed if self._is_alive(id_)]
        ids = sorted(id_ for id_, at in listed.items() if at <= limit and not self._is_alive(id_))
        if held:
            with self._catalog.write() as connection:
                self._fence(connection)
                condemned.revive(connection, held)
        removed: list[bytes] = []
        for start in range(0, len(ids), REMOVED_AT_ONCE):
            self._stop()
            self._tell("free", start, len(ids))
            with self._catalog.write() as connection:
                holding.alone(connection)
                self._fence(connection)
                removed += condemned.remove(connection, ids[start : start + REMOVED_AT_ONCE])
        # Condemned earlier, its row may be gone already: it counts once.
        return [id_ for id_ in removed if id_ in dead]

    def _uses(self) -> list[Use]:
        """Every pack with what of it is in the index."""
        alive: dict[int, tuple[int, int]] = {}
        with self._catalog.read() as connection:
            known = blobs.all_packs(connection)
            for row in condemned.rows(connection):
                count, size = alive.get(row.pack_id, (0, 0))
                alive[row.pack_id] = (count + 1, size + row.length)
        return [Use(pack, *alive.get(pack.id, (0, 0))) for pack in known]

    def _alive_in(self, pack: PackRow, dead: dict[bytes, int]) -> list[BlobEntry]:
        with self._catalog.read() as connection:
            return [entry for entry in blobs.rows_of_pack(connection, pack.id) if entry.id not in dead]

    def _doom(self) -> None:
        """Doom packs of which nothing is left in the index, and those that it does not know."""
        present = list(self._present())
        with self._catalog.read() as connection:
            known = {pack.name for pack in blobs.all_packs(connection)}
            known.update(pack.name for pack, _, _ in condemned.all_doomed(connection))
            if not condemned.any_empty(connection) and known.issuperset(name for name, _ in present):
                return
        with self._catalog.write() as connection:
            holding.alone(connection)
            self._fence(connection)
            condemned.doom_empty(connection)
            condemned.doom_unknown(connection, present)
            condemned.forget_deleted(connection)

    def _present(self) -> list[tuple[bytes, int]]:
        found = ((name_of(item.path), item.size) for item in self._store.backend.list())
        return [(name, size) for name, size in found if name is not None]

    def _delete(self) -> list[int]:
        """Delete packs that were doomed for the grace period; returns their sizes."""
        sizes: list[int] = []
        present = dict(self._present())
        with self._catalog.read() as connection:
            if not any(pack.name in present for pack, _, _ in condemned.all_doomed(connection)):
                return sizes
        # No file goes before its place in the index is gone for good.
        with self._catalog.write(durable=True) as connection:
            holding.alone(connection)
            self._fence(connection)
            moment = read_clock(connection)
            nobody = self._alone(connection)
            wanted = []
            for pack, at, deleting in condemned.all_doomed(connection):
                wait = (0.0 if nobody else max(self._grace, ORPHAN_SECONDS)) if pack.orphan else self._grace
                # What a killed run had begun to delete may still be there.
                if pack.name in present and (deleting is not None or at <= moment - wait):
                    wanted.append(pack.name)
            doomed = condemned.begin_deleting(connection, wanted)
        for number, pack in enumerate(doomed):
            self._stop()
            self._tell("delete", number, len(doomed))
            self._store.backend.delete(path_of(pack.name))
            sizes.append(pack.size)
        return sizes

    def _tell(self, step: str, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(step, done, total)

    def _stop(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("Collecting was cancelled.")
