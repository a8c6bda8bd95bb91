"""The magics in a notebook that nbclient executes, and in a page that shows widgets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbconvert import HTMLExporter

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def importable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")])))


def notebook(*cells: str) -> Any:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    return made


def test_a_story_executed_by_nbclient(folder: Path) -> None:
    made = notebook(
        "%load_ext nuvo_jupyter",
        "%snapshot <b>one",
        "open('a.txt', 'w').write('lost')\n%restore 1 a.txt",
        "print(open('a.txt').read())",
        "%tasks",
    )
    done = nbclient.NotebookClient(made, resources={"metadata": {"path": str(folder)}}, timeout=120).execute()
    progress, result = done.cells[1].outputs
    assert progress.data == {"text/plain": "Snapshot of course/master “<b>one”: done"}
    assert result.data["text/plain"].startswith("Snapshot course/master@1 “<b>one”: 2 files")
    assert "&lt;b&gt;one" in result.data["text/html"]
    assert done.cells[3].outputs[0].text == "one\n"
    assert "widgets" not in done.metadata
    html, _ = HTMLExporter().from_notebook_node(done)
    assert "<b>one" not in html


def test_what_a_shell_in_a_cell_removes_was_in_a_snapshot_before(folder: Path) -> None:
    made = notebook(
        "%load_ext nuvo_jupyter",
        "%snapshot\n%snapshot --before-risky on",
        "open('a.txt', 'w').write('written since')",
        "%%bash\nrm a.txt",
        "%restore latest a.txt",
        "print(open('a.txt').read())",
    )
    done = nbclient.NotebookClient(made, resources={"metadata": {"path": str(folder)}}, timeout=120).execute()
    assert done.cells[5].outputs[0].text == "written since\n"


def test_an_error_stops_a_run_of_all_cells(folder: Path) -> None:
    made = notebook("%load_ext nuvo_jupyter", "%restore 1", "never = 1")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="belongs to no instance yet"):
        nbclient.NotebookClient(made, resources={"metadata": {"path": str(folder)}}, timeout=120).execute()
    (error,) = made.cells[1].outputs
    assert error.ename == "NotFound"
    assert len(error.traceback) == 2
    assert made.cells[2].execution_count is None


def test_a_page_is_shown_a_widget_that_leaves_text_behind(folder: Path) -> None:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        execute(client, "%load_ext nuvo_jupyter")
        messages = execute(client, "_ = %snapshot", metadata={"cellId": "abc"})
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    (shown,) = [content["data"] for kind, content in messages if kind == "display_data"]
    assert WIDGET in shown
    assert shown["text/plain"].startswith("Snapshot of course/master")
    updates = [content["data"] for kind, content in messages if kind == "update_display_data"]
    assert updates[-1] == {"text/plain": "Snapshot of course/master: done"}
    assert "comm_close" in [kind for kind, _ in messages]


def test_interrupting_the_kernel_cancels_the_task(folder: Path) -> None:
    (folder / "big.bin").write_bytes(bytes(range(256)) * 1_500_000)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        execute(client, "%load_ext nuvo_jupyter")
        messages = execute(client, "%snapshot", on_display=manager.interrupt_kernel)
        told = execute(client, "found = %tasks\nprint([task.state.value for task in found.value])")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    (error,) = [content for kind, content in messages if kind == "error"]
    assert error["ename"] == "Cancelled"
    assert [content["text"] for kind, content in told if kind == "stream"] == ["['cancelled']\n"]


def execute(
    client: Any,
    code: str,
    metadata: dict[str, Any] | None = None,
    on_display: Callable[[], object] | None = None,
) -> list[tuple[str, Any]]:
    """Execute a cell as a page does, and return what was published."""
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
    }
    message = client.session.msg("execute_request", content, metadata=metadata)
    client.shell_channel.send(message)
    heard = []
    while True:
        answer = client.get_iopub_msg(timeout=120)
        if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        heard.append((answer["msg_type"], answer["content"]))
        if answer["msg_type"] == "display_data" and on_display is not None:
            on_display()
        assert on_display is not None or answer["msg_type"] != "error", answer["content"]
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return heard
