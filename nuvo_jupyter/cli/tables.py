"""`nuvo table`: the tables of any state."""

from __future__ import annotations

from typing import Annotated

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json, State
from nuvo_jupyter.cli.session import session

Name = Annotated[str, Argument(metavar="TABLE", help="A table: [SCHEMA.]NAME.")]
OfState = Annotated[
    str, Option("--state", help="A state; the current one by default.", autocompletion=completion.states)
]


def add(app: App) -> None:
    """Declare the commands."""
    table = app.group("table", help="Look into the tables of any state.")

    @table.command("list")
    def list_(context: Context, state: State = "", json: Json = False) -> None:
        """List the tables of a state."""
        from nuvo_jupyter.cli.output import size

        run = session(context)
        found = run.client.table_list(state=run.place.state(state))
        if run.output.struct(found):
            return
        run.output.table(
            ("table", "rows", "columns", "size", "modified"),
            [
                (
                    one.name,
                    "view" if one.view else one.problem or f"{one.rows:,}",
                    "" if one.view or one.problem else str(len(one.columns)),
                    size(one.size),
                    one.modified_at,
                )
                for one in found
            ],
        )

    @table.command()
    def show(
        context: Context,
        name: Name,
        state: OfState = "",
        limit: Annotated[int, Option("--limit", "-n", min=0, max=1000, help="How many rows.")] = 10,
        offset: Annotated[int, Option("--offset", min=0, help="How many rows to pass over.")] = 0,
        json: Json = False,
    ) -> None:
        """Show what makes a table, and its first rows."""
        run = session(context)
        found = run.client.table_show(state=run.place.state(state), table=name, limit=limit, offset=offset)
        if run.output.struct(found):
            return
        for line in found.definition.splitlines():
            run.output.line(line)
        if not found.table.view:
            columns = [column.name for column in found.table.columns]
            rows = [["" if value is None else str(value) for value in row] for row in found.rows]
            run.output.table(columns, rows)
            run.output.line(rows_in_words(found.table.rows))

    @table.command()
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
        key: Annotated[
            list[str] | None, Option("--key", help="A column by which rows belong together; can be repeated.")
        ] = None,
        json: Json = False,
    ) -> None:
        """Show how a table differs between two states."""
        run = session(context)
        found = run.client.table_compare(
            left=run.place.state(left), right=run.place.state(right), table=name, key=tuple(key or ())
        )
        if run.output.struct(found):
            return
        for mark, columns in (("+", found.added), ("-", found.removed), ("~", found.changed)):
            for column in columns:
                run.output.line(f"{mark} column {column}")
        run.output.line(
            f"{found.rows_added:,} rows added, {found.rows_removed:,} removed, {found.rows_changed:,} changed"
            + ("" if found.key else "; without a key, changed rows count as removed and added")
        )
        run.output.table(
            ("key", "before", "after"),
            [
                (
                    ", ".join(map(str, row.key)),
                    "" if row.left is None else ", ".join(map(str, row.left)),
                    "" if row.right is None else ", ".join(map(str, row.right)),
                )
                for row in found.rows
            ],
        )

    @table.command("import")
    def import_(
        context: Context,
        path: Annotated[str, Argument(metavar="PATH", help="A CSV, TSV, Parquet, JSON or SQLite file.")],
        name: Annotated[str, Option("--name", help="Name of the table; the file's by default.")] = "",
        replace: Annotated[bool, Option("--replace", help="Replace tables of the same name.")] = False,
        instance: Instance = "",
        json: Json = False,
    ) -> None:
        """Make tables of a file of the instance."""
        run = session(context)
        found = run.client.table_import(
            instance=run.place.state(instance), path=run.place.path(path), table=name, replace=replace
        )
        if not run.output.struct(found):
            for one in found:
                run.output.line(f"{one.name}: {rows_in_words(one.rows)}")

    @table.command()
    def rename(
        context: Context,
        name: Name,
        new: Annotated[str, Argument(metavar="NEW", help="Its new name.")],
        instance: Instance = "",
        json: Json = False,
    ) -> None:
        """Rename a table of a current state."""
        run = session(context)
        found = run.client.table_rename(instance=run.place.state(instance), table=name, name=new)
        if not run.output.struct(found):
            run.output.line(f"{name} is now {found.name}")

    @table.command()
    def delete(context: Context, name: Name, instance: Instance = "", json: Json = False) -> None:
        """Delete a table of a current state; snapshots keep theirs."""
        run = session(context)
        found = run.client.table_delete(instance=run.place.state(instance), table=name)
        if not run.output.struct(found):
            run.output.line(f"{found.name} deleted")


def rows_in_words(count: int) -> str:
    """Such as ``1 row`` or ``1,200 rows``."""
    return f"{count:,} row{'' if count == 1 else 's'}"
