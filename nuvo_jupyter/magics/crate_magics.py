"""`%export` and `%import`: snapshots shared outside."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from nuvo_jupyter.clients.saving import save
from nuvo_jupyter.magics import shown
from nuvo_jupyter.magics.connection import Connection
from nuvo_jupyter.magics.problems import concise
from nuvo_jupyter.magics.results import Result
from nuvo_jupyter.magics.running import finish, parse


@magics_class
class CrateMagics(Magics):
    """Snapshots as files, from a cell."""

    def __init__(self, shell: InteractiveShell, connection: Connection) -> None:
        super().__init__(shell)
        self.connection = connection

    @magic_arguments()
    @argument("reference", help="A snapshot: 3, NAME, latest, a time, or INSTANCE@SNAPSHOT.")
    @argument("file", nargs="?", default="", help="The file to write; named after the snapshot by default.")
    @argument("--title", default="", help="Title.")
    @argument("--description", default="", help="What it is.")
    @argument("--author", action="append", default=[], help="Who made it; can be repeated.")
    @argument("--license", default="", help="Web address of a licence, or a sentence.")
    @argument("--force", action="store_true", help="Replace the file.")
    @line_magic
    @concise
    def export(self, line: str) -> Result:
        """Export a snapshot as one file, an RO-Crate."""
        args = parse(self.export, line)
        with self.connection.place() as place:
            raw = place.client.crate_export(
                state=place.snapshot(args.reference),
                title=args.title,
                description=args.description,
                authors=tuple(args.author),
                license=args.license,
            )
            written = save(raw, args.file, replace=args.force)
            return Result(written, f"Written: {written}")

    @magic_arguments("import")
    @argument("file", help="A crate in the folder of this notebook's instance, relative to the notebook.")
    @argument("--name", default="", help="Name of the snapshot.")
    @line_magic("import")  # type: ignore[arg-type]
    @concise
    def import_(self, line: str) -> Result:
        """Import a crate as a snapshot of this notebook's instance; then restore from it."""
        args = parse(self.import_, line)
        with self.connection.place() as place:
            task = place.client.crate_import(
                instance=place.instance, path=place.path(args.file), name=args.name
            )
            done = finish(self.shell, place.client, task)
            return shown.snapshot(place.client.snapshot_show(state=done.snapshot).snapshot)
