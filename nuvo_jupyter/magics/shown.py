"""Responses as results: which columns show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuvo_jupyter.clients import previewed
from nuvo_jupyter.clients.errors import rebuild
from nuvo_jupyter.magics.results import Result

if TYPE_CHECKING:
    from nuvo_jupyter.clients.methods import Client
    from nuvo_jupyter.model.changes import ObjectOutcome
    from nuvo_jupyter.model.growth import Usage
    from nuvo_jupyter.model.snapshots import Snapshot
    from nuvo_jupyter.model.tasks import Preview, Stage, Task

OUTCOME_COLUMNS = ("outcome", "object", "at", "detail")


def snapshot(found: Snapshot, note: str = "") -> Result:
    """A snapshot just taken."""
    name = f" “{found.name}”" if found.name else ""
    notes = [f"{found.files:,} {'file' if found.files == 1 else 'files'}, {found.size:,} bytes"]
    if found.excluded:
        notes.append(f"{found.excluded} left out")
    if found.inconsistent:
        notes.append(f"{found.inconsistent} kept changing while they were read")
    return Result(found, f"Snapshot {found.reference}{name}: {'; '.join(notes)}", note=note)


def usage(found: Usage, by: str = "snapshot") -> Result:
    """What each snapshot, path or table of an instance needs of the store."""
    instances = [one for space in found.spaces for one in space.instances]
    title = "; ".join(
        f"{one.instance} needs {one.held:,} bytes, {one.alone:,} of them alone" for one in instances
    )
    if found.frees is not None:
        title += f"; {found.frees.size:,} bytes would be free without {', '.join(found.frees.states)}"
    if any(one.paths for one in instances) or by != "snapshot":
        paths = [item for one in instances for item in one.paths if by != "table" or item.kind == "table"]
        by_path = [
            (
                item.name,
                item.kind.value,
                item.snapshots,
                item.versions,
                f"{item.held:,}",
                f"{item.alone:,}",
                "" if item.frees is None else f"{item.frees:,}",
            )
            for item in paths
        ]
        columns = ("what", "kind", "snapshots", "versions", "holds", "alone", "free without its snapshots")
        return Result(found, title, columns, by_path)
    rows = [
        (item.reference, item.name, item.created_at, f"{item.held:,}", f"{item.alone:,}")
        for one in instances
        for item in one.details
    ]
    return Result(found, title, ("snapshot", "name", "taken", "holds", "alone"), rows)


def stage(found: Stage) -> Result:
    """The stage."""
    title = f"Staged of {found.state}" if found.objects else "Nothing is staged"
    return Result(
        found, title, ("kind", "object"), [(item.kind.value, item.path or ".") for item in found.objects]
    )


def tasks(found: tuple[Task, ...]) -> Result:
    """A list of tasks."""
    rows = [
        (
            task.id,
            task.created_at,
            task.state.value,
            f"{task.done}/{task.total}" if task.total else "",
            task.problem.message if task.problem else task.counts or task.snapshot or "",
            task.title,
        )
        for task in found
    ]
    return Result(
        found, "Tasks" if found else "No tasks", ("id", "when", "state", "progress", "result", "title"), rows
    )


def preview(found: Preview) -> Result:
    """What a distribution or a restore would do."""
    count = f"{len(found.targets)} {'target' if len(found.targets) == 1 else 'targets'}"
    title = f"{found.task.title}: what would happen to {count}"
    return Result(found, title, previewed.COLUMNS, previewed.rows(found))


def distribution(client: Client, task: Task) -> Result:
    """What became of a distribution: each object for one target, each target for several.

    Raises:
        NuvoError: the only delivery failed.
    """
    if task.distribution is None:
        return Result(task, f"{task.title}: {task.state.value}")
    found = client.distribution_show(id=task.distribution)
    if len(found.deliveries) == 1:
        only = found.deliveries[0]
        if only.problem is not None:
            raise rebuild(only.problem)
        detail = client.delivery_show(id=only.id)
        title = f"{task.title}: {task.state.value}"
        if kept := only.counts.get("kept", 0):
            title += f"; {kept} kept as {'it was' if kept == 1 else 'they were'}"
        if only.backup:
            title += f"; backup: {only.backup}"
        return Result(found, title, OUTCOME_COLUMNS, _outcomes(detail.outcomes))
    rows = [
        (
            item.instance,
            item.state.value,
            item.counts,
            item.backup,
            item.problem.message if item.problem else "",
        )
        for item in found.deliveries
    ]
    states: dict[str, int] = {}
    for item in found.deliveries:
        states[item.state.value] = states.get(item.state.value, 0) + 1
    told = ", ".join(f"{count} {state}" for state, count in states.items())
    columns = ("target", "state", "objects", "backup", "problem")
    return Result(found, f"{task.title}: {told or task.state.value}", columns, rows)


def _outcomes(outcomes: tuple[ObjectOutcome, ...]) -> list[tuple[str, ...]]:
    return [
        (item.outcome.value, item.path or ".", item.at, item.detail)
        for item in outcomes
        if item.outcome.value != "kept" or item.detail
    ]
