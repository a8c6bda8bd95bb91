"""The targets of a distribution, from the names in a request."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.spaces import list_instances
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.engine.lookup import find_instance, instance_of
from nuvo_jupyter.engine.writable import require_writable
from nuvo_jupyter.model.errors import InvalidInput, NotFound, NotNow, SameState
from nuvo_jupyter.model.reference import Reference, parse_reference
from nuvo_jupyter.model.roles import Need

ALL = "all"
_FEW = 4
"""Targets that are looked up one by one; of more, all instances of the space are read at once."""


def find_targets(
    connection: Connection, access: Access, names: tuple[str, ...], space: Row[Any], source: Row[Any]
) -> tuple[list[Row[Any]], Row[Any] | None]:
    """The target instances, authorised, each once; and Distributed, if everything goes through it.

    Args:
        names: instance names or references, or ``all``: every instance of the space but Master, Distributed,
            the source and archived ones.

    Raises:
        InvalidInput: no target, or ``all`` beside others.
        SameState: a target is the source itself.
        NotFound, Refused, NotNow: of one of the targets; nothing is queued then.
    """
    if not names:
        raise InvalidInput("No target was named.", hint="Name instances, or 'all'.")
    if ALL in names:
        if len(names) > 1:
            raise InvalidInput(
                "'all' already holds every other target.", hint="Name either 'all' or instances."
            )
        return _all(connection, access, space, source)
    found: dict[int, Row[Any]] = {}
    known: dict[str, Row[Any]] = {}
    if len(names) > _FEW:
        known = {row.name: row for row in list_instances(connection, space.id)}
    for name in names:
        row = known.get(name) or _find(connection, access, name, space)
        if row.id == source.id:
            raise SameState(
                f"{row.space}/{row.name} is the source itself.",
                hint="Leave it out of the targets; to get files back, restore.",
            )
        access.require_instance(row, Need.EDITOR, "distribute into it")
        require_writable(row)
        found[row.id] = row
    return list(found.values()), None


def _all(
    connection: Connection, access: Access, space: Row[Any], source: Row[Any]
) -> tuple[list[Row[Any]], Row[Any] | None]:
    access.require_in_space(space, Need.ADMIN)
    rows = list_instances(connection, space.id)
    distributed = next(row for row in rows if row.kind == "distributed")
    if space.archived:
        raise NotNow(f"The space {space.name!r} is archived.", hint="Take it out of the archive first.")
    through = None if source.id == distributed.id else distributed
    others = [
        row for row in rows if row.kind in ("personal", "group") and row.id != source.id and not row.archived
    ]
    if through is None and not others:
        raise NotFound(
            f"The space {space.name!r} has no other instances.", hint="Add people with `nuvo roster add`."
        )
    return ([through] if through is not None else []) + others, through


def _find(connection: Connection, access: Access, name: str, space: Row[Any]) -> Row[Any]:
    reference = parse_reference(name)
    if reference.space is None and reference.is_current and not reference.path:
        return find_instance(
            connection, access, Reference(reference.instance, space.name, space.organization)
        )
    return instance_of(connection, access, name)
