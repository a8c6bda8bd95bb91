"""`nuvo export` and `nuvo import`: snapshots shared outside."""

from __future__ import annotations

import sys
from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json, Wait
from nuvo_jupyter.cli.session import session
from nuvo_jupyter.clients.saving import check_place, save


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def export(
        context: Context,
        snapshot: Annotated[
            str, Argument(metavar="SNAPSHOT", help="A snapshot.", autocompletion=completion.states)
        ],
        file: Annotated[
            str, Option("--output", "-o", help="The file to write; '-' for standard output.")
        ] = "",
        title: Annotated[str, Option("--title", help="Title.")] = "",
        description: Annotated[str, Option("--description", help="What it is.")] = "",
        author: Annotated[list[str] | None, Option("--author", help="Who made it; can be repeated.")] = None,
        license: Annotated[str, Option("--license", help="Web address of a licence, or a sentence.")] = "",
        force: Annotated[bool, Option("--force", help="Replace the file.")] = False,
    ) -> None:
        """Export a snapshot as one file, an RO-Crate."""
        run = session(context)
        if file not in ("", "-"):
            # Before a large one is put together for nothing.
            check_place(file, replace=force)
        raw = run.client.crate_export(
            state=run.place.snapshot(snapshot),
            title=title,
            description=description,
            authors=tuple(author or ()),
            license=license,
        )
        if file == "-":
            for piece in raw.body:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            return
        run.output.note(f"Written: {save(raw, file, replace=force)}")

    @app.command("import")
    def import_(
        context: Context,
        file: Annotated[str, Argument(metavar="FILE", help="A crate in the instance's folder.")],
        name: Annotated[str, Option("--name", help="Name of the snapshot.")] = "",
        instance: Instance = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Import a crate as a snapshot; then restore from it."""
        run = session(context)
        task = run.client.crate_import(
            instance=run.place.state(instance), path=run.place.path(file), name=name
        )
        done = run.finish(task, wait)
        if not run.output.struct(done) and done.snapshot:
            run.output.line(f"{done.snapshot}")
