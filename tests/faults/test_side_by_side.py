"""Two processes on one home at the same time: nothing is done twice, and neither locks the other out."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.clients.http import HttpTransport
from nuvo_jupyter.engine.operations import BY_NAME
from nuvo_jupyter.model.tasks import Task
from tests.contract.disk import found_in, lay_out, tree
from tests.engine.campus import Campus

from .processes import Executor, leases_run_out

SENT = tree({"week1/a.txt": "a\n", "week1/b.txt": "b\n"})
NEXT = tree({"week1/a.txt": "a2\n", "week2/c.txt": "c\n"})


def test_two_executors_share_200_deliveries(campus: Campus) -> None:
    names = [f"s{number:03}" for number in range(199)]
    campus.run("roster_add", space="intro", people="\n".join(names), source="")
    lay_out(campus.workspace("intro/master"), SENT)
    task = campus.call("distribute", source="intro/master", whole=True, to=["all"], notify=True)
    campus.catalog.close()
    one, other = Executor(), Executor()
    try:
        for each in (one, other):
            each.begin(campus.home, task.id)
        assert [one.ended().status, other.ended().status] == [0, 0], one.log() + other.log()
        assert not one.log()
        assert not other.log()
    finally:
        one.close()
        other.close()
    shown = campus.call("distribution_show", id=task.distribution)
    assert {delivery.state for delivery in shown.deliveries} == {"done"}
    assert len(shown.deliveries) == 200
    for name in names:
        assert found_in(campus.workspace(f"intro/{name}")) == SENT
    with campus.catalog.read() as connection:
        backups = connection.exec_driver_sql(
            "SELECT instance_id, count(*) FROM snapshot WHERE reason = 'before_distribution' GROUP BY instance_id"
        ).all()
        begun = connection.exec_driver_sql(
            "SELECT max(attempts), count(DISTINCT backup_id) FROM task WHERE kind = 'delivery'"
        ).one()
        told = connection.exec_driver_sql(
            "SELECT username, count(*) FROM notification GROUP BY username, task_id HAVING count(*) > 1"
        ).all()
    assert [number for _, number in backups] == [1] * 200
    assert tuple(begun) == (1, 200)
    assert not told, "somebody was told twice"


class Server:
    """A Jupyter server in a process of its own, and a client of it."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int) -> None:
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._said = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._port = port
        self._client = HttpTransport(f"http://127.0.0.1:{port}/", "secret")

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.lines.append(line)
                if "is running at" in line:
                    self._said.set()
        self._said.set()

    def wait_until_up(self) -> None:
        """Wait until it serves."""
        self._said.wait()
        # It says so before it listens.
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return
            except ConnectionRefusedError:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.05)
                assert self.process.poll() is None, self.log()

    def log(self) -> str:
        """What it wrote to standard error."""
        return "".join(self.lines)

    def call(self, operation: str, **fields: Any) -> Any:
        """Run an operation over HTTP."""
        return self._client.call(BY_NAME[operation], msgspec.convert(fields, BY_NAME[operation].request))

    def finished(self, task: Task) -> str:
        """Wait for a task; the state it ended in."""
        return self._client.wait(task.id, None).state.value

    def close(self, *, kill: bool = False) -> None:
        """Stop it, or kill it; a second time does nothing."""
        if not self._reader.is_alive() and self.process.returncode is not None:
            return
        self._client.close()
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        self.process.wait()
        self._reader.join()


@contextlib.contextmanager
def server(home: Path, folder: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    environment = os.environ | {
        "NUVO_HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        "--IdentityProvider.token=secret", f"--ServerApp.root_dir={folder}",
        "--ServerApp.jpserver_extensions=nuvo_jupyter=True",
    ]  # fmt: skip
    running = Server(command, environment, port)
    try:
        yield running
    finally:
        running.close()


def test_two_servers_on_one_home_and_one_is_killed(campus: Campus, tmp_path: Path) -> None:
    names = [f"s{number:02}" for number in range(20)]
    campus.run("roster_add", space="intro", people="\n".join(names), source="")
    lay_out(campus.workspace("intro/master"), SENT)
    campus.catalog.close()
    with server(campus.home, tmp_path / "one") as one, server(campus.home, tmp_path / "other") as other:
        one.wait_until_up()
        other.wait_until_up()
        everything = one.call("distribute", source="intro/master", whole=True, to=["all"])
        # Meanwhile the other one is asked for work on some of the same instances.
        taken = [other.call("snapshot_create", instance=f"intro/{name}") for name in names[:5]]
        objects, strategies = [{"path": "week1/a.txt"}], {"file": "merge"}
        later = other.call(
            "distribute", source="intro/master", objects=objects, to=names, strategies=strategies
        )
        states = [other.finished(everything), one.finished(later), *map(one.finished, taken)]
        assert states == ["done"] * 7, one.log() + other.log()
        assert attempts(campus) == (1, 1)
        for running in (one, other):
            assert "locked" not in running.log()
            assert "Traceback" not in running.log()
        lay_out(campus.workspace("intro/master"), NEXT)
        last = one.call(
            "distribute", source="intro/master", whole=True, to=["all"], strategies={"file": "replace"}
        )
        one.close(kill=True)
        leases_run_out(campus.home)
        assert other.finished(last) == "done", other.log()
    for name in names:
        assert found_in(campus.workspace(f"intro/{name}")) == NEXT
    shown = campus.call("distribution_show", id=last.distribution)
    assert len({delivery.backup for delivery in shown.deliveries}) == len(names) + 1


def attempts(campus: Campus) -> tuple[int, int]:
    """How often deliveries were begun: at most, at least."""
    with campus.catalog.read() as connection:
        most, least = connection.exec_driver_sql(
            "SELECT max(attempts), min(attempts) FROM task WHERE kind = 'delivery'"
        ).one()
        return int(most), int(least)
