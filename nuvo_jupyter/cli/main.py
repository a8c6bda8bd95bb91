"""The entry point of `nuvo`: the list of commands, and what errors become."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

from nuvo_jupyter.cli.exit_codes import CANCELLED, of_error
from nuvo_jupyter.cli.session import session
from nuvo_jupyter.model.errors import NuvoError

# Each module's `add(app)` declares its commands; what they do is loaded when they run.
_MODULES = (
    "snapshots",
    "states",
    "stage",
    "distribution",
    "tasks",
    "spaces",
    "instances",
    "people",
    "upkeep",
)


class Commands(TyperGroup):
    """Turns errors meant for users into a message, a hint and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Commands in the order they are declared."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, then close the engine."""
        run = session(ctx)
        try:
            return super().invoke(ctx)
        except NuvoError as error:
            run.output.problem(error.code, error.message, error.hint)
            raise typer.Exit(of_error(error)) from error
        except KeyboardInterrupt:
            run.output.note("Cancelled.")
            raise typer.Exit(CANCELLED) from None
        finally:
            run.close()


def _version(wanted: bool) -> None:
    if wanted:
        from nuvo_jupyter import __version__

        typer.echo(__version__)
        raise typer.Exit


def build() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        name="nuvo",
        cls=Commands,
        no_args_is_help=True,
        # Plain help loads in half the time.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def everything(
        context: typer.Context,
        json: bool = typer.Option(
            False, "--json", help="Write results as JSON: the response structs of docs/rest.md."
        ),
        version: bool = typer.Option(
            False, "--version", callback=_version, is_eager=True, help="Show the version."
        ),
    ) -> None:
        """Snapshots, distribution and restore of states, from the command line.

        An instance is the one the current folder belongs to unless named as [[org/]space/]instance; a state is
        INSTANCE[@SNAPSHOT][:PATH], and @3, 3, latest or @NAME is a snapshot of the current folder's instance.

        Exit codes: 0 done, 1 error, 2 usage, 3 some targets failed, 4 refused, 5 confirmation needed, 130 cancelled.
        """
        session(context).json = session(context).json or json

    for module in _MODULES:
        importlib.import_module(f"nuvo_jupyter.cli.{module}").add(app)
    return app


def main() -> None:
    """Run `nuvo`."""
    build()()
