"""The magics themselves: arguments in, one call, a result out."""

from __future__ import annotations

import os
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from nuvo_jupyter.clients.place import Place
from nuvo_jupyter.magics import shown
from nuvo_jupyter.magics.before_risky import BeforeRisky
from nuvo_jupyter.magics.connection import Connection
from nuvo_jupyter.magics.environment import OFFER, add_own
from nuvo_jupyter.magics.problems import concise
from nuvo_jupyter.magics.results import Result
from nuvo_jupyter.magics.running import finish, parse
from nuvo_jupyter.model.changes import Strategy

_STRATEGIES = [strategy.value for strategy in Strategy]
_APPEND_ROWS = "Merge tables changed on both sides: append rows whose key is new."
_KEY = "With --append-rows, for tables without a primary key."


@magics_class
class NuvoMagics(Magics):
    """Snapshots, distribution and restore from a cell."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.connection = Connection()
        self.before_risky = BeforeRisky(shell, self.connection)
        self._offered: set[str] = set()

    @magic_arguments()
    @argument("name", nargs="?", help="A name for the snapshot.")
    @argument("-m", "--description", help="What it holds; the current state's description by default.")
    @argument("--next", dest="next_description", help="What the next work phase is about.")
    @argument("--final", action="store_true", help="No work is expected in the next stage.")
    @argument("--yes", action="store_true", help="Go on although the folder is huge.")
    @argument(
        "--app",
        nargs="?",
        const="",
        metavar="NAME",
        help="Capture the environment of this kernel with it, as an application of that name.",
    )
    @argument(
        "--before-risky",
        choices=["on", "off"],
        help="Take none now, but one before each cell of this kernel that runs a shell or installs something.",
    )
    @line_magic
    @concise
    def snapshot(self, line: str) -> Result:
        """Take a snapshot of the folder this notebook is in.

        The first snapshot of a folder makes it the Master of a research space.
        """
        args = parse(self.snapshot, line)
        if args.before_risky:
            return Result(args.before_risky, self.before_risky.turn(on=args.before_risky == "on"))
        asked = {
            "name": args.name,
            "description": args.description,
            "next_description": args.next_description,
        }
        with self.connection.place() as place:
            if args.app is not None:
                add_own(self.shell, place, args.app)
            task = place.client.snapshot_create(
                folder=os.getcwd(),
                final=args.final,
                confirmed=args.yes,
                **{field: value for field, value in asked.items() if value is not None},
            )
            done = finish(self.shell, place.client, task)
            taken = place.client.snapshot_show(state=done.snapshot).snapshot
            return shown.snapshot(taken, self._offer(place, taken.instance))

    def _offer(self, place: Place, instance: str) -> str:
        """That the kernel's environment can be captured, said once for each instance that has no application."""
        if instance in self._offered:
            return ""
        self._offered.add(instance)
        return "" if place.client.application_list(instance=instance) else OFFER

    @magic_arguments()
    @argument(
        "reference",
        help="A snapshot: 3, NAME, latest, a time, or INSTANCE@SNAPSHOT; ':PATH' behind it restores that.",
    )
    @argument(
        "paths",
        nargs="*",
        default=[],
        help="What to restore, relative to this notebook; everything if left out.",
    )
    @argument("--to", default="", help="Into another instance.")
    @argument(
        "-s",
        "--strategy",
        choices=_STRATEGIES,
        help="replace for everything, overwrite for paths by default.",
    )
    @argument("--preview", action="store_true", help="Only show what would happen, object by object.")
    @line_magic
    @concise
    def restore(self, line: str) -> Result:
        """Restore some paths or everything, after a snapshot of what is there now."""
        args = parse(self.restore, line)
        with self.connection.place() as place:
            fields = {
                "source": place.snapshot(args.reference),
                "paths": [place.path(path) for path in args.paths],
                "instance": place.state(args.to) if args.to else "",
                "strategy": args.strategy,
            }
            if args.preview:
                task = finish(self.shell, place.client, place.client.restore_preview(**fields))
                return shown.preview(place.client.preview(task))
            task = place.client.restore(**fields)
            return shown.distribution(place.client, finish(self.shell, place.client, task))

    @magic_arguments()
    @argument(
        "paths", nargs="*", help="Files and folders, relative to this notebook; shows the stage if left out."
    )
    @argument("--state", default="", help="The state they are of; the current one by default.")
    @argument("--table", action="append", default=[], help="A table by name; can be repeated.")
    @argument("--application", action="append", default=[], help="An application by name; can be repeated.")
    @argument("--remove", action="store_true", help="Take them off the stage instead.")
    @argument("--clear", action="store_true", help="Empty the stage first.")
    @line_magic
    @concise
    def stage(self, line: str) -> Result:
        """Collect objects of one state for a distribution; those of another state are taken off."""
        args = parse(self.stage, line)
        with self.connection.place() as place:
            client = place.client
            objects = [{"path": place.path(path), "kind": "file"} for path in args.paths]
            objects += [{"path": name, "kind": "table"} for name in args.table]
            objects += [{"path": name, "kind": "application"} for name in args.application]
            found = client.stage_clear() if args.clear else client.stage_show()
            if objects and args.remove:
                found = client.stage_remove(objects=objects)
            elif objects:
                found = client.stage_add(state=place.state(args.state), objects=objects)
            return shown.stage(found)

    @magic_arguments()
    @argument("--to", nargs="+", action="extend", required=True, help="Instances, or 'all'.")
    @argument(
        "--from", dest="source", default="", help="A state instead of the stage's; ':PATH' sends just that."
    )
    @argument("--whole", action="store_true", help="The whole state instead of staged objects.")
    @argument("--space", default="", help="The targets' space; the source's by default.")
    @argument(
        "-s",
        "--strategy",
        choices=_STRATEGIES,
        default="overwrite",
        help="For files that differ (docs/merge.md).",
    )
    @argument("--tables", choices=_STRATEGIES, help="For tables; they are overwritten by default.")
    @argument("--append-rows", action="store_true", help=_APPEND_ROWS)
    @argument("--key", nargs="+", default=[], metavar="COLUMN", help=_KEY)
    @argument("--only-files", action="store_true", help="Leave tables and applications out.")
    @argument("-m", "--message", default="", help="For the targets' users and the record.")
    @argument("--notify", action="store_true", help="Tell the targets' users.")
    @argument("--preview", action="store_true", help="Only show what would happen, per target and object.")
    @line_magic
    @concise
    def distribute(self, line: str) -> Result:
        """Distribute the staged objects, or a whole state, to instances; each target is backed up first."""
        args = parse(self.distribute, line)
        with self.connection.place() as place:
            client = place.client
            fields = {
                "to": args.to,
                "source": place.state(args.source) if args.source or args.whole else "",
                "whole": args.whole,
                "space": args.space,
                "here": place.instance if place.known else "",
                "strategies": _strategies(args, file=args.strategy, table=args.tables),
                "only_files": args.only_files,
                "message": args.message,
                "notify": args.notify,
            }
            if args.preview:
                task = finish(self.shell, client, client.distribute_preview(**fields))
                return shown.preview(client.preview(task))
            return shown.distribution(client, finish(self.shell, client, client.distribute(**fields)))

    @magic_arguments()
    @argument("paths", nargs="*", help="What to pull, relative to this notebook; everything if left out.")
    @argument(
        "--from", dest="source", default="", help="A state of Distributed, or of Master where permitted."
    )
    @argument(
        "-s",
        "--strategy",
        choices=_STRATEGIES,
        default="merge",
        help="For objects that differ (docs/merge.md).",
    )
    @argument("--append-rows", action="store_true", help=_APPEND_ROWS)
    @argument("--key", nargs="+", default=[], metavar="COLUMN", help=_KEY)
    @argument("--only-files", action="store_true", help="Leave tables and applications out.")
    @argument("--preview", action="store_true", help="Only show what would happen, object by object.")
    @line_magic
    @concise
    def pull(self, line: str) -> Result:
        """Take objects from Distributed into your own state, after a snapshot of it."""
        args = parse(self.pull, line)
        with self.connection.place() as place:
            client = place.client
            fields = {
                "instance": place.instance,
                "source": place.state(args.source) if args.source else "",
                "paths": [place.path(path) for path in args.paths],
                "strategies": _strategies(
                    args, file=args.strategy, table=args.strategy, application=args.strategy
                ),
                "only_files": args.only_files,
            }
            if args.preview:
                task = finish(self.shell, client, client.pull_preview(**fields))
                return shown.preview(client.preview(task))
            return shown.distribution(client, finish(self.shell, client, client.pull(**fields)))

    @magic_arguments()
    @argument("action", nargs="?", choices=["list", "show", "cancel"], default="list", help="What to do.")
    @argument("id", nargs="?", type=int, help="The task, for show and cancel.")
    @argument("--active", action="store_true", help="Only unfinished ones.")
    @line_magic
    @concise
    def tasks(self, line: str) -> Result:
        """List tasks; show or cancel one."""
        args = parse(self.tasks, line)
        if (args.action == "list") != (args.id is None):
            raise UsageError("%tasks [--active], %tasks show ID or %tasks cancel ID")
        with self.connection.place() as place:
            if args.action == "list":
                return shown.tasks(place.client.task_list(active=args.active, limit=50))
            act = place.client.task_cancel if args.action == "cancel" else place.client.task_show
            return shown.tasks((act(id=args.id),))

    @magic_arguments()
    @argument("snapshots", nargs="*", help="Also say what deleting these would free.")
    @argument("--by", choices=["snapshot", "path", "table"], default="snapshot", help="One line for each.")
    @argument("--folder", default="", help="With --by path: what is in this folder of the instance.")
    @line_magic
    @concise
    def usage(self, line: str) -> Result:
        """Say what each snapshot of this notebook's instance needs of the store, alone and shared."""
        args = parse(self.usage, line)
        with self.connection.place() as place:
            task = place.client.usage(
                instance=place.state(""),
                states=[place.snapshot(text) for text in args.snapshots],
                folder=args.folder if args.by != "snapshot" or args.folder else None,
            )
            done = finish(self.shell, place.client, task)
            return shown.usage(place.client.usage_show(id=done.id), args.by)


def _strategies(args: Any, **by_kind: str | None) -> dict[str, Any]:
    """The strategies that were given; tables of which rows are appended are merged unless something else is said."""
    if args.append_rows and by_kind["table"] is None:
        by_kind["table"] = "merge"
    chosen: dict[str, Any] = {kind: strategy for kind, strategy in by_kind.items() if strategy is not None}
    return chosen | {"append_rows": args.append_rows, "key": args.key}
