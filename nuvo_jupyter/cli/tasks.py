"""`nuvo tasks`: list, show, cancel, watch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Json, Limit
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Task

Number = Annotated[int, Argument(metavar="ID", help="The task's number.")]


def add(app: App) -> None:
    """Declare the commands."""
    tasks = app.group("tasks", help="Tasks: list, show, cancel, watch.", acts_alone=True)

    @tasks.callback()
    def list_(
        context: Context,
        space: Annotated[str | None, Option("--space", autocompletion=completion.spaces)] = None,
        active: Annotated[bool, Option("--active", help="Only unfinished ones.")] = False,
        limit: Limit = 50,
        json: Json = False,
    ) -> None:
        """List tasks, newest first; or show, cancel or watch one."""
        run = session(context)
        if context.invoked_subcommand is not None:
            return
        _write(run, run.client.task_list(space=space, active=active, limit=limit))

    @tasks.command()
    def show(context: Context, number: Number, json: Json = False) -> None:
        """Show one task."""
        run = session(context)
        _write_one(run, run.client.task_show(id=number))

    @tasks.command()
    def cancel(context: Context, number: Number, json: Json = False) -> None:
        """Cancel a task; a target that is being written is completed first."""
        run = session(context)
        _write_one(run, run.client.task_cancel(id=number))

    @tasks.command()
    def watch(context: Context, number: Number, json: Json = False) -> None:
        """Show a task's progress until its end. Does its work if no server does."""
        from nuvo_jupyter.cli.progress import Progress

        run = session(context)
        with Progress() as progress:
            task = run.client.wait(number, progress.show)
        _write_one(run, task)
        run.leave(task)


def _write(run: Session, found: tuple[Task, ...]) -> None:
    if run.output.struct(found):
        return
    run.output.table(
        ("id", "when", "state", "progress", "result", "title"),
        [
            (
                task.id,
                task.created_at,
                task.state.value,
                f"{task.done}/{task.total}" if task.total else "",
                task.problem.message if task.problem else task.counts or task.snapshot or "",
                task.title,
            )
            for task in found
        ],
    )


def _write_one(run: Session, task: Task) -> None:
    if not run.output.json:
        _write(run, (task,))
        return
    run.output.struct(task)
