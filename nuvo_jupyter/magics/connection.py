"""The client the magics share, connected on first use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.clients.place import Place
from nuvo_jupyter.model.errors import ServiceUnavailable


class Connection:
    """Connects on first use, and anew after the server went away."""

    def __init__(self) -> None:
        self._client: Client | None = None

    @contextmanager
    def place(self) -> Iterator[Place]:
        """The kernel's working folder, seen through a client.

        Raises:
            ServiceUnavailable: the server went away; the next use connects anew.
        """
        if self._client is None:
            from nuvo_jupyter.clients import client

            self._client = client()
        try:
            yield Place(self._client)
        except ServiceUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Let the client go."""
        if self._client is not None:
            self._client.close()
            self._client = None
