"""A folder of tables and connections to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.workspace.tables.connection import Connection

Open = Callable[[], Connection]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the tables of a workspace lie; made by the first of them."""
    return tmp_path / "tables"


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    """Opens connections that are closed at the end."""
    made: list[Connection] = []

    def connect() -> Connection:
        made.append(Connection(folder))
        return made[-1]

    yield connect
    for connection in made:
        connection.close()


@pytest.fixture
def con(opened: Open) -> Connection:
    return opened()
