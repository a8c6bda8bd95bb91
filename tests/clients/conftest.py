"""A Jupyter server in a process of its own, and an embedded engine, each on a home of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.clients.http import HttpTransport
from nuvo_jupyter.clients.local import LocalTransport
from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.engine.settings import Nuvo

PATIENCE = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a running server says of itself in its runtime file, and its environment."""
    root = tmp_path_factory.mktemp("server")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(root / "config"),
        "JUPYTER_DATA_DIR": str(root / "data"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "NUVO_HOME": str(root / "home"),
        "NUVO_WORKSPACE_TEMPLATE": str(root / "spaces" / "{space}" / "{instance}"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
    command += ["--ServerApp.jpserver_extensions={'nuvo_jupyter': True}", f"--ServerApp.root_dir={root}"]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    runtime = root / "runtime" / f"jpserver-{process.pid}.json"
    try:
        end = time.monotonic() + PATIENCE
        # It is there before it is written.
        while not (runtime.exists() and runtime.read_text().endswith("}")):
            assert process.poll() is None, (root / "log").read_text()
            assert time.monotonic() < end, (root / "log").read_text()
            # The server says nothing else when it is ready.
            process_wait(process, 0.1)
        info = json.loads(runtime.read_text())
        while not listens(info["port"]):
            assert time.monotonic() < end, (root / "log").read_text()
            process_wait(process, 0.1)
        yield info | {"environment": environment, "root": root}
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listens(port: int) -> bool:
    """Whether somebody takes connections on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def process_wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Return when the process ended, or after so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


@pytest.fixture(params=["http", "local"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """A client of either kind."""
    if request.param == "http":
        info = request.getfixturevalue("server")
        made = Client(HttpTransport(info["url"], info["token"]))
    else:
        made = Client(LocalTransport(Nuvo(home=str(tmp_path / "home"))))
    with made:
        yield made
