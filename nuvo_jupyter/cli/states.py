"""`nuvo ls`, `cat`, `history`, `compare`, `diff`: looking into states."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json, Limit, State
from nuvo_jupyter.cli.session import Session, session
from nuvo_jupyter.model.errors import NotFound

Left = Annotated[str, Argument(metavar="[LEFT]", help="A state.", autocompletion=completion.states)]
Right = Annotated[
    str,
    Argument(
        metavar="[RIGHT]", help="A state; the current one by default.", autocompletion=completion.states
    ),
]
_MARKS = {"added": "+", "removed": "-", "changed": "~", "type_changed": "T", "mode_changed": "m"}


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def ls(context: Context, state: State = "", json: Json = False) -> None:
        """List a folder of any state; the current folder by default."""
        from nuvo_jupyter.cli.output import size

        run = session(context)
        here = "" if state else run.place.path(".")
        with _path_hint(run, state):
            found = run.client.browse(state=run.place.state(f":{here}" if here else state))
        if run.output.struct(found):
            return
        rows = []
        for entry in found:
            mark = {"folder": "/", "link": f" -> {entry.link}"}.get(
                entry.kind.value, "*" if entry.executable else ""
            )
            rows.append(
                (size(entry.size) if entry.kind == "file" else "", entry.modified_at, entry.name + mark)
            )
        run.output.table(("size", "modified", "name"), rows)

    @app.command()
    def cat(
        context: Context,
        state: Annotated[
            str,
            Argument(metavar="STATE:PATH", help="A file of a state.", autocompletion=completion.states),
        ],
    ) -> None:
        """Write a file of any state to standard output."""
        run = session(context)
        with _path_hint(run, state):
            raw = run.client.read(state=run.place.state(state))
        for chunk in raw.body:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()

    @app.command()
    def history(
        context: Context,
        path: Annotated[str, Argument(help="The file.")],
        instance: Instance = "",
        limit: Limit = 100,
        json: Json = False,
    ) -> None:
        """List the snapshots in which a file changed."""
        from nuvo_jupyter.cli.output import size

        run = session(context)
        inside = path if instance else run.place.path(path)
        found = run.client.history(instance=run.place.state(instance), path=inside, limit=limit)
        if run.output.struct(found):
            return
        rows = [
            (
                item.snapshot.reference,
                item.snapshot.name,
                item.snapshot.created_at,
                item.modified_at,
                size(item.size),
            )
            for item in found
        ]
        if not rows:
            run.output.note(f"No snapshot holds a file {inside!r}.")
            return
        run.output.table(("snapshot", "name", "taken", "file modified", "size"), rows)

    @app.command()
    def compare(
        context: Context,
        left: Left = "latest",
        right: Right = "",
        limit: Limit = 1000,
        json: Json = False,
    ) -> None:
        """List what differs between two states. By default: the latest snapshot and the current state."""
        run = session(context)
        found = run.client.compare(left=run.place.state(left), right=run.place.state(right), limit=limit)
        if run.output.struct(found):
            return
        if not found.total:
            run.output.note("Nothing differs.")
            return
        run.output.table(
            ("", "path", "bytes before", "bytes after"),
            [
                (_MARKS[item.difference.value], item.path, item.old_size, item.new_size)
                for item in found.differences
            ],
        )
        if found.total > len(found.differences):
            run.output.note(f"{found.total - len(found.differences)} more; --limit shows them.")

    @app.command()
    def diff(
        context: Context,
        path: Annotated[str, Argument(help="The file.")],
        left: Annotated[str, Option("--left", help="A state.", autocompletion=completion.states)] = "latest",
        right: Annotated[
            str,
            Option("--right", help="A state; the current one by default.", autocompletion=completion.states),
        ] = "",
        json: Json = False,
    ) -> None:
        """Show how a file differs between two states. Notebooks are compared cell by cell."""
        run = session(context)
        inside = run.place.path(path)
        found = run.client.diff(
            left=f"{run.place.state(left)}:{inside}", right=f"{run.place.state(right)}:{inside}"
        )
        if run.output.struct(found):
            return
        if found.kind == "same":
            run.output.note("Nothing differs.")
        elif found.kind == "binary":
            run.output.note("The files differ; they are no text.")
        else:
            sys.stdout.write(found.unified if found.unified.endswith("\n") else found.unified + "\n")


@contextmanager
def _path_hint(run: Session, typed: str) -> Iterator[None]:
    """Say how a path is written where it was typed in the place of a state."""
    try:
        yield
    except NotFound as error:
        if not typed or not run.place.known or not os.path.lexists(typed):
            raise
        hint = f"For the file or folder here write ':{run.place.path(typed)}' or 'latest:{run.place.path(typed)}'."
        raise NotFound(error.message, hint=hint) from error
