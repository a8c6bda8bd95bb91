"""A real Jupyter server with the extension, on a home of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "nuvo home"


@pytest.fixture
def jp_server_config(home: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"nuvo_jupyter": True}, "allow_unauthenticated_access": False},
        "Nuvo": {
            "home": str(home),
            "workspace_template": str(tmp_path / "spaces" / "{space}" / "{instance}"),
        },
    }
