"""Workspaces as a source of what the store has lost: much of it still lies there unchanged."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.take import rules_for
from nuvo_jupyter.model.errors import WorkspaceUnavailable
from nuvo_jupyter.store.salvage import Give, Picker
from nuvo_jupyter.workspace.capture import capture
from nuvo_jupyter.workspace.safe import Root


def workspaces(context: Context, cancelled: Callable[[], bool] | None = None) -> Give:
    """The current states of all instances, read completely; folders count as well as files."""

    def give(picker: Picker) -> None:
        with context.catalog.read() as connection:
            rows = connection.execute(
                sa.select(t.instance.c.id, t.instance.c.workspace).where(t.instance.c.deleted_at.is_(None))
            ).all()
        for id_, workspace in rows:
            if picker.wanted <= picker.picked:
                return
            try:
                with Root(workspace) as root:
                    rules = rules_for(context, id_, root.path)
                    capture(root, rules=rules, writer=picker, cancelled=cancelled)
            except WorkspaceUnavailable:
                continue

    return give
