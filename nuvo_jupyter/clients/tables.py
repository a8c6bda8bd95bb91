"""``nuvo.connect()``: the tables of the instance one works in, of a snapshot, or of Distributed."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from nuvo_jupyter.clients.place import Place
from nuvo_jupyter.model.errors import NotFound
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.objects import TABLE, TABLES, VIEW
from nuvo_jupyter.model.reference import parse_reference

if TYPE_CHECKING:
    from nuvo_jupyter.clients.methods import Client
    from nuvo_jupyter.workspace.tables.connection import Connection


class InstanceTables:
    """Where the tables of states are found from a folder.

    Args:
        client: to the engine.
        folder: of a workspace; the current working folder by default.
    """

    def __init__(self, client: Client, folder: str | None = None) -> None:
        self._client = client
        self._place = Place(client, folder)

    def connect(self, state: str = "") -> Connection:
        """A DuckDB connection with the tables of a state.

        Args:
            state: as people type it: ``""`` for the current state, which can be changed; ``@3``, ``distributed``,
                ``intro/anna@latest``, which can only be read.

        Raises:
            NotFound: the folder belongs to no instance, or there is no such state.
            Refused: the state may not be viewed.
        """
        from nuvo_jupyter.workspace.tables.connection import Connection

        reference = self._place.state(state)
        if reference == self._place.instance:
            connection = Connection(self._place.root / TABLES)
        else:
            connection = Connection(
                self._fetched(reference), refusal=f"This connection only reads the tables of {reference}."
            )
        connection.find_state = lambda other: self._fetched(self._place.state(other))
        return connection

    def _fetched(self, reference: str) -> Path:
        """A folder of one's own with copies of a state's tables; those of a snapshot are kept, as they never change."""
        folder = _cache()
        parsed = parse_reference(reference)
        if parsed.is_current:
            folder = folder / f"current-{os.getpid()}-{secrets.token_hex(4)}"
        else:
            folder = folder / str(self._client.snapshot_show(state=reference).snapshot.id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fetch(reference, TABLES, folder)
        return folder

    def _fetch(self, reference: str, path: str, folder: Path) -> None:
        try:
            entries = self._client.browse(state=f"{reference}:{path}")
        except NotFound:
            if path != TABLES:
                raise
            # A state without tables is one with none.
            self._client.browse(state=reference)
            return
        for entry in entries:
            if entry.kind is NodeKind.FOLDER and path == TABLES:
                schema = folder / entry.name
                schema.mkdir(mode=0o700, exist_ok=True)
                self._fetch(reference, entry.path, schema)
            elif entry.kind is NodeKind.FILE and entry.name.endswith((TABLE, VIEW)):
                target = folder / entry.name
                if not target.exists() or target.stat().st_size != entry.size:
                    self._download(f"{reference}:{entry.path}", target)

    def _download(self, reference: str, target: Path) -> None:
        temporary = target.with_name(f".~{secrets.token_hex(8)}")
        try:
            with open(temporary, "xb") as file:
                file.writelines(self._client.read(state=reference).body)
            temporary.chmod(0o400)
            os.replace(temporary, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nuvo" / "tables"
