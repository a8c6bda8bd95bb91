"""`nuvo app`: the applications of an instance: kernel, environment and settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from shlex import quote
from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json, Wait
from nuvo_jupyter.cli.session import session
from nuvo_jupyter.model.applications import SETTINGS_IN_WORDS
from nuvo_jupyter.model.errors import NotFound

Name = Annotated[
    str, Argument(metavar="NAME", help="An application.", autocompletion=completion.applications)
]
Offline = Annotated[bool, Option("--offline", help="Never use the network.")]


def active_environment(variables: Mapping[str, str]) -> str:
    """The environment that a shell is in, or else the one that nuvo runs in; as a folder."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if os.path.isdir(variables.get(name, "")):
            return variables[name]
    return sys.prefix


def add(app: App) -> None:
    """Declare the commands."""
    group = app.group("app", help="Kernel, environment and settings of an instance.")

    @group.command("list")
    def list_(context: Context, instance: Instance = "", json: Json = False) -> None:
        """List the applications of an instance."""
        run = session(context)
        found = run.client.application_list(instance=run.place.state(instance))
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
                    one.problem or ("to be built" if one.pending else one.prefix),
                )
                for one in found
            ],
        )

    @group.command()
    def show(context: Context, name: Name, instance: Instance = "", json: Json = False) -> None:
        """Show an application, its packages, and why it is not complete."""
        run = session(context)
        found = run.client.application_show(instance=run.place.state(instance), name=name)
        if run.output.struct(found):
            return
        python = found.definition.python
        run.output.line(f"{python.implementation} {python.version} on {python.platform}")
        run.output.line(f"kernel: {' '.join(found.argv)}")
        for problem in found.definition.problems:
            run.output.note(f"{problem.package or 'the environment'}: {problem.reason}")
        for file in found.settings:
            run.output.note(f"settings: {file.path} ({SETTINGS_IN_WORDS[file.standing]})")
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
        name: Annotated[
            str, Argument(metavar="[NAME]", help="Its name; after the environment or kernel by default.")
        ] = "",
        prefix: Annotated[
            str, Option("--prefix", help="Folder of the environment; the active one by default.")
        ] = "",
        kernel: Annotated[
            str, Option("--kernel", help="An installed kernel, instead of an environment's folder.")
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
        from nuvo_jupyter.workspace.applications.names import suggested_name

        run = session(context)
        chosen = os.path.abspath(prefix) if prefix else "" if kernel else active_environment(os.environ)
        called = name or suggested_name(chosen, kernel)
        task = run.client.application_add(
            instance=run.place.state(instance),
            name=called,
            prefix=chosen,
            kernel=kernel,
            variables=tuple(variable or ()),
            seal=seal,
            offline=offline,
        )
        done = run.finish(task, wait)
        if not run.output.struct(done) and done.state.finished:
            run.output.line(f"{called} captured from {chosen or f'the kernel {kernel}'}")

    @group.command("run")
    def run_(
        context: Context,
        name: Name,
        command: Annotated[
            list[str] | None, Argument(help="What to run, after `--`; a console if left out.")
        ] = None,
        instance: Instance = "",
    ) -> None:
        """Start a console, or a command, in an application."""
        from nuvo_jupyter.workspace.applications.starting import start

        run = session(context)
        found = run.client.application_show(instance=run.place.state(instance), name=name)
        ready = start(found, command or (), os.environ)
        if found.pending:
            run.output.note(f"{name} was changed and is not built anew yet: nuvo app build {quote(name)}")
        if ready.unset:
            run.output.note(f"It expects variables that are not set: {', '.join(ready.unset)}")
        run.close()
        sys.stdout.flush()
        try:
            os.execvpe(ready.argv[0], ready.argv, ready.environment)  # noqa: S606
        except OSError as error:
            raise NotFound(
                f"{ready.argv[0]!r} cannot be run: {error.strerror}.",
                hint=f"Programs of {name} are in {found.prefix}.",
            ) from error

    @group.command()
    def build(
        context: Context,
        name: Name,
        offline: Offline = False,
        any_python: Annotated[
            bool, Option("--any-python", help="Also with another Python than it was captured with.")
        ] = False,
        yes: Annotated[bool, Option("--yes", help="Also where its kernel runs another program.")] = False,
        settings: Annotated[
            bool,
            Option("--settings", help="Then put its settings in the place of JupyterLab's; copies are kept."),
        ] = False,
        instance: Instance = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Build an application's environment and install its kernel."""
        run = session(context)
        task = run.client.application_build(
            instance=run.place.state(instance),
            name=name,
            offline=offline,
            any_python=any_python,
            confirmed=yes,
            settings=settings,
        )
        done = run.finish(task, wait)
        if not run.output.struct(done):
            for note in done.notes:
                run.output.line(note)

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
        found = run.client.application_rename(instance=run.place.state(instance), name=name, new=new)
        if not run.output.struct(found):
            run.output.line(f"{name} is now {found.name}")

    @group.command()
    def delete(context: Context, name: Name, instance: Instance = "", json: Json = False) -> None:
        """Delete an application and its kernel; snapshots keep theirs."""
        run = session(context)
        found = run.client.application_delete(instance=run.place.state(instance), name=name)
        if not run.output.struct(found):
            run.output.line(f"{found.name} deleted")
