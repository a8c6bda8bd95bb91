"""`nuvo usage`, `collect`, `forget`, `retention`, `schedule`: what grows, and what is done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, Context, Option
from nuvo_jupyter.cli.options import Instance, Json
from nuvo_jupyter.cli.output import size
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.growth import Retention, Schedule

Space = Annotated[
    str,
    Argument(
        metavar="[SPACE]", help="A space; the current folder's by default.", autocompletion=completion.spaces
    ),
]
DryRun = Annotated[bool, Option("--dry-run", "-n", help="Change nothing; say what would happen.")]


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def usage(
        context: Context,
        states: Annotated[
            list[str] | None,
            Argument(
                metavar="[SNAPSHOTS]...",
                help="Also say what deleting these would free.",
                autocompletion=completion.states,
            ),
        ] = None,
        space: Annotated[
            str, Option("--space", help="Only this space.", autocompletion=completion.spaces)
        ] = "",
        instance: Instance = "",
        by: Annotated[
            Literal["snapshot", "path", "table"],
            Option("--by", help="One line for each snapshot, or path, or table of the instance."),
        ] = "snapshot",
        folder: Annotated[str, Option("--folder", help="With --by path: what is in this folder.")] = "",
        json: Json = False,
    ) -> None:
        """Who holds how much of the store, alone and shared."""
        run = session(context)
        if by != "snapshot" or folder:
            _usage_by_path(run, instance, folder, by == "table")
            return
        fields = {
            "space": space or None,
            "instance": run.place.state(instance) if instance else None,
            "states": [run.place.snapshot(text) for text in states or ()],
        }
        task = run.finish(run.client.usage(**fields), True)
        found = run.client.usage_show(id=task.id)
        if run.output.struct(found):
            return
        if found.frees is not None:
            count = len(found.frees.states)
            run.output.line(
                f"{size(found.frees.size)} would be free without {'this snapshot' if count == 1 else f'these {count} snapshots'}."
            )
            return
        rows: list[tuple[object, ...]] = []
        for one in found.spaces:
            if not instance:
                rows.append((one.space, one.snapshots, size(one.held), size(one.alone)))
            for inner in one.instances:
                rows.append((inner.instance, inner.snapshots, size(inner.held), size(inner.alone)))
                rows.extend(
                    (
                        item.reference,
                        item.name or item.reason.value.replace("_", " "),
                        size(item.held),
                        size(item.alone),
                    )
                    for item in inner.details
                )
        run.output.table(("what", "snapshots", "holds", "alone"), rows)
        unheld = (
            f"; nothing holds {size(found.unheld)} of it, which `nuvo collect` frees" if found.unheld else ""
        )
        run.output.note(f"The store has {size(found.packs)}{unheld}.")

    @app.command()
    def collect(
        context: Context,
        dry_run: DryRun = False,
        now: Annotated[
            bool,
            Option("--now", help="Also what could still be brought back, and without the grace period."),
        ] = False,
        json: Json = False,
    ) -> None:
        """Free what nothing holds any more."""
        run = session(context)
        task = run.finish(run.client.collect(dry_run=dry_run, now=now), True)
        found = run.client.collect_show(id=task.id)
        if run.output.struct(found):
            return
        net = found.freed - found.written
        run.output.note(
            f"Deleted snapshots let go of: {found.snapshots}; {found.blobs} blobs ({size(found.size)}) removed, "
            f"{found.packs_rewritten} packs put together anew, {found.packs_deleted} deleted."
        )
        if found.dry_run:
            run.output.line(f"{size(max(net, 0))} would be freed in the end.")
            return
        run.output.line(f"{size(max(net, 0))} freed.")
        if found.waiting:
            run.output.note(
                f"{size(found.waiting)} more are freed once the grace period is over, or with --now."
            )
        for name in found.damaged:
            run.output.note(f"Pack {name} is damaged and was left alone; `nuvo verify` says more.")

    @app.command()
    def forget(context: Context, space: Space = "", dry_run: DryRun = False, json: Json = False) -> None:
        """Delete the snapshots that a space's rule does not keep."""
        run = session(context)
        task = run.finish(run.client.forget(space=space or run.place.space, dry_run=dry_run), True)
        found = run.client.forget_show(id=task.id)
        if run.output.struct(found):
            return
        run.output.table(
            ("snapshot", "taken", "name", "", "because"),
            [
                (
                    item.reference,
                    item.created_at,
                    item.name or item.reason.value.replace("_", " "),
                    "stays" if item.kept else "goes",
                    item.why or ("no rule keeps it",),
                )
                for item in found.snapshots
            ],
        )
        run.output.note(
            f"{found.forgotten} of {len(found.snapshots)} snapshots "
            + (
                "would be deleted"
                if found.dry_run
                else "deleted; `nuvo recover` brings each back for 24 hours"
            )
            + f". That frees {size(found.frees)} once they are collected."
        )

    retention = app.group("retention", help="Which automatic snapshots a space keeps.")

    @retention.command()
    def show(context: Context, space: Space = "", json: Json = False) -> None:
        """Show a space's rule."""
        run = session(context)
        _rule(run, run.client.retention_show(space=space or run.place.space))

    @retention.command("set")
    def set_(
        context: Context,
        space: Space = "",
        last: Annotated[int, Option("--last", min=0, help="So many of the newest.")] = 0,
        hourly: Annotated[int, Option("--hourly", min=0, help="One for each of so many hours.")] = 0,
        daily: Annotated[int, Option("--daily", min=0, help="One for each of so many days.")] = 0,
        weekly: Annotated[int, Option("--weekly", min=0, help="One for each of so many weeks.")] = 0,
        monthly: Annotated[int, Option("--monthly", min=0, help="One for each of so many months.")] = 0,
        yearly: Annotated[int, Option("--yearly", min=0, help="One for each of so many years.")] = 0,
        within: Annotated[str, Option("--within", help="All of a period: 30d, 12h, 1y6m.")] = "",
        manual: Annotated[
            bool, Option("--manual", help="The rule is about those taken by hand, too.")
        ] = False,
        named: Annotated[bool, Option("--named", help="The rule is about named ones, too.")] = False,
        json: Json = False,
    ) -> None:
        """Replace a space's rule. Without any number it keeps all."""
        run = session(context)
        found = run.client.retention_set(
            space=space or run.place.space,
            last=last,
            hourly=hourly,
            daily=daily,
            weekly=weekly,
            monthly=monthly,
            yearly=yearly,
            within=within,
            manual=manual,
            named=named,
        )
        _rule(run, found)
        if found.keep.is_set and not run.output.json:
            run.output.note("`nuvo forget --dry-run` says what that means; it is applied once a day.")

    schedule = app.group("schedule", help="Snapshots taken by the clock, where something has changed.")

    @schedule.command("show")
    def show_schedule(context: Context, instance: Instance = "", json: Json = False) -> None:
        """Show how often an instance's state is kept."""
        run = session(context)
        _schedule(run, run.client.schedule_show(instance=run.place.state(instance)))

    @schedule.command("set")
    def set_schedule(
        context: Context,
        minutes: Annotated[
            str, Argument(metavar="MINUTES", help="Minutes; 'off', or 'default' for the server's setting.")
        ],
        instance: Instance = "",
        json: Json = False,
    ) -> None:
        """Say how often an instance's state is kept."""
        from nuvo_jupyter.model.errors import InvalidInput

        if minutes not in ("off", "default") and not minutes.isdecimal():
            raise InvalidInput(
                f"{minutes!r} is no number of minutes.", hint="Give a number, 'off' or 'default'."
            )
        wanted = {"off": 0, "default": None}.get(minutes, int(minutes) if minutes.isdecimal() else 0)
        run = session(context)
        _schedule(run, run.client.schedule_set(instance=run.place.state(instance), minutes=wanted))


