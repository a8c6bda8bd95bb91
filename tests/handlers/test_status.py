"""The extension loads and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


async def test_status(jp_fetch: Any, home: Path) -> None:
    response = await jp_fetch("nuvo", "api", "status")
    body = json.loads(response.body)
    assert body["mode"] == "embedded"
    assert body["home"] == str(home)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Etag" not in response.headers


async def test_what_jupyter_adds_to_queries_is_passed_over(jp_fetch: Any) -> None:
    response = await jp_fetch("nuvo", "api", "status", params={"1700000000000": "", "no_track_activity": "1"})
    assert response.code == 200
