"""What a plan changes about applications: package by package, and what a person should read first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from nuvo_jupyter.model.applications import ApplicationChange, ApplicationComparison
from nuvo_jupyter.model.changes import Action, Change, ObjectKind, Outcome
from nuvo_jupyter.model.errors import ApplicationDamaged, EnvironmentFailed, NotFound
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.model.objects import APPLICATIONS, application_of, name_of

Read = Callable[[Node], bytes]
_Key = tuple[tuple[str, Any, Any], ...]

_KEPT = 256


class ApplicationChanges:
    """Compares what targets have with what they get; most targets have the same and get the same.

    Args:
        home: Nuvo's, in which uv may work.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[tuple[str, _Key, _Key], ApplicationComparison] = {}

    def of(
        self, before: Mapping[str, Node], changes: Iterable[Change], read: Read
    ) -> tuple[ApplicationChange, ...]:
        """The applications that a plan changes, by name.

        Args:
            before: the target's content, path text → node.
            changes: the plan; nothing of it was applied.
            read: gives the content of a node of the target or of what it gets.
        """
        by_folder: dict[str, list[Change]] = {}
        for change in changes:
            folder = application_of(change.at) if change.kind is ObjectKind.APPLICATION else ""
            if folder and folder != f"{APPLICATIONS}/" and change.action in (Action.PUT, Action.REMOVE):
                by_folder.setdefault(folder, []).append(change)
        if not by_folder:
            return ()
        there: dict[str, dict[str, Node]] = {folder: {} for folder in by_folder}
        for path, node in before.items():
            if path.startswith(APPLICATIONS) and (folder := application_of(path)) in there and path != folder:
                there[folder][path[len(folder) + 1 :]] = node
        return tuple(
            self._change(name_of(folder), folder, there[folder], by_folder[folder], read)
            for folder in sorted(by_folder)
        )

    def _change(
        self, name: str, folder: str, before: dict[str, Node], changes: list[Change], read: Read
    ) -> ApplicationChange:
        after = dict(before)
        for change in changes:
            inside = change.at[len(folder) + 1 :]
            if change.action is Action.REMOVE:
                after.pop(inside, None)
            elif inside and change.node is not None:
                after[inside] = change.node
        key = (name, _key(before), _key(after))
        found = self._known.get(key)
        if found is None:
            found = self._compare(name, before, after, read)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = found
        return ApplicationChange(name=name, outcome=_outcome(before, after, changes), comparison=found)

    def _compare(
        self, name: str, before: dict[str, Node], after: dict[str, Node], read: Read
    ) -> ApplicationComparison:
        from nuvo_jupyter.workspace.applications import definition
        from nuvo_jupyter.workspace.applications.compare import compare
        from nuvo_jupyter.workspace.applications.lent import lent
        from nuvo_jupyter.workspace.applications.realise import at_hand

        try:
            with ExitStack() as stack:
                old, new = (
                    stack.enter_context(lent(name, nodes, read)) if nodes else None
                    for nodes in (before, after)
                )
                here, damage = None, ""
                if new is not None:
                    here = at_hand(definition.read(new).definition.python, self._home).python
                if old is not None:
                    try:
                        definition.read(old)
                    except ApplicationDamaged as error:
                        # What is lost by replacing it cannot be told; what it gets can.
                        old, damage = None, f"What is there cannot be read: {error.message}"
                found = compare(old, new, here)
                if damage:
                    found = msgspec.structs.replace(found, warnings=(damage, *found.warnings))
                return found
        except (ApplicationDamaged, EnvironmentFailed, NotFound) as error:
            return ApplicationComparison(warnings=(error.message,))
        except OSError as error:
            return ApplicationComparison(warnings=(f"It could not be compared: {error}",))


def _outcome(before: Mapping[str, Node], after: Mapping[str, Node], changes: list[Change]) -> Outcome:
    if not after:
        return Outcome.DELETED
    return Outcome.REPLACED if before else changes[0].outcome


def _key(nodes: Mapping[str, Node]) -> _Key:
    return tuple(sorted((path, node.kind, node.content) for path, node in nodes.items()))
