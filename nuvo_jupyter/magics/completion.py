"""What Tab offers behind the magics: paths, snapshots, instances."""

from __future__ import annotations

import os
import re
from keyword import iskeyword
from typing import TYPE_CHECKING

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from nuvo_jupyter.magics.application_magics import ACTIONS
from nuvo_jupyter.model.paths import from_name

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from nuvo_jupyter.clients.place import Place
    from nuvo_jupyter.magics.connection import Connection

_MAGICS = ("snapshot", "restore", "stage", "distribute", "pull", "tasks", "usage", "app", "export", "import")
# Spaces that part words, not those of a name (`week\\ 1`).
_SPACES = re.compile(r"(?<!\\)\s+")
_STRATEGIES = ("extra", "overwrite", "replace", "rename", "merge", "skip")


class Completer:
    """Completes the arguments of the magics."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._options: dict[str, list[str]] = {}
        self._variables: dict[str, object] = {}

    def register(self, shell: InteractiveShell) -> None:
        """Have IPython ask this completer."""
        self._variables = shell.user_ns
        for name in _MAGICS:
            parser = shell.find_line_magic(name).parser
            self._options[name] = sorted(
                option
                for action in parser._actions
                for option in action.option_strings
                if option.startswith("--")
            )

        @context_matcher(identifier="nuvo_jupyter")
        def nuvo_matcher(context: CompletionContext) -> SimpleMatcherResult:
            typed, found = self.complete(context.text_until_cursor)
            # Names of Python have no place behind these magics: other matchers are kept out.
            return {
                "completions": [SimpleCompletion(text, type="magic argument") for text in found],
                "matched_fragment": typed,
                "suppress": True,
            }

        shell.Completer.custom_matchers.append(nuvo_matcher)

    def complete(self, text: str) -> tuple[str, list[str]]:
        """The word before the cursor and what it can become, if the line calls one of the magics.

        Args:
            text: everything before the cursor.
        """
        line = text.rpartition("\n")[2].lstrip()
        words = [word for word in _SPACES.split(line) if word]
        magic = words[0].lstrip("%") if words else ""
        if magic not in _MAGICS or line == words[0]:
            return "", []
        if not line.startswith("%") and (
            magic in self._variables or iskeyword(magic) or words[1:2] == ["="]
        ):
            # Without its sign a magic gives way to a variable of the same name, and to Python's own words.
            return "", []
        typed = "" if _SPACES.search(line[-2:]) and line[-1].isspace() else words[-1]
        before = [word.replace("\\ ", " ") for word in (words[1:-1] if typed else words[1:])]
        # There is nowhere to tell an error while a name is being typed: nothing is offered instead.
        try:
            found = self._candidates(magic, typed, before)
        except Exception:
            return "", []
        return typed, [text for text in dict.fromkeys(found) if text.startswith(typed)]

    def _candidates(self, magic: str, typed: str, before: list[str]) -> list[str]:
        last = before[-1] if before else ""
        if typed.startswith("-"):
            return self._options.get(magic, [])
        if last in ("-s", "--strategy"):
            return list(_STRATEGIES)
        if last == "--before-risky":
            return ["on", "off"]
        with self._connection.place() as place:
            if last == "--to":
                return _targets(place, with_all=magic == "distribute")
            if last in ("--from", "--state"):
                return [*_snapshots(place, typed), *_targets(place, with_all=False)]
            positional = [word for word in before if not word.startswith("-")]
            if magic == "restore":
                return (
                    _snapshots(place, typed) if not positional else _in_snapshot(place, positional[0], typed)
                )
            if magic == "usage" or (magic == "export" and not positional):
                return _snapshots(place, typed)
            if magic == "app":
                return _of_app(place, positional, typed)
            if magic == "tasks":
                return _tasks(place) if positional else ["list", "show", "cancel"]
        return _files(typed) if magic in ("stage", "pull", "export", "import") else []


def _targets(place: Place, *, with_all: bool) -> list[str]:
    found = [item.reference for item in place.client.instance_list()]
    own = [name.partition("/")[2] for name in found if place.known and name.startswith(f"{place.space}/")]
    return [*(["all"] if with_all else []), *map(_quoted, [*own, *found])]


def _snapshots(place: Place, typed: str) -> list[str]:
    head, at, _ = typed.rpartition("@")
    if ":" in typed:
        reference, _, path = typed.partition(":")
        return [f"{reference}:{name}" for name in _listed(place, reference, path)]
    found = place.client.snapshot_list(instance=place.state(head) if head else place.instance, limit=200)
    names = [name for item in found for name in (item.name, str(item.number)) if name]
    return [f"{head}{at}{_quoted(name)}" for name in [*names, "latest"]]


def _in_snapshot(place: Place, reference: str, typed: str) -> list[str]:
    folder = typed.rpartition("/")[0]
    inside = place.path(folder or ".")
    prefix = f"{folder}/" if folder else ""
    return [
        prefix + name for name in _listed(place, reference, f"{inside}/" if inside else "", names_only=True)
    ]


def _listed(place: Place, reference: str, path: str, *, names_only: bool = False) -> list[str]:
    folder = path.rpartition("/")[0]
    state = place.snapshot(reference)
    entries = place.client.browse(state=f"{state}:{folder}" if folder else state)
    prefix = f"{folder}/" if folder and not names_only else ""
    return [_quoted(prefix + entry.name) for entry in entries]


def _files(typed: str) -> list[str]:
    folder = typed.rpartition("/")[0]
    found = []
    for entry in sorted(os.scandir(folder or "."), key=lambda entry: entry.name):
        if not entry.name.startswith(".") or typed.rpartition("/")[2].startswith("."):
            name = from_name(f"{folder}/{entry.name}" if folder else entry.name)
            found.append(_quoted(name) + ("/" if entry.is_dir() else ""))
    return found


def _of_app(place: Place, before: list[str], typed: str) -> list[str]:
    if not before:
        return list(ACTIONS)
    if before[0] == "compare" and len(before) > 1:
        return [*_snapshots(place, typed), *_targets(place, with_all=False)]
    if len(before) == 1 and before[0] not in ("list", "add"):
        return [_quoted(one.name) for one in place.client.application_list(instance=place.instance)]
    return []


def _quoted(name: str) -> str:
    return name.replace(" ", "\\ ")


def _tasks(place: Place) -> list[str]:
    return [str(task.id) for task in place.client.task_list(active=True)]
