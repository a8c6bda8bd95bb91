"""Operations in this process, where no server is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nuvo_jupyter.clients.transport import OnProgress
from nuvo_jupyter.engine.operations import Operation
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.requests import TaskShow
from nuvo_jupyter.model.tasks import Preview, Task

if TYPE_CHECKING:
    from nuvo_jupyter.engine.engine import Engine
    from nuvo_jupyter.engine.settings import Nuvo


class LocalTransport:
    """The embedded engine; tasks run in this process while one waits for them.

    Args:
        settings: the configuration; from the environment and Jupyter's files if omitted.
    """

    def __init__(self, settings: Nuvo | None = None) -> None:
        from traitlets import TraitError

        from nuvo_jupyter.engine.engine import Engine

        if settings is None:
            from nuvo_jupyter.clients.configured import configured

            settings = configured()
        try:
            self.engine: Engine = Engine.open(settings)
        except TraitError as error:
            raise InvalidInput(
                f"{error}.", hint="Correct the environment variable or the Jupyter configuration file."
            ) from error
        self.where = f"the embedded engine on {self.engine.settings.home}"

    def call(self, operation: Operation, request: msgspec.Struct) -> Any:
        """Run an operation; ``wait`` above 0 finishes its task here, however long that takes.

        Raises:
            NuvoError: the error the engine raised.
        """
        waits = bool(getattr(request, "wait", 0))
        if waits:
            request = msgspec.structs.replace(request, wait=0)
        answer = self.engine.call(operation.name, request)
        if waits and isinstance(answer, Task) and not answer.state.finished:
            return self.wait(answer.id, None)
        if waits and isinstance(answer, Preview) and not answer.task.state.finished:
            self.wait(answer.task.id, None)
            return self.engine.call(operation.name, request)
        return answer

    def wait(self, task_id: int, on_progress: OnProgress | None) -> Task:
        """Do the task's work until it has finished.

        Raises:
            NotFound: there is no such task.
        """
        from nuvo_jupyter.delivery.worker import run_until_finished

        task: Task = self.engine.call("task_show", TaskShow(id=task_id))
        if task.state.finished:
            return task

        def told(*_: object) -> None:
            if on_progress is not None:
                on_progress(self.engine.call("task_show", TaskShow(id=task_id)))

        run_until_finished(self.engine.context, task_id, told)
        finished: Task = self.engine.call("task_show", TaskShow(id=task_id))
        if on_progress is not None:
            on_progress(finished)
        return finished

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()
