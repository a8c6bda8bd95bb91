"""`%app`: the applications of the notebook's instance, and the environment of its kernel as one."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from nuvo_jupyter.clients.place import Place
from nuvo_jupyter.magics import shown_applications as shown
from nuvo_jupyter.magics.connection import Connection
from nuvo_jupyter.magics.environment import own_environment
from nuvo_jupyter.magics.problems import concise
from nuvo_jupyter.magics.results import Result
from nuvo_jupyter.magics.running import finish, parse
from nuvo_jupyter.workspace.applications.names import suggested_name

ACTIONS = ("list", "add", "show", "build", "run", "rename", "delete", "compare")
# How many words each takes: at least, at most.
_WORDS = {"list": (0, 0), "add": (0, 1), "rename": (2, 2), "delete": (1, 1), "compare": (2, 3)}
_USAGE = {
    "list": "%app [list]",
    "add": "%app add [NAME]",
    "show": "%app show [NAME]",
    "build": "%app build [NAME]",
    "run": "%app run [NAME]",
    "rename": "%app rename NAME NEW",
    "delete": "%app delete NAME",
    "compare": "%app compare NAME LEFT [RIGHT]",
}


@magics_class
class ApplicationMagics(Magics):
    """Kernel, environment and settings from a cell."""

    def __init__(self, shell: InteractiveShell, connection: Connection) -> None:
        super().__init__(shell)
        self.connection = connection

    @magic_arguments()
    @argument("action", nargs="?", choices=ACTIONS, default="list", help="What to do.")
    @argument(
        "words",
        nargs="*",
        help="The application; its new name for rename; two states for compare. The only one by default.",
    )
    @argument("--kernel", default="", help="Of add: an installed kernel instead of this one.")
    @argument(
        "--variable", action="append", default=[], help="Of add: NAME of an environment variable it expects."
    )
    @argument(
        "--seal", action="store_true", help="Of add: put all wheels into it, so that it needs no index."
    )
    @argument("--offline", action="store_true", help="Of add and build: never use the network.")
    @argument(
        "--any-python",
        action="store_true",
        help="Of build: also with another Python than it was captured with.",
    )
    @argument("--yes", action="store_true", help="Of build: also where its kernel runs another program.")
    @argument(
        "--settings",
        action="store_true",
        help="Of build: then put its settings in the place of JupyterLab's; copies are kept.",
    )
    @line_magic
    @concise
    def app(self, line: str) -> Result:
        """List applications; capture this kernel's environment as one; show, build, run, rename, delete, compare one."""
        args = parse(self.app, line)
        least, most = _WORDS.get(args.action, (0, 1))
        if not least <= len(args.words) <= most:
            raise UsageError(_USAGE[args.action])
        with self.connection.place() as place:
            found: Result = getattr(self, f"_{args.action}")(place, args)
            return found

    def _list(self, place: Place, _args: Any) -> Result:
        return shown.applications(place.client.application_list(instance=place.instance))

    def _add(self, place: Place, args: Any) -> Result:
        prefix = "" if args.kernel else own_environment()
        name = args.words[0] if args.words else suggested_name(prefix, args.kernel)
        task = place.client.application_add(
            instance=place.instance,
            name=name,
            prefix=prefix,
            kernel=args.kernel,
            variables=args.variable,
            seal=args.seal,
            offline=args.offline,
        )
        finish(self.shell, place.client, task)
        return shown.application(place.client.application_show(instance=place.instance, name=name))

    def _show(self, place: Place, args: Any) -> Result:
        name = _one(place, args.words)
        return shown.application(place.client.application_show(instance=place.instance, name=name))

    def _build(self, place: Place, args: Any) -> Result:
        name = _one(place, args.words)
        task = place.client.application_build(
            instance=place.instance,
            name=name,
            offline=args.offline,
            any_python=args.any_python,
            confirmed=args.yes,
            settings=args.settings,
        )
        done = finish(self.shell, place.client, task)
        return self._run(place, args, done.notes)

    def _run(self, place: Place, args: Any, notes: tuple[str, ...] = ()) -> Result:
        name = _one(place, args.words)
        found = place.client.application_show(instance=place.instance, name=name)
        return shown.how_to_run(found, place.space.rpartition("/")[2], notes)

    def _rename(self, place: Place, args: Any) -> Result:
        old, new = args.words
        found = place.client.application_rename(instance=place.instance, name=old, new=new)
        return Result(found, f"{old} is now {found.name}")

    def _delete(self, place: Place, args: Any) -> Result:
        found = place.client.application_delete(instance=place.instance, name=args.words[0])
        return Result(found, f"{found.name} deleted; snapshots keep theirs")

    def _compare(self, place: Place, args: Any) -> Result:
        name, left, *right = args.words
        found = place.client.application_compare(
            left=place.state(left), right=place.state(right[0] if right else ""), name=name
        )
        return shown.comparison(name, found)


def _one(place: Place, words: list[str]) -> str:
    """The application that is named, or the only one there is."""
    if words:
        return str(words[0])
    names: list[str] = [one.name for one in place.client.application_list(instance=place.instance)]
    if len(names) != 1:
        raise UsageError(
            f"name one of {', '.join(names)}"
            if names
            else "there is no application yet: %app add captures one"
        )
    return names[0]
