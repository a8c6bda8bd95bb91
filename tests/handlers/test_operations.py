"""Operations over HTTP, from a first snapshot to reading a file of it."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

NAMES = ["plain.txt", 'quo"te.txt', "naïve 🚲.txt", "line\nbreak.txt", "-dash; x=y.html"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "my work"
    made.mkdir()
    for name in NAMES:
        (made / name).write_text(f"content of {name}")
    return made


async def call(jp_fetch: Any, method: str, path: str, **fields: Any) -> Any:
    if method == "GET":
        response = await jp_fetch("nuvo", "api", *path.split("/"), params=fields)
    else:
        response = await jp_fetch("nuvo", "api", *path.split("/"), method=method, body=json.dumps(fields))
    assert response.headers["Content-Type"] == "application/json"
    return json.loads(response.body)


async def snapshot(jp_fetch: Any, folder: Path) -> dict[str, Any]:
    task = await call(jp_fetch, "POST", "snapshots", folder=str(folder), wait=30)
    assert task["state"] == "done", task
    return dict(task)


async def test_snapshot_waits_for_its_task(jp_fetch: Any, folder: Path) -> None:
    task = await snapshot(jp_fetch, folder)
    assert task["snapshot"] == "my work/master@1"
    (only,) = await call(jp_fetch, "GET", "snapshots", instance="my work/master")
    assert only["files"] == len(NAMES)
    located = await call(jp_fetch, "GET", "locate", folder=str(folder))
    assert located["instance"] == "my work/master"


async def test_without_waiting_the_answer_is_a_task_that_can_be_waited_for(
    jp_fetch: Any, folder: Path
) -> None:
    task = await call(jp_fetch, "POST", "snapshots", folder=str(folder))
    done = await call(jp_fetch, "GET", f"tasks/{task['id']}", wait=30)
    assert done["state"] == "done"


@pytest.mark.parametrize("name", NAMES)
async def test_content_is_a_download_that_no_browser_runs(jp_fetch: Any, folder: Path, name: str) -> None:
    await snapshot(jp_fetch, folder)
    response = await jp_fetch("nuvo", "api", "content", params={"state": f"my work/master@1:{name}"})
    assert response.body.decode() == f"content of {name}"
    headers = response.headers
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    assert f"filename*=UTF-8''{quote(name, safe='')}" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["Content-Length"]) == len(response.body)


async def test_audit_is_exported_as_json_lines(jp_fetch: Any, folder: Path) -> None:
    await snapshot(jp_fetch, folder)
    response = await jp_fetch("nuvo", "api", "audit.jsonl")
    entries = [json.loads(line) for line in response.body.splitlines()]
    assert "snapshot_create" in {entry["action"] for entry in entries}


async def test_restore_and_its_distribution(jp_fetch: Any, folder: Path) -> None:
    await snapshot(jp_fetch, folder)
    (folder / "plain.txt").write_text("changed")
    task = await call(jp_fetch, "POST", "restore", source="my work/master@1", paths=["plain.txt"], wait=30)
    assert task["state"] == "done", task
    assert (folder / "plain.txt").read_text() == "content of plain.txt"
    found = await call(jp_fetch, "GET", f"distributions/{task['distribution']}")
    assert [delivery["counts"] for delivery in found["deliveries"]] == [{"replaced": 1}]


async def test_two_changes_at_once_are_both_made(jp_fetch: Any, jp_asyncio_loop: Any, folder: Path) -> None:
    import asyncio

    await snapshot(jp_fetch, folder)
    made = await asyncio.gather(
        *(
            call(jp_fetch, "POST", "spaces", name=f"space {n}", workspace=str(folder.parent / f"w{n}"))
            for n in range(4)
        )
    )
    assert {space["name"] for space in made} == {f"space {n}" for n in range(4)}


async def test_looking_through_whole_folders_holds_up_no_other_call(
    jp_fetch: Any, jp_serverapp: Any, folder: Path
) -> None:
    await snapshot(jp_fetch, folder)
    background = jp_serverapp.web_app.settings["nuvo_background"]
    engine = (await background.run(background._open)).catalog.engine
    threads: dict[str, set[str]] = {}
    asking = ""

    def heard(*_: Any) -> None:
        name = threading.current_thread().name
        if name.startswith(("nuvo-call", "nuvo-long")):
            threads.setdefault(asking, set()).add(name.rpartition("_")[0])

    sa.event.listen(engine, "before_cursor_execute", heard)
    for asking, fields in {
        "compare": {"left": "my work/master@1", "right": "my work/master"},
        "history": {"instance": "my work/master", "path": "plain.txt"},
        "snapshots": {"instance": "my work/master"},
    }.items():
        await jp_fetch("nuvo", "api", asking, params=fields)
    sa.event.remove(engine, "before_cursor_execute", heard)
    assert threads == {"compare": {"nuvo-long"}, "history": {"nuvo-long"}, "snapshots": {"nuvo-call"}}
