"""Nuvo: the engine in a process of its own, as the Jupyter server runs it; and the command ``nuvo``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measuring import CommandFailed, Cost, run
from bench.tools.base import Courier, Keeper, Tool
from bench.trees import size_of

SPACE = "bench"
MASTER = f"{SPACE}/master"


def environment(home: Path) -> dict[str, str]:
    """Variables with which only the home in ``home`` is used, whatever the user's own configuration says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUVO_", "JPY_"))}
    settings = {"NUVO_HOME": str(home), "NUVO_CONFIRM_BYTES": "0", "NUVO_CONFIRM_FILES": "0"}
    # Compiled modules are kept, as an installed package has them; else each start would compile all of them.
    settings["PYTHONDONTWRITEBYTECODE"] = ""
    return {**kept, **settings, "JUPYTER_CONFIG_DIR": str(home.parent / "config")}


class Product:
    """The engine's process.

    Args:
        home: for catalog and store.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.tools.engine_process"],
            env=environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.idle = self.call("status")[1].peak

    def call(self, operation: str, **request: Any) -> tuple[Any, Cost]:
        """Run an operation, and the task it started to its end.

        Raises:
            CommandFailed: it was refused, or its task did not succeed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"operation": operation, "request": request}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        reply: dict[str, Any] = json.loads(line) if line else {"problem": "the engine's process has ended"}
        if "problem" in reply:
            raise CommandFailed(f"{operation}: {reply['problem']}")
        answer = reply["answer"]
        if isinstance(answer, dict) and answer.get("state") in ("failed", "cancelled"):
            raise CommandFailed(f"{operation}: {answer['problem']}")
        return answer, Cost(reply["seconds"], reply["peak"])

    def size(self) -> int:
        """Bytes of store and catalog."""
        return size_of(self.home)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


class _Snapshots(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._product = Product(store / "home")
        self.idle = self._product.idle
        self._product.call("space_create", name=SPACE, kind="research", workspace=str(live))

    def snapshot(self) -> Cost:
        return self._product.call("snapshot_create", instance=MASTER)[1]

    def look(self) -> Cost | None:
        return self._product.call("compare", left=f"{MASTER}@latest", right=MASTER)[1]

    def restore(self, target: Path) -> Cost | None:
        target.mkdir()
        self._product.call("instance_create", space=SPACE, name=target.name, workspace=str(target), source="")
        return self._product.call("restore", source=f"{MASTER}@latest", instance=f"{SPACE}/{target.name}")[1]

    def restore_file(self, path: str) -> Cost | None:
        # A backup of the whole folder comes first, which no other tool makes.
        return self._product.call("restore", source=f"{MASTER}@latest", paths=[path])[1]

    def size(self) -> int | None:
        return self._product.size()

    def close(self) -> None:
        self._product.close()


class _CommandLine(Keeper):
    def __init__(self, live: Path, store: Path) -> None:
        super().__init__(live, store)
        self._environment = environment(store / "home")

    def _nuvo(self, *arguments: str) -> Cost:
        return run([program(), *arguments], cwd=self.live, env=self._environment)

    def snapshot(self) -> Cost:
        return self._nuvo("snapshot", "--yes")

    def restore_file(self, path: str) -> Cost | None:
        return self._nuvo("restore", "latest", path)

    def size(self) -> int | None:
        return None


class _Distribution(Courier):
    holds = True

    def __init__(self, course: Path, targets: Sequence[Path], store: Path, sample: int) -> None:
        super().__init__(course, targets, store, sample)
        self._product = Product(store / "home")
        self.idle = self._product.idle
        self._product.call("space_create", name=SPACE, kind="course", workspace=str(course))
        for target in targets:
            self._product.call(
                "instance_create", space=SPACE, name=target.name, workspace=str(target), source=""
            )
        self._request = {"source": MASTER, "whole": True, "to": [target.name for target in targets]}

    def preview(self) -> Cost | None:
        return self._product.call("distribute_preview", **self._request)[1]

    def deliver(self) -> Cost:
        task, cost = self._product.call("distribute", **self._request)
        if task["counts"] != {"done": len(self.targets)}:
            raise CommandFailed(f"Not every delivery succeeded: {task['counts']}")
        return cost

    def size(self) -> int | None:
        return self._product.size()

    def close(self) -> None:
        self._product.close()


def program() -> Path:
    """The command ``nuvo`` of this environment."""
    return Path(sys.executable).parent / "nuvo"


_VERSION = (str(program()), "--version")
OURS = Tool(
    "ours",
    "in a running server, three worker threads; flushed; each restore and delivery with a backup snapshot",
    _VERSION,
    keeper=_Snapshots,
    courier=_Distribution,
)
OURS_CLI = Tool(
    "ours-cli", "the command nuvo, start to end, without a server; flushed", _VERSION, keeper=_CommandLine
)
