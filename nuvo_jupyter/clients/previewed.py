"""A preview as rows of a table, the same in a terminal and in a notebook: applications are one row each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nuvo_jupyter.model.applications import in_words
from nuvo_jupyter.model.changes import ObjectKind, Outcome
from nuvo_jupyter.model.objects import name_of

if TYPE_CHECKING:
    from nuvo_jupyter.model.tasks import Preview, TargetPreview

COLUMNS = ("target", "outcome", "object", "at", "detail")
WARNING = "warning"
_IN_THE_WAY = (Outcome.CONFLICT, Outcome.FAILED)

Row = tuple[str, str, str, str, str]


def rows(preview: Preview) -> list[Row]:
    """What would happen, object by object; what stays as it is is not told, except where a whole target does."""
    return [row for target in preview.targets for row in _rows(target)]


def _rows(target: TargetPreview) -> Iterator[Row]:
    if target.problem is not None:
        yield target.instance, "failed", "", "", target.problem.message
        return
    told = {change.name for change in target.applications}
    nothing = True
    for item in target.outcomes:
        whole = item.kind is ObjectKind.APPLICATION and name_of(item.at or item.path) in told
        if (item.outcome is Outcome.KEPT and not item.detail) or (whole and item.outcome not in _IN_THE_WAY):
            continue
        nothing = False
        yield target.instance, item.outcome.value, item.path or ".", item.at, item.detail
    for change in target.applications:
        nothing = False
        name = f"application {change.name}"
        yield target.instance, change.outcome.value, name, "", in_words(change.comparison)
        for warning in change.comparison.warnings:
            yield target.instance, WARNING, name, "", warning
    if nothing:
        yield target.instance, "kept", "", "", "Nothing would change."
