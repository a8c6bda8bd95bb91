"""`nuvo distribute`, `pull`, `recall`, `distributions`: what goes to instances, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from nuvo_jupyter.cli import completion
from nuvo_jupyter.cli.declare import App, Argument, BadParameter, Context, Option
from nuvo_jupyter.cli.options import (
    AppendRows,
    Instance,
    Json,
    Key,
    Limit,
    OnlyFiles,
    Strategy,
    StrategyName,
    Wait,
    by_kind,
)
from nuvo_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Preview, Task

_SHOWN_OUTCOMES = 50
_OUTCOME_COLUMNS = ("outcome", "object", "at", "detail")


def add(app: App) -> None:
    """Declare the commands."""

    @app.command()
    def distribute(
        context: Context,
        to: Annotated[
            list[str],
            Option(
                "--to",
                help="An instance, or 'all'; can be repeated.",
                autocompletion=completion.targets,
                metavar="INSTANCE",
            ),
        ],
        source: Annotated[
            str,
            Option(
                "--from",
                metavar="STATE",
                help="Instead of the stage's; ':PATH' sends just that.",
                autocompletion=completion.states,
            ),
        ] = "",
        whole: Annotated[bool, Option("--whole", help="The whole state instead of staged objects.")] = False,
        space: Annotated[
            str,
            Option(
                "--space",
                help="The targets' space; the source's by default.",
                autocompletion=completion.spaces,
            ),
        ] = "",
        strategy: Strategy = None,
        tables: Annotated[StrategyName | None, Option("--tables", help="Strategy for tables.")] = None,
        applications: Annotated[
            StrategyName | None, Option("--applications", help="Strategy for applications.")
        ] = None,
        append_rows: AppendRows = False,
        key: Key = None,
        only_files: OnlyFiles = False,
        message: Annotated[
            str, Option("--message", "-m", help="For the targets' users and the record.")
        ] = "",
        notify: Annotated[bool, Option("--notify", help="Tell the targets' users.")] = False,
        preview: Annotated[
            bool, Option("--preview", help="Only show what would happen, per target and object.")
        ] = False,
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Distribute the staged objects, or a state, to instances."""
        run = session(context)
        fields: dict[str, Any] = {
            "to": to,
            "source": run.place.state(source) if source or whole else "",
            "whole": whole,
            "space": space,
            "here": run.place.instance if run.place.known else "",
            "strategies": by_kind(
                file=strategy, table=tables, application=applications, append_rows=append_rows, key=key
            ),
            "only_files": only_files,
            "message": message,
            "notify": notify,
        }
        if preview:
            task = run.finish(run.client.distribute_preview(**fields), True)
            write_preview(run, run.client.preview(task))
            return
        report(run, run.finish(run.client.distribute(**fields), wait))

    @app.command()
    def pull(
        context: Context,
        paths: Annotated[list[str] | None, Argument(help="What to pull; everything if left out.")] = None,
        source: Annotated[
            str,
            Option("--from", metavar="STATE", help="A state of Distributed, or of Master where permitted."),
        ] = "",
        instance: Instance = "",
        strategy: Strategy = None,
        append_rows: AppendRows = False,
        key: Key = None,
        only_files: OnlyFiles = False,
        preview: Annotated[
            bool, Option("--preview", help="Only show what would happen, object by object.")
        ] = False,
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Take objects from Distributed into your own state. Merges by default."""
        run = session(context)
        chosen = strategy or "merge"
        fields: dict[str, Any] = {
            "instance": run.place.state(instance),
            "source": run.place.state(source) if source else "",
            "paths": [run.place.path(path) for path in paths or ()],
            "strategies": by_kind(
                file=chosen, table=chosen, application=chosen, append_rows=append_rows, key=key
            ),
            "only_files": only_files,
        }
        if preview:
            task = run.finish(run.client.pull_preview(**fields), True)
            write_preview(run, run.client.preview(task))
            return
        report(run, run.finish(run.client.pull(**fields), wait))

    @app.command()
    def recall(
        context: Context,
        paths: Annotated[
            list[str] | None, Argument(help="What to recall, unless --distribution says it.")
        ] = None,
        distribution: Annotated[
            int | None, Option("--distribution", "-d", help="Recall what this one sent.")
        ] = None,
        scope: Annotated[
            Literal["others", "students", "all"], Option(help="From whose instances.")
        ] = "students",
        space: Annotated[str, Option("--space", help="The space.", autocompletion=completion.spaces)] = "",
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Delete distributed objects where nobody changed them."""
        run = session(context)
        task = run.client.recall(
            space=space or run.place.space,
            distribution=distribution,
            objects=[{"path": run.place.path(path)} for path in paths or ()],
            scope=scope,
        )
        report(run, run.finish(task, wait))

    distributions = app.group("distributions", help="Past distributions: list, show, retry.", acts_alone=True)

    @distributions.callback()
    def list_(
        context: Context,
        space: Annotated[str | None, Option("--space", autocompletion=completion.spaces)] = None,
        instance: Annotated[
            str | None, Option("--instance", "-i", autocompletion=completion.instances)
        ] = None,
        limit: Limit = 50,
        json: Json = False,
    ) -> None:
        """List past distributions, newest first; or show one, or deliver again."""
        run = session(context)
        if context.invoked_subcommand is not None:
            return
        target = run.place.state(instance) if instance else None
        found = run.client.distribution_list(space=space, instance=target, limit=limit)
        if run.output.struct(found):
            return
        rows = [
            (
                item.id,
                item.task.created_at,
                item.kind.value,
                item.source,
                item.task.state.value,
                item.task.counts,
                item.message,
            )
            for item in found
        ]
        run.output.table(("id", "when", "what", "from", "state", "targets", "message"), rows)

    @distributions.command()
    def show(
        context: Context,
        number: Annotated[int, Argument(metavar="ID")],
        target: Annotated[str, Option("--target", help="Every object of this target.")] = "",
        json: Json = False,
    ) -> None:
        """Show one with its deliveries. With --target: what it did to each object."""
        run = session(context)
        found = run.client.distribution_show(id=number)
        if not target:
            if not run.output.struct(found):
                _write_deliveries(run, found.deliveries)
            return
        wanted = target if "/" in target else f"{found.space}/{target}"
        for delivery in found.deliveries:
            if delivery.instance == wanted:
                detail = run.client.delivery_show(id=delivery.id)
                if not run.output.struct(detail):
                    _write_outcomes(run, detail.outcomes, everything=True)
                return
        raise BadParameter(f"{target!r} is no target of distribution {number}", param_hint="--target")

    @distributions.command()
    def retry(
        context: Context,
        number: Annotated[int, Argument(metavar="ID")],
        wait: Wait = True,
        json: Json = False,
    ) -> None:
        """Deliver again to the targets that failed or were cancelled."""
        run = session(context)
        report(run, run.finish(run.client.distribution_retry(id=number), wait))


def report(run: Session, task: Task) -> None:
    """Write what a distribution did, and end with the exit code for it."""
    if not run.output.struct(task) and task.state.finished and task.distribution is not None:
        found = run.client.distribution_show(id=task.distribution)
        if len(found.deliveries) == 1:
            detail = run.client.delivery_show(id=found.deliveries[0].id)
            _write_outcomes(run, detail.outcomes)
        _write_deliveries(run, found.deliveries)
    elif not run.json and task.state.finished and task.problem is None:
        run.output.line(f"{task.title}: {task.state.value}")
    run.leave(task)


def _write_deliveries(run: Session, deliveries: tuple[Task, ...]) -> None:
    rows = []
    for task in deliveries:
        problem = task.problem.message if task.problem else ""
        rows.append((task.instance, task.state.value, task.counts, task.backup, problem))
    run.output.table(("target", "state", "objects", "backup", "problem"), rows)


def _write_outcomes(run: Session, outcomes: Any, *, everything: bool = False) -> None:
    told = [item for item in outcomes if everything or item.outcome.value != "kept" or item.detail]
    shown = told if everything else told[:_SHOWN_OUTCOMES]
    if shown:
        run.output.table(_OUTCOME_COLUMNS, [_outcome_row(item) for item in shown])
    if len(told) > len(shown):
        run.output.note(
            f"{len(told) - len(shown)} more; `nuvo distributions show ID --target NAME` lists all."
        )


def _outcome_row(item: Any) -> tuple[str, ...]:
    return (item.outcome.value, item.path or ".", item.at, item.detail)


def write_preview(run: Session, preview: Preview) -> None:
    """Write what a preview found."""
    from nuvo_jupyter.clients import previewed

    if not run.output.struct(preview):
        # One table with the target in each row: it can be searched, piped and kept.
        run.output.table(previewed.COLUMNS, previewed.rows(preview))
