"""`nuvo app`: the applications of an instance: kernel, environment and settings."""

from __future__ import annotations

import sys
from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json, Wait
from nuvo_jupyter.cli.session import session

Name = Annotated[str, Argument(metavar="NAME", help="An application.")]
Offline = Annotated[bool, Option("--offline", help="Never use the network.")]


def add(app: App) -> None:
    """Declare the commands."""
    group = app.group("app", help="Kernel, environment and settings of an instance.")

    @group.command("list")
    def list_(context: Context, instance: Instance = "", json: Json = False) -> None:
        """List the applications of an instance."""
        run = session(context)
        found = run.client.application_list(instance=instance or run.place.instance)
        if run.output.struct(found):
            return
        run.output.table(
            ("application", "python", "packages", "complete", "kernel", "environment"),
            [
                (
                    one.name,
                    one.definition.python.version,
                    str(len(one.packages)),
                    "sealed" if one.definition.sealed else one.definition.complete,
                    one.kernel,
                    "to be built" if one.pending else one.prefix,
                )
                for one in found
            ],
        )

    @group.command()
    def show(context: Context, name: Name, instance: Instance = "", json: Json = False) -> None:
        """Show an application, its packages, and why it is not complete."""
        run = session(context)
        found = run.client.application_show(instance=instance or run.place.instance, name=name)
        if run.output.struct(found):
            return
        python = found.definition.python
        run.output.line(f"{python.implementation} {python.version} on {python.platform}")
        run.output.line(f"kernel: {' '.join(found.argv)}")
        for problem in found.definition.problems:
            run.output.note(f"{problem.package or 'the environment'}: {problem.reason}")
        run.output.table(("package", "version"), [(one.name, one.version) for one in found.packages])

    @group.command()
    def compare(
        context: Context,
        name: Name,
        left: Annotated[str, Argument(metavar="LEFT", help="A state.", autocompletion=completion.states)],
        right: Annotated[
            str,
            Argument(
                metavar="[RIGHT]",
                help="A state; the current one by default.",
                autocompletion=completion.states,
            ),
        ] = "",
        json: Json = False,
    ) -> None:
        """Show how an application differs between two states."""
        run = session(context)
        found = run.client.application_compare(
            left=run.place.state(left), right=run.place.state(right), name=name
        )
        if run.output.struct(found):
            return
        for warning in found.warnings:
            run.output.note(warning)
        for path in found.settings:
            run.output.note(f"settings differ: {path}")
        if found.kernel:
            run.output.note("its kernel is started otherwise")
        run.output.table(
            ("package", "change", "before", "after"),
            [(one.name, one.kind.value, one.before, one.after) for one in found.packages],
        )

    @group.command("add")
    def add_(
        context: Context,
        name: Name,
        prefix: Annotated[
            str, Option("--prefix", help="Folder of the environment; the one nuvo runs in by default.")
        ] = "",
        variable: Annotated[
            list[str] | None, Option("--variable", help="NAME of an environment variable; can be repeated.")
        ] = None,
        seal: Annotated[
            bool, Option("--seal", help="Put all wheels into it: it then needs no index.")
        ] = False,
        offline: Offline = False,
        instance: Instance = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Capture an environment as an application."""
        run = session(context)
        task = run.client.application_add(
            instance=instance or run.place.instance,
            name=name,
            prefix=prefix or sys.prefix,
            variables=tuple(variable or ()),
            seal=seal,
            offline=offline,
        )
        run.output.struct(run.finish(task, wait))

    @group.command()
    def build(
        context: Context,
        name: Name,
        offline: Offline = False,
        any_python: Annotated[
            bool, Option("--any-python", help="Also with another Python than it was captured with.")
        ] = False,
        yes: Annotated[bool, Option("--yes", help="Also where its kernel runs another program.")] = False,
        instance: Instance = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Build an application's environment and install its kernel."""
        run = session(context)
        task = run.client.application_build(
            instance=instance or run.place.instance,
            name=name,
            offline=offline,
            any_python=any_python,
            confirmed=yes,
        )
        run.output.struct(run.finish(task, wait))

    @group.command()
    def rename(
        context: Context,
        name: Name,
        new: Annotated[str, Argument(metavar="NEW", help="Its new name.")],
        instance: Instance = "",
        json: Json = False,
    ) -> None:
        """Rename an application."""
        run = session(context)
        found = run.client.application_rename(instance=instance or run.place.instance, name=name, new=new)
        if not run.output.struct(found):
            run.output.line(f"{name} is now {found.name}")

    @group.command()
    def delete(context: Context, name: Name, instance: Instance = "", json: Json = False) -> None:
        """Delete an application and its kernel; snapshots keep theirs."""
        run = session(context)
        found = run.client.application_delete(instance=instance or run.place.instance, name=name)
        if not run.output.struct(found):
            run.output.line(f"{found.name} deleted")
