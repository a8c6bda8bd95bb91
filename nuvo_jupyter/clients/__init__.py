"""The Python client: the declared operations as methods, over HTTP or in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nuvo_jupyter.clients.methods import Client


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
