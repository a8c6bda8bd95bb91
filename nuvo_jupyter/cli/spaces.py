"""`nuvo space`: courses, research projects and datasets."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Deleted, Json, given
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.spaces import Space

Name = Annotated[str, Argument(metavar="SPACE", autocompletion=completion.spaces)]
Description = Annotated[str | None, Option("--description", "-m", help="What it is about.")]
Visibility = Annotated[
    Literal["public", "faculty", "private"] | None, Option(help="Who sees that it exists.")
]
Timezone = Annotated[str | None, Option("--timezone", help="IANA name, e.g. Europe/Zurich.")]
Template = Annotated[
    str | None,
    Option("--template", help="Where new instances' folders lie, with {username}, {space} and {instance}."),
]


def add(app: App) -> None:
    """Declare the commands."""
    space = app.group("space", help="Spaces: courses, research projects, datasets.")

    @space.command()
    def create(
        context: Context,
        name: Annotated[str, Argument(help="Its name.")],
        kind: Annotated[Literal["course", "research", "dataset"], Option(help="What it is for.")] = "course",
        description: Description = None,
        visibility: Visibility = None,
        timezone: Timezone = None,
        workspace: Annotated[str | None, Option("--workspace", help="Folder of the Master instance.")] = None,
        template: Template = None,
        json: Json = False,
    ) -> None:
        """Create a space with its instances Master and Distributed."""
        import os

        run = session(context)
        folder = os.path.abspath(workspace) if workspace else None
        fields = given(
            description=description,
            visibility=visibility,
            timezone=timezone,
            workspace=folder,
            template=template,
        )
        _write(run, run.client.space_create(name=name, kind=kind, **fields))

    @space.command("list")
    def list_(context: Context, deleted: Deleted = False, json: Json = False) -> None:
        """List the spaces you can see."""
        run = session(context)
        _write(run, *run.client.space_list(deleted=deleted), many=True)

    @space.command()
    def show(context: Context, name: Name, json: Json = False) -> None:
        """Show one space."""
        run = session(context)
        _write(run, run.client.space_show(space=name))

    @space.command()
    def update(
        context: Context,
        name: Name,
        rename: Annotated[str | None, Option("--name", "-n", help="A new name.")] = None,
        description: Description = None,
        visibility: Visibility = None,
        timezone: Timezone = None,
        template: Template = None,
        pull_from_master: Annotated[
            bool | None,
            Option("--pull-from-master/--no-pull-from-master", help="Editors may pull from Master too."),
        ] = None,
        archived: Annotated[
            bool | None, Option("--archive/--unarchive", help="Archive it, or bring it back.")
        ] = None,
        json: Json = False,
    ) -> None:
        """Rename, describe, archive or set up a space."""
        run = session(context)
        fields = given(
            name=rename,
            description=description,
            visibility=visibility,
            timezone=timezone,
            template=template,
            pull_from_master=pull_from_master,
            archived=archived,
        )
        _write(run, run.client.space_update(space=name, **fields))

    @space.command()
    def delete(context: Context, name: Name, json: Json = False) -> None:
        """Delete a space; recoverable for 24 hours."""
        run = session(context)
        _write(run, run.client.space_delete(space=name))
        run.output.note(f"`nuvo space recover {quote(name)}` brings it back for 24 hours.")

    @space.command()
    def recover(context: Context, name: Name, json: Json = False) -> None:
        """Bring a deleted space back."""
        run = session(context)
        _write(run, run.client.space_recover(space=name))


def _write(run: Session, *found: Space, many: bool = False) -> None:
    if run.output.struct(found if many else found[0]):
        return
    run.output.table(
        ("space", "kind", "instances", "visibility", "state", "description"),
        [
            (
                item.name,
                item.kind.value,
                item.instances,
                item.visibility.value,
                "deleted" if item.deleted_at else "archived" if item.archived else "",
                item.description,
            )
            for item in found
        ],
    )
