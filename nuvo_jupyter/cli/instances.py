"""`nuvo instance`: workspaces with a history."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING, Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Deleted, Json, Wait, given
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.spaces import Instance

Name = Annotated[
    str,
    Argument(
        metavar="[INSTANCE]", help="The current folder's by default.", autocompletion=completion.instances
    ),
]
Named = Annotated[str, Argument(metavar="INSTANCE", autocompletion=completion.instances)]


def add(app: App) -> None:
    """Declare the commands."""
    instance = app.group("instance", help="Instances: workspaces with a history.")

    @instance.command()
    def create(
        context: Context,
        name: Annotated[str, Argument(metavar="[SPACE/]INSTANCE", help="Its name.")],
        description: Annotated[str, Option("--description", "-m", help="What it is for.")] = "",
        workspace: Annotated[
            str, Option("--workspace", help="Its folder; by the space's template if left out.")
        ] = "",
        person: Annotated[
            list[str] | None, Option("--person", help="User name of an editor; can be repeated.")
        ] = None,
        source: Annotated[
            str | None,
            Option(
                "--from",
                metavar="SNAPSHOT",
                help="What to start from; Distributed's latest by default, '' for nothing.",
            ),
        ] = None,
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Create one instance."""
        from nuvo_jupyter.cli.distribution import report

        run = session(context)
        space, _, own = name.rpartition("/")
        task = run.client.instance_create(
            space=space or run.place.space,
            name=own,
            description=description,
            workspace=os.path.abspath(workspace) if workspace else "",
            people=person or [],
            **given(source=run.place.state(source) if source else source),
        )
        report(run, run.finish(task, wait))

    @instance.command("list")
    def list_(
        context: Context,
        space: Annotated[str | None, Argument(metavar="[SPACE]", autocompletion=completion.spaces)] = None,
        deleted: Deleted = False,
        json: Json = False,
    ) -> None:
        """List the instances you can see."""
        run = session(context)
        _write(run, *run.client.instance_list(space=space, deleted=deleted), many=True)

    @instance.command()
    def show(context: Context, name: Name = "", json: Json = False) -> None:
        """Show one instance."""
        run = session(context)
        _write(run, run.client.instance_show(instance=run.place.state(name)))

    @instance.command()
    def update(
        context: Context,
        name: Name = "",
        rename: Annotated[str | None, Option("--name", "-n", help="A new name.")] = None,
        description: Annotated[str | None, Option("--description", "-m", help="What it is for.")] = None,
        state_description: Annotated[
            str | None, Option("--state", help="What the current state is about.")
        ] = None,
        archived: Annotated[
            bool | None, Option("--archive/--unarchive", help="Archive it, or bring it back.")
        ] = None,
        json: Json = False,
    ) -> None:
        """Rename, describe or archive an instance."""
        run = session(context)
        fields = given(
            name=rename, description=description, state_description=state_description, archived=archived
        )
        _write(run, run.client.instance_update(instance=run.place.state(name), **fields))

    @instance.command()
    def delete(context: Context, name: Named, json: Json = False) -> None:
        """Delete an instance, not its folder; recoverable for 24 hours."""
        run = session(context)
        found = run.client.instance_delete(instance=run.place.state(name))
        _write(run, found)
        run.output.note(f"`nuvo instance recover {quote(found.reference)}` brings it back for 24 hours.")

    @instance.command()
    def recover(context: Context, name: Named, json: Json = False) -> None:
        """Bring a deleted instance back."""
        run = session(context)
        _write(run, run.client.instance_recover(instance=run.place.state(name)))


def _write(run: Session, *found: Instance, many: bool = False) -> None:
    if run.output.struct(found if many else found[0]):
        return
    run.output.table(
        ("instance", "kind", "people", "snapshots", "state", "folder", "description"),
        [
            (
                item.reference,
                item.kind.value,
                [member.person.username for member in item.people],
                item.snapshots,
                "deleted" if item.deleted_at else "archived" if item.archived else "",
                item.workspace,
                item.state_description or item.description,
            )
            for item in found
        ],
    )
