"""The merge contract for whole states: files, tables and applications, each with the strategy of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from blake3 import blake3

from nuvo_jupyter.merge.plan import plan
from nuvo_jupyter.model.changes import Action, Change, ObjectKind, Outcome, Strategies, Strategy
from nuvo_jupyter.model.nodes import Node, NodeKind, same
from nuvo_jupyter.model.objects import APPLICATIONS, application_of, kind_of
from nuvo_jupyter.model.paths import is_inside, parent

_FOLDER, _LINK = NodeKind.FOLDER, NodeKind.LINK
_FILES, _TABLES, _APPLICATIONS = ObjectKind.FILE, ObjectKind.TABLE, ObjectKind.APPLICATION

Nodes = Mapping[str, Node]

_EXACT = frozenset({Strategy.OVERWRITE, Strategy.REPLACE})
"""Strategies after which the target has what is distributed, whatever it had: there, anything that differs counts."""
_BESIDES = ("/app.json", "/settings/", "/logos/")
"""What of an application differs from machine to machine, or by taste, while it installs and starts the same."""


def plan_kinds(
    source: Nodes,
    target: Nodes,
    base: Nodes,
    *,
    strategies: Strategies,
    objects: Sequence[str] | None,
    label: str,
) -> list[Change]:
    """What distributing ``source`` to ``target`` changes, as :func:`nuvo_jupyter.merge.plan.plan`.

    Args:
        strategies: one for each kind of object; ``skip`` leaves a kind out.
        objects: staged paths of any kind; ``None`` for the whole state.
    """
    if not (_has_others(source) or _has_others(target)) or (
        objects is not None and not any(map(_concerns, objects))
    ):
        return plan(source, target, base, strategy=strategies.file, objects=objects, label=label)
    asked = None if objects is None or "" in objects else list(objects)
    changes: list[Change] = []
    for kind, strategy in (
        (_FILES, strategies.file),
        (_TABLES, strategies.table),
        (_APPLICATIONS, strategies.application),
    ):
        if strategy is not Strategy.SKIP:
            rows = kind is _TABLES and strategies.append_rows
            changes += _of_kind(kind, source, target, base, strategy, asked, label, rows)
    return _in_order(_settled(changes, target))


def _of_kind(
    kind: ObjectKind,
    source: Nodes,
    target: Nodes,
    base: Nodes,
    strategy: Strategy,
    objects: list[str] | None,
    label: str,
    again: bool,
) -> list[Change]:
    mine = [_of(kind, nodes, source) for nodes in (source, target, base)]
    if kind is _APPLICATIONS:
        whole = [_collapse(nodes, exact=strategy in _EXACT) for nodes in mine]
    else:
        whole = mine
    wanted = None if objects is None else _asked(kind, objects, whole[0])
    if wanted == []:
        return []
    planned = plan(*whole, strategy=strategy, objects=wanted, label=label, again=again)
    if kind is _APPLICATIONS:
        planned = _expand(planned, mine[0], mine[1])
    if kind is _FILES:
        return planned
    return [msgspec.structs.replace(change, kind=kind) for change in planned if _is_of(kind, change)]


def _has_others(nodes: Nodes) -> bool:
    return "tables" in nodes or ".nuvo" in nodes


def _concerns(path: str) -> bool:
    """Whether a staged path can hold, or be, a table or an application."""
    return (
        path in ("", ".nuvo", APPLICATIONS, "tables")
        or is_inside(path, "tables")
        or is_inside(path, APPLICATIONS)
    )


def _of(kind: ObjectKind, nodes: Nodes, source: Nodes) -> dict[str, Node]:
    """The nodes of one kind, with the folders on the way to the source's; :func:`_settled` sees what is in their way."""
    found = {path: node for path, node in nodes.items() if kind_of(path) is kind}
    if kind is not _FILES:
        ways = _folders_of([*found, *(path for path in source if kind_of(path) is kind)])
        found.update((path, nodes[path]) for path in ways if path in nodes and nodes[path].kind is _FOLDER)
    return found


def _asked(kind: ObjectKind, objects: Iterable[str], whole: Nodes) -> list[str]:
    """The staged paths that concern a kind: its own objects, there or missing, and folders that hold some."""
    wanted: dict[str, None] = {}
    for path in objects:
        own = kind_of(path)
        if own is _APPLICATIONS:
            if kind is _APPLICATIONS:
                wanted[application_of(path)] = None
        elif own is kind or (own is _FILES and path in whole):
            wanted[path] = None
    return list(wanted)


