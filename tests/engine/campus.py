"""A real home with an engine, in which any user can be played."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.delivery.worker import run_until_finished
from nuvo_jupyter.engine.engine import Engine
from nuvo_jupyter.engine.identity import allow_acting
from nuvo_jupyter.engine.operations import BY_NAME, Raw
from nuvo_jupyter.engine.settings import Nuvo
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Delivery, Distribution, Task

PROFESSOR = "prof"


class Campus:
    """An engine on a SQLite catalog and a folder store.

    Args:
        folder: empty; holds the home and all workspaces.
        settings: traits other than the home and the template.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.home = folder / "home"
        # Opened here once before, so that acting is allowed when the engine looks.
        self.engine = Engine.open(
            Nuvo(home=str(self.home), workspace_template=str(folder / "{space}" / "{instance}"), **settings)
        )
        allow_acting(self.engine.catalog)
        self.owner = self.engine.owner

    @property
    def catalog(self) -> Catalog:
        """The engine's catalog."""
        return self.engine.catalog

    def call(self, operation: str, user: str | None = None, /, **fields: Any) -> Any:
        """Run an operation as a face does: fields validated against the request's declaration."""
        request = msgspec.convert(fields, BY_NAME[operation].request)
        return self.engine.call(operation, request, user)

    def run(self, operation: str, user: str | None = None, /, **fields: Any) -> Task:
        """Run an operation that queues a task, and the task to its end; it must succeed."""
        task = self.finish(self.call(operation, user, **fields))
        assert task.state == "done", task.problem
        return task

    def finish(self, task: Task) -> Task:
        """Run a task to its end, whichever that is."""
        run_until_finished(self.engine.context, task.id)
        finished: Task = self.engine.call("task_show", TaskShow(id=task.id))
        return finished

    def space(self, name: str = "intro", **fields: Any) -> None:
        """Make a course with the professor as its admin."""
        self.call("role_grant", username=PROFESSOR, role="faculty")
        self.call("space_create", PROFESSOR, name=name, **fields)

    def snapshot(self, instance: str, user: str | None = PROFESSOR, **fields: Any) -> str:
        """Take a snapshot; its reference."""
        task = self.run("snapshot_create", user, instance=instance, **fields)
        assert task.snapshot is not None
        return task.snapshot

    def workspace(self, instance: str) -> Path:
        """An instance's folder."""
        return Path(self.call("instance_show", instance=instance).workspace)

    def write(self, instance: str, files: Mapping[str, str | bytes]) -> None:
        """Put files into an instance's current state; names may be any the file system takes."""
        folder = os.fsencode(self.workspace(instance))
        for name, content in files.items():
            path = os.path.join(folder, os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

    def files(self, instance: str) -> dict[str, str]:
        """Contents of all files of an instance's current state, by relative path."""
        folder = self.workspace(instance)
        return {
            str(path.relative_to(folder)): path.read_text(errors="surrogateescape")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    def content(self, state: str, user: str | None = None) -> bytes:
        """A file of any state."""
        raw = self.call("read", user, state=state)
        assert isinstance(raw, Raw)
        return b"".join(raw.body)

    def deliveries(self, task: Task) -> dict[str, Delivery]:
        """A distribution's deliveries by target."""
        shown: Distribution = self.call("distribution_show", id=task.distribution)
        return {str(one.instance): self.call("delivery_show", id=one.id) for one in shown.deliveries}

    def outcomes(self, task: Task, target: str) -> dict[str, str]:
        """What a distribution did to each object of one target."""
        return {item.path: item.outcome.value for item in self.deliveries(task)[target].outcomes}

    def trail(self, after: int = 0) -> list[Any]:
        """The audit entries after an id."""
        return list(self.call("audit_list", after=after, limit=10_000))

    def last_entry(self) -> int:
        """Id of the newest audit entry; 0 if there is none."""
        with self.catalog.read() as connection:
            return int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM audit").scalar_one())

    def sql(self, text: str, *values: Any) -> None:
        """Change the catalog behind the engine's back."""
        with self.catalog.write() as connection:
            connection.exec_driver_sql(text, values)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


class Keeper:
    """Brings a campus's catalog back to how it was, so that many tests can share one that took time to make."""

    def __init__(self, campus: Campus) -> None:
        self._campus = campus
        self._path = campus.home / "catalog.sqlite"
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        campus.catalog.close()
        live = sqlite3.connect(self._path)
        live.backup(self._copy)
        live.close()

    def restore(self) -> None:
        """Undo what happened to the catalog since; folders and the store stay."""
        self._campus.catalog.close()
        live = sqlite3.connect(self._path)
        self._copy.backup(live)
        live.close()

    def close(self) -> None:
        """Drop the copy."""
        self._copy.close()