def _rule(run: Session, found: Retention) -> None:
    if not run.output.struct(found):
        run.output.line(f"{found.space} {found.text}.")


def _schedule(run: Session, found: Schedule) -> None:
    if run.output.struct(found):
        return
    how = (
        f"every {found.minutes} minutes, if something has changed" if found.minutes else "only when asked for"
    )
    run.output.line(
        f"Snapshots of {found.instance} are taken {how}{' (server setting)' if found.default else ''}."
    )


def _usage_by_path(run: Session, instance: str, folder: str, tables: bool) -> None:
    task = run.finish(run.client.usage(instance=run.place.state(instance), folder=folder), True)
    found = run.client.usage_show(id=task.id)
    if run.output.struct(found):
        return
    paths = [one for space in found.spaces for inner in space.instances for one in inner.paths]
    rows = [
        (
            one.name + "/" * (one.folder and one.kind == "file"),
            "folder" if one.folder and one.kind == "file" else one.kind.value,
            one.snapshots,
            one.versions,
            size(one.held),
            size(one.alone),
            "" if one.frees is None else size(one.frees),
            "" if one.newest else "not in the newest snapshot",
        )
        for one in paths
        if one.kind == "table" or not tables
    ]
    columns = ("what", "kind", "snapshots", "versions", "holds", "alone", "without its snapshots", "")
    run.output.table(columns, rows)
    if rows:
        run.output.note("The last figure is what deleting all snapshots that have it would free.")
    else:
        run.output.note("No snapshot holds anything there.")
