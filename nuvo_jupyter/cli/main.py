"""The entry point of `nuvo`: the list of commands, and what errors become."""

from __future__ import annotations

import atexit
import errno
import gc
import importlib
import os
import sys
from typing import Annotated, Any, NoReturn

from nuvo_jupyter.cli import shells
from nuvo_jupyter.cli.commands import Group
from nuvo_jupyter.cli.declare import App, Context, Option, end
from nuvo_jupyter.cli.exit_codes import CANCELLED, ERROR, of_error
from nuvo_jupyter.cli.session import session
from nuvo_jupyter.model.errors import NuvoError

_ALLOCATIONS = 100_000
"""Between two looks for garbage; Python's own default is 700."""

# Each module's `add(app)` declares its commands; what they do is loaded when they run.
_MODULES = (
    "snapshots",
    "states",
    "tables",
    "applications",
    "crates",
    "stage",
    "distribution",
    "tasks",
    "spaces",
    "instances",
    "people",
    "growth",
    "upkeep",
)


class Commands(Group):
    """Turns errors meant for users into a message, a hint and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command, then close the engine."""
        run = session(ctx)
        try:
            return super().invoke(ctx)
        except NuvoError as error:
            run.output.problem(error.code, error.message, error.hint)
            end(of_error(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                # Whoever read the output is gone, as in `nuvo ls | head`.
                raise
            run.output.problem("system_error", _told(error), None)
            end(ERROR)
        except KeyboardInterrupt:
            run.output.note("Cancelled.")
            end(CANCELLED)
        finally:
            run.close()


def _told(error: OSError) -> str:
    """What the system refused: of a file, or of where the output goes."""
    from nuvo_jupyter.workspace.problems import plain

    where = error.filename if error.filename is not None else "The output cannot be written"
    return f"{os.fsdecode(where)}: {plain(error)}"


def _version(context: Context, wanted: bool) -> bool:
    if wanted and not context.resilient_parsing:
        from nuvo_jupyter import __version__

        print(__version__)
        end(0)
    return wanted


def build() -> Commands:
    """The command `nuvo` with all its commands."""
    app = App()

    @app.callback()
    def everything(
        context: Context,
        json: Annotated[
            bool, Option("--json", help="Write results as JSON: the response structs of docs/rest.md.")
        ] = False,
        version: Annotated[
            bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ] = False,
        install_completion: Annotated[
            bool,
            Option(
                "--install-completion",
                callback=shells.install,
                is_eager=True,
                help="Install completion for the current shell.",
            ),
        ] = False,
        show_completion: Annotated[
            bool,
            Option(
                "--show-completion",
                callback=shells.show,
                is_eager=True,
                help="Show completion for the current shell, to copy it or customize the installation.",
            ),
        ] = False,
    ) -> None:
        """Snapshots, distribution and restore of states, from the command line.

        An instance is the one the current folder belongs to unless named as [[org/]space/]instance; a state is
        INSTANCE[@SNAPSHOT][:PATH], and @3, 3, latest or @NAME is a snapshot of the current folder's instance.

        Exit codes: 0 done, 1 error, 2 usage, 3 some targets failed, 4 refused, 5 confirmation needed, 130 cancelled.
        """
        session(context).json = session(context).json or json

    for module in _MODULES:
        importlib.import_module(f"nuvo_jupyter.cli.{module}").add(app)
    return Commands("nuvo", app, context_settings={"help_option_names": ["-h", "--help"]})


def main() -> None:
    """Run `nuvo`.

    What it loads never becomes garbage, and the end of the process frees it all at once: looking for garbage while
    modules load, and taking them apart one by one at the end, would be a fifth of a short command's time.
    """
    gc.set_threshold(_ALLOCATIONS)
    _open_closed()
    code: Any = None
    try:
        build()(prog_name="nuvo")
    except SystemExit as ending:
        code = ending.code
    _leave(code)


def _open_closed() -> None:
    # Otherwise a file that is opened next, such as the catalog, would stand where output is written.
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(null)
        sys.stdin = sys.stdin or open(0)  # noqa: SIM115
        sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
        sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


def _leave(code: Any) -> NoReturn:
    # What Python does before it takes modules apart: threads, what was registered for the end, open output.
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # Whoever read the output is gone, as in `nuvo ls | head`.
        os._exit(ERROR)
    except OSError as error:
        os.write(2, f"nuvo: {_told(error)}\n".encode())
        os._exit(ERROR)
    if isinstance(code, str):
        sys.exit(code)
    os._exit(code or 0)
