"""Where blobs lie: the catalog's blob index with the look-ups that hit kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog.blobs import Location
from nuvo_jupyter.catalog.database import Catalog

REMEMBERED = 131_072
"""Blobs whose place is kept in memory; about 250 bytes each."""


class BlobIndex:
    """Look-ups by many ids at once. Only hits are remembered: a blob not there now may come any moment.

    Collecting, which moves and deletes blobs, has to call :meth:`forget` in its own process; other
    processes notice at the next read that fails (:meth:`locate_again`).
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._places: dict[bytes, Location] = {}
        self._names: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def locate(self, ids: Collection[bytes]) -> dict[bytes, Location]:
        """Where those of ``ids`` lie that are stored."""
        places = self._places
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
                fresh = blobs.locate(connection, unknown)
            self._remember(fresh)
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

    def contains(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of ``ids`` that are stored."""
        return set(self.locate(ids))

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
                self._places.clear()
                self._names.clear()
            else:
                for id_ in ids:
                    self._places.pop(id_, None)

    def _remember(self, fresh: dict[bytes, Location]) -> None:
        with self._lock:
            self._places.update(fresh)
            surplus = len(self._places) - REMEMBERED
            if surplus > 0:
                # Dictionaries keep the order of insertion: the oldest go.
                for id_ in list(self._places)[:surplus]:
                    del self._places[id_]
