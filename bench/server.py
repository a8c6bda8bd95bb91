"""A Jupyter server of the benchmark's own, with the extension or without, and what it takes to start and to wait."""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import CommandFailed, Cost
from bench.tools.ours import environment

PATIENCE = 60.0
_LOOK_SECONDS = 0.002
_WAIT_SECONDS = 50


class Server:
    """A running Jupyter server.

    Args:
        folder: its root folder; logs and configuration go beside the home.
        home: of Nuvo.
        extension: whether it has Nuvo.

    Raises:
        CommandFailed: it does not come up.
    """

    def __init__(self, folder: Path, home: Path, *, extension: bool = True) -> None:
        self._token = secrets.token_hex(16)
        self._port = _free_port()
        self._log = home.parent / "server.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        runtime = home.parent / "runtime"
        env = environment(home) | {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_NO_CONFIG": "1"}
        command = [
            sys.executable,
            "-m",
            "jupyter_server",
            "--no-browser",
            "--allow-root",
            f"--port={self._port}",
            "--port-retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={self._token}",
            f"--ServerApp.jpserver_extensions=nuvo_jupyter={extension}",
        ]
        started = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self._until_it_answers(started)
        self.start_seconds = time.perf_counter() - started

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def _until_it_answers(self, started: float) -> None:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    break
            if self._process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise CommandFailed(f"The Jupyter server does not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(_LOOK_SECONDS)
        with self.client() as client:
            client.ask("GET", "api")

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A connection that is kept open, as a browser keeps it."""
        client = Client(self._port, self._token)
        try:
            yield client
        finally:
            client.close()

    def cpu_seconds(self) -> float:
        """Processor time its threads have used so far, to the nanosecond; of those that ended nothing is known."""
        total = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self, field: str = "VmRSS") -> int:
        """Bytes of memory it holds; with ``VmHWM`` the most since :meth:`forget_peak`."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
        return 0

    def forget_peak(self) -> None:
        """Begin to look for the most memory anew."""
        try:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        except OSError:
            # Not everywhere allowed; then the peak is that of the whole life.
            return

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(PATIENCE)


class Client:
    """One connection to a server."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request and read its answer.

        Raises:
            CommandFailed: it was refused.
        """
        content = None if body is None else json.dumps(body)
        self._connection.request(method, f"/{path}", content, self._headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 400:
            raise CommandFailed(f"{method} {path}: {response.status} {text.decode(errors='replace')[:500]}")
        return json.loads(text) if text else None

    def finish(self, method: str, path: str, body: dict[str, Any]) -> tuple[Any, Cost]:
        """Start a task, and have the answer when it has finished.

        Raises:
            CommandFailed: it was refused, or its task did not succeed.
        """
        started = time.perf_counter()
        answer = self.ask(method, path, body | {"wait": _WAIT_SECONDS})
        while answer["state"] not in ("done", "failed", "cancelled"):
            answer = self.ask("GET", f"nuvo/api/tasks/{answer['id']}?wait={_WAIT_SECONDS}")
        seconds = time.perf_counter() - started
        if answer["state"] != "done":
            raise CommandFailed(f"{method} {path}: {answer['problem']}")
        return answer, Cost(seconds, 0)

    def close(self) -> None:
        """Close it."""
        self._connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
