"""Progress of tasks comes as events, with a schema that says what they are worth."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_events import EventLogger
from jupyter_events.yaml import load as load_yaml

from nuvo_jupyter.handlers.events import PROGRESS, PROGRESS_FILE
from nuvo_jupyter.model.tasks import TaskKind, TaskState


async def test_the_last_event_of_a_snapshot_says_that_it_is_done(
    jp_fetch: Any, jp_serverapp: Any, tmp_path: Path
) -> None:
    heard: list[dict[str, Any]] = []
    finished = asyncio.Event()

    async def listen(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        assert schema_id == PROGRESS
        heard.append(data)
        if data["state"] == "done":
            finished.set()

    jp_serverapp.event_logger.register_event_schema(PROGRESS_FILE)
    jp_serverapp.event_logger.add_listener(schema_id=PROGRESS, listener=listen)
    (tmp_path / "work").mkdir()
    body = json.dumps({"folder": str(tmp_path / "work")})
    task = json.loads((await jp_fetch("nuvo", "api", "snapshots", method="POST", body=body)).body)
    await asyncio.wait_for(finished.wait(), 60)
    assert {event["id"] for event in heard} == {task["id"]}
    assert heard[-1]["kind"] == "snapshot"
    assert heard[-1]["instance"] == "work/master"


def test_schema_names_every_kind_and_state_and_its_limits() -> None:
    schema = load_yaml(PROGRESS_FILE)
    assert schema["properties"]["kind"]["enum"] == [kind.value for kind in TaskKind]
    assert schema["properties"]["state"]["enum"] == [state.value for state in TaskState]
    assert "never facts" in schema["description"]
