"""An index, a cache of uv's of its own, and an instance with a home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuvo_jupyter.workspace.applications.applications import Applications

from .made import Index, make_wheel


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No settings, caches or packages of this machine."""
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_", "JUPYTER")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path / "lab-settings"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with alpha 1.0 and 2.0 and beta 1.0."""
    index = Index(tmp_path / "index")
    made = tmp_path / "made"
    index.offer(
        make_wheel(made, "alpha", "1.0"), make_wheel(made, "alpha", "2.0"), make_wheel(made, "beta", "1.0")
    )
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    yield index
    index.stop()


@pytest.fixture
def applications(tmp_path: Path) -> Applications:
    """Of an instance in the space Physics."""
    return instance(tmp_path, "anna")


def instance(tmp_path: Path, name: str) -> Applications:
    """An instance of the space Physics; all of them have one home."""
    workspace = tmp_path / name
    workspace.mkdir()
    return Applications(tmp_path / "home", workspace, "Physics", name, kernels=tmp_path / "kernels")
