"""Which instances take deliveries and snapshots."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Row

from nuvo_jupyter.model.errors import NotNow


def require_writable(row: Row[Any]) -> None:
    """Raise if nothing may be delivered into an instance.

    Raises:
        NotNow: it or its space is archived, or it is Distributed, which changes only by distribution to all and recall.
    """
    if row.archived or row.space_archived:
        raise NotNow(f"{row.space}/{row.name} is archived.", hint="Take it out of the archive first.")
    if row.kind == "distributed":
        raise NotNow(
            f"{row.space}/{row.name} changes only by distributing to all, and by recalling.",
            hint="Distribute to 'all', or restore into another instance.",
        )
