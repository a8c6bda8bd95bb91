"""Where blobs lie: the catalog's blob index with the look-ups that hit kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from itertools import islice

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog.blobs import Location
from nuvo_jupyter.catalog.database import Catalog

REMEMBERED = 32_768
"""Blobs whose place is kept in memory; about 350 bytes each. Many more are asked for only by what reads them once."""


class BlobIndex:
    """Look-ups by many ids at once. Only hits are remembered: a blob not there now may come any moment.

    What is remembered is of one generation of the index, during which no blob has left it, and forgotten with it.
    Blobs that were moved to another pack are noticed at the next read that fails (:meth:`locate_again`).
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._places: dict[bytes, Location] = {}
        self._names: dict[int, bytes] = {}
        self._generation = ""
        self._lock = threading.Lock()

    def locate(
        self, ids: Collection[bytes], since: str | None = None, *, keep: bool = True
    ) -> dict[bytes, Location]:
        """Where those of ``ids`` lie that are stored.

        Args:
            since: a generation read before; nothing that is remembered of another one is used.
            keep: whether what had to be looked up is remembered.
        """
        with self._lock:
            # A dictionary only ever holds what is of one generation.
            places = self._places if since is None or since == self._generation else {}
        found = {}
        unknown = []
        for id_ in ids:
            place = places.get(id_)
            if place is None:
                unknown.append(id_)
            else:
                found[id_] = place
        if unknown:
            with self.catalog.read() as connection:
                # Before the look-up: what is found is of this generation, or of a later one.
                generation = blobs.generation(connection)
                fresh = blobs.locate(connection, unknown)
            if keep:
                self._remember(fresh, generation)
            found.update(fresh)
        return found

    def locate_again(self, id_: bytes) -> Location | None:
        """Where one blob lies by the catalog, whatever was remembered."""
        self.forget([id_])
        with self.catalog.read() as connection:
            place = blobs.locate(connection, [id_]).get(id_)
            if place is not None:
                self._names.update(blobs.pack_names(connection, [place.pack_id]))
        return place

    def current(self) -> str:
        """The generation of the index now; what is remembered of another one is forgotten."""
        with self.catalog.read() as connection:
            generation = blobs.generation(connection)
        with self._lock:
            self._change_to(generation)
        return generation

    def contains(self, ids: Collection[bytes], since: str | None = None) -> set[bytes]:
        """Those of ``ids`` that are stored; ``since`` as for :meth:`locate`."""
        return set(self.locate(ids, since))

    def all_of_few(self, limit: int) -> set[bytes] | None:
        """The ids of all blobs; ``None`` if there are more than ``limit``."""
        with self.catalog.read() as connection:
            return blobs.all_of_few(connection, limit)

    def pack_names(self, pack_ids: Iterable[int]) -> dict[int, bytes]:
        """The names (32 bytes) of packs by row id."""
        wanted = set(pack_ids)
        unknown = wanted - self._names.keys()
        if unknown:
            with self.catalog.read() as connection:
                self._names.update(blobs.pack_names(connection, unknown))
        return {pack_id: self._names[pack_id] for pack_id in wanted if pack_id in self._names}

    def forget(self, ids: Iterable[bytes] | None = None) -> None:
        """Drop what is remembered of some blobs, or of all."""
        with self._lock:
            if ids is None:
                self._places = {}
                self._names.clear()
            else:
                for id_ in ids:
                    self._places.pop(id_, None)

    def _change_to(self, generation: str) -> None:
        if generation != self._generation:
            self._places = {}
            self._generation = generation

    def _remember(self, fresh: dict[bytes, Location], generation: str) -> None:
        with self._lock:
            self._change_to(generation)
            self._places.update(fresh)
            surplus = len(self._places) - REMEMBERED
            if surplus > 0:
                # Dictionaries keep the order of insertion: the oldest go.
                for id_ in list(islice(self._places, surplus)):
                    del self._places[id_]
