"""`nuvo snapshot`, `snapshots` (`log`), `show`, `restore` and what changes a snapshot."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Deleted, Instance, Json, Limit, Strategy, Wait, given
from nuvo_jupyter.cli.session import session

if TYPE_CHECKING:
    from nuvo_jupyter.cli.output import Output
    from nuvo_jupyter.cli.session import Session
    from nuvo_jupyter.model.snapshots import Snapshot

SnapshotName = Annotated[
    str,
    Argument(
        metavar="SNAPSHOT", help="Number, name, time or reference.", autocompletion=completion.snapshots
    ),
]


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def snapshot(
        context: Context,
        folder: Annotated[str, Argument(help="The folder; the current one by default.")] = ".",
        name: Annotated[str | None, Option("--name", "-n", help="A name for the snapshot.")] = None,
        description: Annotated[
            str | None,
            Option("--description", "-m", help="What it holds; the current state's description by default."),
        ] = None,
        next_description: Annotated[
            str | None,
            Option("--next", help="What the next work phase is about; describes the current state then."),
        ] = None,
        final: Annotated[bool, Option("--final", help="No work is expected in the next stage.")] = False,
        yes: Annotated[bool, Option("--yes", "-y", help="Go on although the folder is huge.")] = False,
        automatic: Annotated[
            bool, Option("--automatic", help="Only if something has changed; thinned by retention rules.")
        ] = False,
        instance: Instance = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Take a snapshot of a folder. The first one makes it the Master of a research space."""
        run = session(context)
        where = {"instance": run.place.state(instance)} if instance else {"folder": os.path.realpath(folder)}
        task = run.client.snapshot_create(
            **where,
            **given(name=name, description=description, next_description=next_description),
            final=final,
            confirmed=yes,
            automatic=automatic,
        )
        task = run.finish(task, wait)
        if run.output.struct(task):
            return
        if task.snapshot:
            found = run.client.snapshot_show(state=task.snapshot).snapshot
            run.output.line(_sentence(found))
            _offer_environment(run, found)
        elif task.state.finished:
            run.output.line("Nothing has changed since the last snapshot.")

    for command, hidden in (("snapshots", False), ("log", False)):

        @app.command(command, hidden=hidden)
        def snapshots(
            context: Context,
            instance: Annotated[
                str, Argument(metavar="[INSTANCE]", autocompletion=completion.instances)
            ] = "",
            limit: Limit = 50,
            deleted: Deleted = False,
            json: Json = False,
        ) -> None:
            """List an instance's snapshots, newest first."""
            run = session(context)
            found = run.client.snapshot_list(instance=run.place.state(instance), limit=limit, deleted=deleted)
            if not run.output.struct(found):
                _listing(run.output, found)

    @app.command()
    def show(context: Context, snapshot: SnapshotName = "latest", json: Json = False) -> None:
        """Show one snapshot, and what it left out."""
        from nuvo_jupyter.cli.output import size, text_of

        run = session(context)
        detail = run.client.snapshot_show(state=run.place.snapshot(snapshot))
        if run.output.struct(detail):
            return
        item = detail.snapshot
        run.output.table(
            ("", ""),
            [
                ("snapshot", item.reference),
                ("name", item.name),
                ("description", item.description),
                (
                    "taken",
                    f"{text_of(item.created_at)} by {item.created_by} ({item.reason.value.replace('_', ' ')})",
                ),
                ("files", f"{item.files} ({size(item.size)})"),
                ("id", item.id),
            ],
        )
        rows = [("left out", entry.path, entry.reason) for entry in detail.excluded]
        rows += [("kept changing", path, "") for path in detail.inconsistent]
        if rows:
            run.output.table(("", "path", "why"), rows)

    @app.command()
    def restore(
        context: Context,
        snapshot: SnapshotName,
        paths: Annotated[
            list[str] | None,
            Argument(
                help="What to restore; everything if left out.", autocompletion=completion.snapshot_paths
            ),
        ] = None,
        to: Annotated[
            str,
            Option(
                "--to", metavar="INSTANCE", help="Into another instance.", autocompletion=completion.instances
            ),
        ] = "",
        strategy: Strategy = None,
        preview: Annotated[
            bool, Option("--preview", help="Only show what would happen, object by object.")
        ] = False,
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Restore paths, or everything. A snapshot of what is there now is taken before."""
        from nuvo_jupyter.cli.distribution import report, write_preview

        run = session(context)
        fields = {
            "source": run.place.snapshot(snapshot),
            "paths": [run.place.path(path) for path in paths or []],
            "instance": run.place.state(to) if to else "",
            "strategy": strategy,
        }
        if preview:
            task = run.finish(run.client.restore_preview(**fields), True)
            write_preview(run, run.client.preview(task))
            return
        task = run.client.restore(**fields)
        report(run, run.finish(task, wait))

    @app.command()
    def rename(
        context: Context,
        snapshot: SnapshotName,
        name: Annotated[
            str | None, Option("--name", "-n", help="A new name; '' takes the name away.")
        ] = None,
        description: Annotated[str | None, Option("--description", "-m", help="A new description.")] = None,
        json: Json = False,
    ) -> None:
        """Rename or describe a snapshot; what it holds never changes."""
        run = session(context)
        state = run.place.snapshot(snapshot)
        found = run.client.snapshot_update(state=state, **given(name=name, description=description))
        if not run.output.struct(found):
            _listing(run.output, [found])

    @app.command()
    def delete(context: Context, snapshot: SnapshotName, json: Json = False) -> None:
        """Delete a snapshot; recoverable for 24 hours."""
        run = session(context)
        found = run.client.snapshot_delete(state=run.place.snapshot(snapshot))
        if not run.output.struct(found):
            run.output.line(
                f"Deleted {found.reference}; `nuvo recover {quote(found.reference)}` brings it back for 24 hours."
            )

    @app.command()
    def recover(context: Context, snapshot: SnapshotName, json: Json = False) -> None:
        """Bring a deleted snapshot back."""
        run = session(context)
        found = run.client.snapshot_recover(state=run.place.snapshot(snapshot))
        if not run.output.struct(found):
            run.output.line(f"Recovered {found.reference}.")


def _sentence(found: Snapshot) -> str:
    from nuvo_jupyter.cli.output import size

    name = f" “{found.name}”" if found.name else ""
    text = f"{found.reference}{name}: {found.files} {'file' if found.files == 1 else 'files'}, {size(found.size)}"
    if found.excluded:
        text += f"; {found.excluded} left out (`nuvo show {found.number}` lists them)"
    if found.inconsistent:
        text += f"; {found.inconsistent} kept changing while they were read"
    return text


def _offer_environment(run: Session, taken: Snapshot) -> None:
    """Say once, at an instance's first snapshot, that the environment its shell is in can be captured, too."""
    inside = next((os.environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if name in os.environ), "")
    if taken.number == 1 and inside and not run.client.application_list(instance=taken.instance):
        run.output.note(f"The environment {inside} is not in it: `nuvo app add` captures it with the files.")


def _listing(output: Output, found: list[Snapshot] | tuple[Snapshot, ...]) -> None:
    from nuvo_jupyter.cli.output import size

    output.table(
        ("snapshot", "name", "taken", "by", "reason", "files", "size", "description"),
        [
            (
                item.reference,
                item.name,
                item.created_at,
                item.created_by,
                item.reason.value.replace("_", " ") + (" (deleted)" if item.deleted_at else ""),
                item.files,
                size(item.size),
                item.description,
            )
            for item in found
        ],
    )
