"""A database and the log beside it are one thing: DuckDB keeps what it has not yet written into ``NAME`` in ``NAME.wal``.

A process that was killed leaves the log. Beside another file of that name it is refused, and the database with it.
So a log goes where its database goes, and stays where that stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nuvo_jupyter.model.changes import Action, Change, Outcome
from nuvo_jupyter.model.nodes import Node, NodeKind, same

LOG = ".wal"

Plan = tuple[list[Change], list[Change]]


def with_logs(
    planned: Sequence[Change],
    changes: Sequence[Change],
    source: Mapping[str, Node],
    target: Mapping[str, Node],
) -> Plan:
    """A plan in which every log follows its database.

    Args:
        planned: the plan before its merges were resolved.
        changes: the plan, in the order of ``planned``.
        source: what is distributed, path text → node.
        target: the target's content, in the same form.

    Returns:
        Both, changed in the same places and with the same added at the end.
    """
    before, after = list(planned), list(changes)
    # Asked for by name, because a target may hold far more than what is distributed.
    logs = {
        path + LOG
        for path, node in source.items()
        if _is_file(node) and (path + LOG in target or path + LOG in source)
    }
    if not logs:
        return before, after
    concerned = logs | {log[: -len(LOG)] for log in logs}
    numbers = {change.path: number for number, change in enumerate(after) if change.path in concerned}
    for log in sorted(logs):
        of_database = numbers.get(log[: -len(LOG)])
        if of_database is None:
            continue
        number = numbers.get(log)
        old = None if number is None else after[number]
        new = _follow(log, after[of_database], old, source, target)
        if new is None:
            continue
        if number is None:
            before.append(new)
            after.append(new)
        else:
            before[number] = after[number] = new
    return before, after


def _follow(
    log: str, database: Change, old: Change | None, source: Mapping[str, Node], target: Mapping[str, Node]
) -> Change | None:
    """What becomes of a log, where that is not what the plan says already."""
    wanted, there = source.get(log), target.get(log)
    if (there is not None and not _is_file(there)) or (wanted is not None and not _is_file(wanted)):
        return None
    if database.action is Action.REMOVE or same(target.get(database.path), source[database.path]):
        # Any log of the same database fits.
        return None
    if database.action is Action.PUT and database.at == database.path:
        return _with_it(log, wanted, there, old, database)
    if wanted is None or old is None:
        return None
    if database.action is Action.PUT:
        at = database.at + LOG
        if at not in target and at not in source:
            return Change(
                log, database.outcome, Action.PUT, at, wanted, detail=database.detail, kind=database.kind
            )
    detail = "It belongs to another version of the database than the one that is here."
    return Change(log, Outcome.KEPT, Action.KEEP, log, expected=there, detail=detail, kind=database.kind)


def _with_it(
    log: str, wanted: Node | None, there: Node | None, old: Change | None, database: Change
) -> Change | None:
    """The database is put in its place: so is its log, and another one goes."""
    if wanted is not None:
        if same(there, wanted) or (old is not None and old.action is Action.PUT and old.at == log):
            return None
        outcome = Outcome.CREATED if there is None else Outcome.REPLACED
        return Change(log, outcome, Action.PUT, log, wanted, expected=there, kind=database.kind)
    if there is None or (old is not None and old.action is Action.REMOVE):
        return None
    detail = "It belonged to the database that was replaced."
    return Change(log, Outcome.DELETED, Action.REMOVE, log, expected=there, detail=detail, kind=database.kind)


def _is_file(node: Node | None) -> bool:
    return node is not None and node.kind is NodeKind.FILE
