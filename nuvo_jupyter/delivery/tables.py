"""Tables are changed in their turn: no writer's transaction is cut in two, and readers see all of a delivery or nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from nuvo_jupyter.model.changes import Action, Change, ObjectKind, Outcome
from nuvo_jupyter.model.errors import NuvoError
from nuvo_jupyter.model.objects import TABLES
from nuvo_jupyter.workspace.safe import Root
from nuvo_jupyter.workspace.tables.lock import publishing, writing

WhileVisible = Callable[[], AbstractContextManager[None]] | None


@contextlib.contextmanager
def in_turn(root: Root, changes: Sequence[Change]) -> Iterator[tuple[Sequence[Change], WhileVisible]]:
    """Keep other writers of a workspace's tables waiting while a plan that changes some is applied.

    Args:
        root: the opened workspace.
        changes: the plan.

    Returns:
        The plan, and what is to be held while its changes become visible. Where the tables cannot be had, the plan
        is without them: they fail, and everything else goes on.
    """
    folder = Path(root.path) / TABLES
    if not any(_concerns(change) for change in changes) or folder.is_symlink() or not folder.is_dir():
        # Tables that come into a workspace without any appear as a whole folder; a link of that name is not followed.
        yield changes, None
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(writing(folder))
        except NuvoError as error:
            yield (
                [_failed(change, error.message) if _concerns(change) else change for change in changes],
                None,
            )
            return
        yield changes, lambda: publishing(folder)


def _concerns(change: Change) -> bool:
    return change.kind is ObjectKind.TABLE and change.action is not Action.KEEP


def _failed(change: Change, why: str) -> Change:
    return msgspec.structs.replace(change, action=Action.KEEP, outcome=Outcome.FAILED, detail=why)
