"""Options and arguments that several commands take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import Argument, Context, Option
from nuvo_jupyter.cli.session import session

StrategyName = Literal["extra", "overwrite", "replace", "rename", "merge", "skip"]


def _json(context: Context, wanted: bool) -> bool:
    if wanted:
        session(context).json = True
    return wanted


Json = Annotated[bool, Option("--json", callback=_json, help="Write the result as JSON.")]
Wait = Annotated[bool, Option("--wait/--no-wait", help="Wait until it is done, or leave it to a server.")]
Instance = Annotated[
    str,
    Option(
        "--instance",
        "-i",
        metavar="INSTANCE",
        help="Instead of the current folder's.",
        autocompletion=completion.instances,
    ),
]
State = Annotated[
    str,
    Argument(
        metavar="[STATE]", help="A state; the current one by default.", autocompletion=completion.states
    ),
]
Strategy = Annotated[
    StrategyName | None,
    Option(
        "--strategy",
        "-s",
        help="What happens to files that differ (docs/merge.md).",
    ),
]
OnlyFiles = Annotated[bool, Option("--only-files", help="Leave tables and applications out.")]
AppendRows = Annotated[
    bool,
    Option("--append-rows", help="Merge tables changed on both sides: append rows whose key is new."),
]
Key = Annotated[
    list[str] | None,
    Option(
        "--key",
        metavar="COLUMN",
        help="With --append-rows, for tables without a primary key; may be repeated.",
    ),
]
Limit = Annotated[int, Option("--limit", min=1, max=10_000, help="At most this many.")]
Deleted = Annotated[bool, Option("--deleted", help="Deleted ones too, if they can be recovered.")]


def by_kind(
    *,
    file: str | None = None,
    table: str | None = None,
    application: str | None = None,
    append_rows: bool = False,
    key: list[str] | None = None,
) -> dict[str, Any]:
    """The strategies that were given; tables of which rows are appended are merged unless something else is said."""
    if append_rows and table is None:
        table = "merge"
    rows = {"append_rows": append_rows or None, "key": key or None}
    return given(file=file, table=table, application=application, **rows)


def given(**fields: Any) -> dict[str, Any]:
    """Only the fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}
