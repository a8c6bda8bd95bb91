"""`nuvo roster`, `members`, `grant`, `revoke`, `access`: who is in and what they may do."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, BadParameter, Context, Option
from nuvo_jupyter.cli.options import Json, Wait, given
from nuvo_jupyter.cli.session import session

RoleName = Literal["manager", "faculty", "member", "admin", "editor", "viewer", "observer"]
Username = Annotated[str, Argument(metavar="USER", help="User name.")]
InSpace = Annotated[
    str | None, Option("--space", help="A role in this space.", autocompletion=completion.spaces)
]
InInstance = Annotated[
    str | None,
    Option("--instance", "-i", help="A role in this instance.", autocompletion=completion.instances),
]


def add(app: App) -> None:
    """Declare the commands."""
    roster = app.group("roster", help="Rosters: people and their instances.")

    @roster.command("add")
    def add_(
        context: Context,
        file: Annotated[
            str, Argument(metavar="FILE", help="One person per line, or CSV; - reads standard input.")
        ],
        space: Annotated[str, Option("--space", autocompletion=completion.spaces)] = "",
        joint: Annotated[str, Option("--joint", help="Name of one joint instance for all.")] = "",
        description: Annotated[str, Option("--description", "-m", help="Of the instances.")] = "",
        source: Annotated[
            str | None,
            Option("--from", metavar="STATE", help="What they start from; Distributed's latest by default."),
        ] = None,
        share_state: Annotated[
            bool,
            Option(
                "--share-state",
                help="Take a snapshot of the source's current state first, and start from it.",
            ),
        ] = False,
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Create instances for people: a separate one for each, or a joint one."""
        from nuvo_jupyter.cli.distribution import report

        run = session(context)
        task = run.client.roster_add(
            space=space or run.place.space,
            people=_text(file),
            joint=joint,
            description=description,
            share_state=share_state,
            **given(source=run.place.state(source) if source else source),
        )
        report(run, run.finish(task, wait))

    @app.command()
    def members(
        context: Context,
        space: Annotated[str | None, Argument(metavar="[SPACE]", autocompletion=completion.spaces)] = None,
        json: Json = False,
    ) -> None:
        """List roles in a space, or in the organization."""
        run = session(context)
        found = run.client.member_list(space=space)
        if run.output.struct(found):
            return
        rows = [
            (item.person.username, item.person.name, item.person.email, item.role.value, item.instance)
            for item in found
        ]
        run.output.table(("user", "name", "e-mail", "role", "instance"), rows)

    @app.command()
    def grant(
        context: Context,
        username: Username,
        role: Annotated[RoleName, Argument(help="The role.")],
        space: InSpace = None,
        instance: InInstance = None,
        name: Annotated[str, Option("--name", help="The person's name.")] = "",
        email: Annotated[str, Option("--email", help="The person's e-mail address.")] = "",
        json: Json = False,
    ) -> None:
        """Give somebody a role in an instance, space or organization."""
        run = session(context)
        target = run.place.state(instance) if instance else None
        found = run.client.role_grant(
            username=username, role=role, space=space, instance=target, name=name, email=email
        )
        if not run.output.struct(found):
            new = " (created: nobody was known by that user name)" if found.created else ""
            run.output.note(
                f"{found.person.username}{new} is {found.role.value} of {target or space or 'the organization'}."
            )

    @app.command()
    def revoke(
        context: Context,
        username: Username,
        space: InSpace = None,
        instance: InInstance = None,
        json: Json = False,
    ) -> None:
        """Take somebody's role away."""
        run = session(context)
        target = run.place.state(instance) if instance else None
        found = run.client.role_revoke(username=username, space=space, instance=target)
        if not run.output.struct(found):
            run.output.note(
                f"{username} has no role of their own in {target or space or 'the organization'} any more."
            )

    access = app.group("access", help="Requests for access.")

    @access.command()
    def ask(
        context: Context,
        instance: Annotated[str, Argument(metavar="INSTANCE", autocompletion=completion.instances)],
        message: Annotated[str, Option("--message", "-m", help="For the space's admins.")] = "",
        json: Json = False,
    ) -> None:
        """Ask for access to an instance."""
        run = session(context)
        if not run.output.struct(run.client.access_ask(instance=run.place.state(instance), message=message)):
            run.output.note("The admins of the space were asked.")

    @access.command("list")
    def list_(
        context: Context,
        space: Annotated[str, Argument(metavar="[SPACE]", autocompletion=completion.spaces)] = "",
        json: Json = False,
    ) -> None:
        """List requests for access."""
        run = session(context)
        found = run.client.access_list(space=space or run.place.space)
        if run.output.struct(found):
            return
        rows = [(item.created_at, item.person.username, item.instance, item.message) for item in found]
        run.output.table(("when", "user", "instance", "message"), rows)


def _text(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        with open(file, encoding="utf-8-sig") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BadParameter(f"{file!r} cannot be read: {error}", param_hint="FILE") from error