def _collapse(nodes: Nodes, *, exact: bool) -> dict[str, Node]:
    """Each application as one object; a link, since those are never merged.

    Args:
        exact: it differs when anything in it does; else when its lock, its wheels or the start of its kernel do.
    """
    inside: dict[str, list[tuple[str, Node]]] = {}
    whole: dict[str, Node] = {}
    for path, node in nodes.items():
        folder = application_of(path)
        if not folder:
            whole[path] = node
        elif path == folder and node.kind is not _FOLDER:
            # Somebody put a file there: no application, but something in the way.
            whole[path] = node
        elif path != folder:
            inside.setdefault(folder, []).append((path[len(folder) :], node))
        else:
            inside.setdefault(folder, [])
    for folder, held in inside.items():
        digest = blake3()
        for below, node in sorted(held, key=lambda item: item[0]):
            if not exact and (below.startswith(_BESIDES) or node.kind is _FOLDER):
                continue
            digest.update(msgspec.msgpack.encode((below, node.kind, node.size, node.content, node.link)))
        whole[folder] = Node(_LINK, link=digest.hexdigest())
    return whole


def _expand(planned: Iterable[Change], source: Nodes, target: Nodes) -> list[Change]:
    """Changes of applications as changes of what is in them."""
    changes: list[Change] = []
    for change in planned:
        folder = application_of(change.path)
        if not folder or change.path != folder:
            changes.append(change)
        elif change.action is Action.REMOVE:
            changes += _removed(change, folder, target)
        elif change.action is Action.PUT:
            changes += _put(change, folder, source, target)
        else:
            changes.append(msgspec.structs.replace(change, expected=target.get(change.at)))
    return changes


def _removed(change: Change, folder: str, target: Nodes) -> list[Change]:
    inside = [path for path in target if is_inside(path, folder)]
    return [
        Change(path, Outcome.DELETED, Action.REMOVE, path, expected=target[path], detail=change.detail)
        for path in sorted(inside, reverse=True)
    ]


def _put(change: Change, folder: str, source: Nodes, target: Nodes) -> list[Change]:
    """Put a whole application at ``change.at``: what it no longer holds goes, the rest is put where it differs."""
    changes: list[Change] = []
    wanted = {path: node for path, node in source.items() if is_inside(path, folder)}
    there = {path: node for path, node in target.items() if is_inside(path, change.at)}
    places = {change.at + path[len(folder) :]: node for path, node in wanted.items()}
    for path in sorted(there, reverse=True):
        new = places.get(path)
        if new is None or (new.kind is _FOLDER) != (there[path].kind is _FOLDER):
            changes.append(
                Change(path, Outcome.DELETED, Action.REMOVE, path, expected=there[path], detail=change.detail)
            )
    removed = {removal.path for removal in changes}
    for path in sorted(wanted):
        node = wanted[path]
        at = change.at + path[len(folder) :]
        known = None if at in removed else there.get(at)
        if same(known, node):
            if node.kind is not _FOLDER:
                changes.append(Change(path, Outcome.KEPT, Action.KEEP, at, expected=known))
            continue
        outcome = change.outcome
        if outcome is Outcome.REPLACED and known is None:
            outcome = Outcome.CREATED
        changes.append(Change(path, outcome, Action.PUT, at, node, expected=known, detail=change.detail))
    return changes


def _is_of(kind: ObjectKind, change: Change) -> bool:
    """Not the folders on the way that stay as they are for files to decide on, unless they are new."""
    return kind_of(change.path) is kind or change.action is Action.PUT


def _settled(changes: Sequence[Change], target: Nodes) -> list[Change]:
    """Settle what the plans of several kinds mean for the folders that hold objects of all of them.

    What stays in a folder keeps it; what cannot be put because of it, or of something in its own way, is a conflict.
    """
    removed = {change.at for change in changes if change.action is Action.REMOVE}
    keeping = _folders_of(path for path in target if path not in removed)
    blocking = {path for path, node in target.items() if node.kind is not _FOLDER and path not in removed}
    made: set[str] = set()
    settled: list[Change] = []
    for change in changes:
        if change.action is Action.REMOVE and change.at in keeping:
            continue
        if change.action is Action.PUT and change.node is not None:
            is_folder = change.node.kind is _FOLDER
            if not is_folder and change.at in keeping:
                settled.append(
                    _conflict(change, target.get(change.at), f"{change.at!r} keeps other objects here.")
                )
                continue
            way = next((folder for folder in _folders_of([change.at]) if folder in blocking), None)
            if way is not None:
                if not is_folder:
                    settled.append(_conflict(change, target.get(change.at), f"{way!r} is no folder here."))
                continue
            if is_folder and (change.at in made or (change.at in blocking and change.expected is None)):
                continue
            if is_folder:
                made.add(change.at)
        settled.append(change)
    return settled


def _conflict(change: Change, there: Node | None, why: str) -> Change:
    detail = f"It was not created: {why}"
    return Change(
        change.path,
        Outcome.CONFLICT,
        Action.KEEP,
        change.path,
        expected=there,
        detail=detail,
        kind=change.kind,
    )


def _folders_of(paths: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for path in paths:
        folder = parent(path)
        while folder and folder not in folders:
            folders.add(folder)
            folder = parent(folder)
    return folders


def _in_order(changes: Sequence[Change]) -> list[Change]:
    """Removals first, children before their folder; then the rest, folders before their children."""
    removals = [change for change in changes if change.action is Action.REMOVE]
    rest = [change for change in changes if change.action is not Action.REMOVE]
    return sorted(removals, key=lambda change: change.at, reverse=True) + rest
