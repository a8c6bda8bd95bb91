"""What one run of `nuvo` works with: the embedded engine, the current folder, the way of output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nuvo_jupyter.cli.declare import Context, end

if TYPE_CHECKING:
    from nuvo_jupyter.cli.output import Output
    from nuvo_jupyter.clients.methods import Client
    from nuvo_jupyter.clients.place import Place
    from nuvo_jupyter.model.tasks import Task


class Session:
    """Opened on first need, so that help and usage errors cost nothing."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._place: Place | None = None
        self.json = False

    @property
    def client(self) -> Client:
        """The embedded engine."""
        if self._client is None:
            from nuvo_jupyter.clients import client

            self._client = client("local")
        return self._client

    @property
    def place(self) -> Place:
        """The current folder."""
        if self._place is None:
            from nuvo_jupyter.clients.place import Place

            self._place = Place(self.client)
        return self._place

    @property
    def output(self) -> Output:
        """Where results go."""
        from nuvo_jupyter.cli.output import Output

        return Output(json=self.json)

    def finish(self, task: Task, wait: bool) -> Task:
        """Do a task's work with a progress bar, and report its problem if it failed.

        Raises:
            NuvoError: the task failed before it came to any target.
            KeyboardInterrupt: the user cancelled it.
        """
        from nuvo_jupyter.cli.progress import Progress

        if not wait:
            self.output.note(
                f"Task {task.id} is queued. A Jupyter server with Nuvo does it, or `nuvo tasks watch {task.id}`."
            )
            return task
        with Progress() as progress:
            # A distribution's targets tell their own problems; anything else is raised here.
            return (
                self.client.wait(task, progress.show)
                if task.distribution
                else self.client.finish(task, progress.show)
            )

    def leave(self, task: Task) -> None:
        """End the command with the exit code for what became of a task."""
        from nuvo_jupyter.cli.exit_codes import of_task

        code = of_task(task) if task.state.finished else 0
        if code:
            if task.problem is not None:
                self.output.problem(task.problem.code, task.problem.message, task.problem.hint)
            end(code)

    def close(self) -> None:
        """Close the engine."""
        if self._client is not None:
            self._client.close()


def session(context: Context) -> Session:
    """This run's session."""
    found: Any = context.find_object(Session)
    if found is None:
        found = context.ensure_object(Session)
    return found  # type: ignore[no-any-return]
