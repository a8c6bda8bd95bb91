"""A real JupyterLab with the installed extension, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from jupyter_core.paths import jupyter_path

_RUNNING = re.compile(r"is running at:.*?(http://\S+?/)lab", re.DOTALL)
START_SECONDS = 90


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Args:
        base_url: with a slash at its end.
        root: folder the file browser shows.
        home: Nuvo's home.
    """

    base_url: str
    token: str
    root: Path
    home: Path
    process: subprocess.Popen[str]
    log: list[str]

    def url(self, folder: str = "") -> str:
        """The page that shows a folder below the root, with a layout of its own."""
        workspace = secrets.token_hex(4)
        return f"{self.base_url}lab/workspaces/{workspace}/tree/{quote(folder)}?reset&token={self.token}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call an operation as the page would; for what a test only needs to be there.

        Args:
            method: HTTP method.
            path: below ``/nuvo/api``, with its query.
            body: sent as JSON.
        """
        request = Request(
            f"{self.base_url}nuvo/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=90) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def extension_installed() -> bool:
    """Whether JupyterLab finds the built extension in this environment."""
    return any(
        (Path(folder) / "nuvo-jupyter" / "package.json").is_file() for folder in jupyter_path("labextensions")
    )


def start_lab(
    root: Path,
    home: Path,
    private: Path,
    *,
    theme: str = "JupyterLab Light",
    environment: dict[str, str] | None = None,
) -> Lab:
    """Start JupyterLab on a free port and wait until it answers.

    Args:
        root: folder the file browser shows.
        home: Nuvo's home (``NUVO_HOME``).
        private: empty folder for Jupyter's own files.
        theme: name of the theme.
        environment: further environment variables.
    """
    settings = private / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    token = secrets.token_hex(16)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0",
        "--allow-root", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}",
        "--LabApp.extension_manager=readonly", "--LanguageServerManager.autodetect=False",
    ]  # fmt: skip
    private_places = {
        "NUVO_HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
    }
    return run_lab(command, root, home, token, private_places | (environment or {}))


def run_lab(command: list[str], root: Path, home: Path, token: str, environment: dict[str, str]) -> Lab:
    """Run a command that starts JupyterLab, or becomes it, and wait until it answers.

    Args:
        root, home, token: as the command makes them.
        environment: added to this process's own.
    """
    process = subprocess.Popen(
        command,
        cwd=root if root.is_dir() else home.parent,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log: list[str] = []
    ready = threading.Event()
    found: list[str] = []
    assert process.stdout is not None
    threading.Thread(target=_follow, args=(process.stdout, log, found, ready), daemon=True).start()
    if not ready.wait(START_SECONDS) or not found or not _answers(found[0], process):
        process.kill()
        process.wait()
        raise RuntimeError("JupyterLab did not start:\n" + "".join(log))
    return Lab(found[0], token, root, home, process, log)


def _answers(base_url: str, process: subprocess.Popen[str]) -> bool:
    # The server tells its address a moment before it listens there.
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{base_url}api", timeout=5):
                return True
        except URLError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            return False
    return False


def _follow(output: TextIO, log: list[str], found: list[str], ready: threading.Event) -> None:
    # Somebody has to read what the server writes, or it would stop when the pipe is full.
    try:
        for line in output:
            log.append(line)
            match = None if found else _RUNNING.search("".join(log))
            if match:
                found.append(match[1])
                ready.set()
    except ValueError:
        pass  # closed by stop()
    ready.set()
