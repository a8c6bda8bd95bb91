"""The Python client: the declared operations as methods, over HTTP or in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuvo_jupyter.clients.methods import Client
    from nuvo_jupyter.workspace.tables.connection import Connection


def client(server: str | None = None) -> Client:
    """Connect to Nuvo.

    Args:
        server: URL of a Jupyter server, with ``?token=…``; ``"local"`` for the embedded engine in this process.
            By default the server that started this kernel if it serves Nuvo, else the embedded engine.

    Raises:
        ServiceUnavailable: the server named does not answer.
        InvalidInput: ``server`` is no URL.
    """
    from nuvo_jupyter.clients.connecting import connect

    return connect(server)


def connect(state: str = "", *, folder: str | None = None) -> Connection:
    """Open the tables of a state with DuckDB: ``con = nuvo.connect()``, ``con.sql("SELECT …")``.

    Args:
        state: ``""`` for the current state of the instance one works in, whose tables can be changed; a snapshot
            (``@3``, ``@latest``, a time), ``distributed`` or any reference to read that state's tables.
        folder: of the instance; the current working folder by default.

    Returns:
        A connection with the methods of DuckDB's, in which the files of ``tables/`` are tables.

    Raises:
        NotFound: the folder belongs to no instance, or there is no such state.
        Refused: the state may not be viewed.
    """
    from nuvo_jupyter.clients.tables import InstanceTables

    return InstanceTables(client(), folder).connect(state)
