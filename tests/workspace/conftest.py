"""A workspace and a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.native import plain
from nuvo_jupyter.workspace import making

from .places import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "home")
    yield place
    place.close()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture(params=["compiled", "plain"])
def made_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the files of new folders."""
    if request.param == "plain":
        monkeypatch.setattr(making, "make_files", plain.make_files)
