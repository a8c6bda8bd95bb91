"""`nuvo stage`: collect objects of one state for a distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Json
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Stage

Paths = Annotated[list[str] | None, Argument(metavar="[PATHS]...", help="Files and folders.")]
Tables = Annotated[list[str] | None, Option("--table", help="A table by name; can be repeated.")]
Applications = Annotated[
    list[str] | None, Option("--application", help="An application by name; can be repeated.")
]


def add(app: App) -> None:
    """Declare the commands."""
    stage = app.group("stage", help="Collect objects of one state for a distribution.")

    @stage.command("add")
    def add_(
        context: Context,
        paths: Paths = None,
        state: Annotated[
            str,
            Option(
                "--state",
                help="The state they are of; the current one by default.",
                autocompletion=completion.states,
            ),
        ] = "",
        table: Tables = None,
        application: Applications = None,
        json: Json = False,
    ) -> None:
        """Stage objects; those of another state are taken off."""
        run = session(context)
        found = run.client.stage_add(
            state=run.place.state(state), objects=_objects(run, paths, table, application)
        )
        _write(run, found)

    @stage.command()
    def remove(
        context: Context,
        paths: Paths = None,
        table: Tables = None,
        application: Applications = None,
        json: Json = False,
    ) -> None:
        """Take objects off the stage."""
        run = session(context)
        _write(run, run.client.stage_remove(objects=_objects(run, paths, table, application)))

    @stage.command()
    def show(context: Context, json: Json = False) -> None:
        """Show the stage."""
        run = session(context)
        _write(run, run.client.stage_show())

    @stage.command()
    def clear(context: Context, json: Json = False) -> None:
        """Empty the stage."""
        run = session(context)
        _write(run, run.client.stage_clear())


def _objects(
    run: Session, paths: list[str] | None, tables: list[str] | None, applications: list[str] | None
) -> list[dict[str, Any]]:
    found = [{"path": run.place.path(path), "kind": "file"} for path in paths or ()]
    found += [{"path": name, "kind": "table"} for name in tables or ()]
    found += [{"path": name, "kind": "application"} for name in applications or ()]
    return found


def _write(run: Session, stage: Stage) -> None:
    if run.output.struct(stage):
        return
    if not stage.objects:
        run.output.note("Nothing is staged.")
        return
    run.output.note(f"Staged of {stage.state}:")
    run.output.table(("kind", "object"), [(item.kind.value, item.path or ".") for item in stage.objects])
