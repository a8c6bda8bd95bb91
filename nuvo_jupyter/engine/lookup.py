"""Find what a reference names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.spaces import find_instances, find_spaces, get_instance, list_instances
from nuvo_jupyter.model.errors import Gone, InvalidReference, NotFound
from nuvo_jupyter.model.reference import LATEST, Reference, parse_reference, parse_time

RECOVERABLE_SECONDS = 24 * 3600
"""How long something deleted can be brought back (DESIGN, facts on the system followed)."""


def find_space(connection: Connection, text: str, *, deleted: bool = False) -> Row[Any]:
    """The space named ``[org/]space``.

    Raises:
        NotFound, Gone, InvalidReference
    """
    organization, slash, name = text.rpartition("/")
    if not name or organization.count("/"):
        raise InvalidReference(f"{text!r} is not the name of a space.", hint="Spaces are named [org/]space.")
    rows = find_spaces(connection, name, organization if slash else None)
    if not rows:
        raise NotFound(f"There is no space {text!r}.", hint="List what you can see with `nuvo space list`.")
    return _living(rows, deleted, f"space {text!r}")


def find_instance(connection: Connection, reference: Reference, *, deleted: bool = False) -> Row[Any]:
    """The instance a reference names; without a space, the only one with that name anywhere.

    Raises:
        NotFound, Gone, InvalidReference
    """
    if reference.space is not None:
        prefix = f"{reference.organization}/" if reference.organization else ""
        space = find_space(connection, prefix + reference.space)
        rows = find_instances(connection, space.id, reference.instance)
        if not rows:
            raise NotFound(
                f"The space {space.name!r} has no instance {reference.instance!r}.",
                hint=f"List them with `nuvo instance list {space.name}`.",
            )
        return _living(rows, deleted, f"instance {reference.space}/{reference.instance}")
    every = [row for row in list_instances(connection, deleted=deleted) if row.name == reference.instance]
    if not every:
        raise NotFound(
            f"There is no instance {reference.instance!r}.", hint="List them with `nuvo instance list`."
        )
    if len({row.space_id for row in every}) > 1:
        spaces = ", ".join(sorted({row.space for row in every}))
        raise InvalidReference(
            f"{reference.instance!r} could be in several spaces: {spaces}.", hint="Write space/instance."
        )
    return _living(every, deleted, f"instance {reference.instance!r}")


def find_snapshot(
    connection: Connection, instance: Row[Any], text: str, *, deleted: bool = False
) -> Row[Any]:
    """The snapshot of an instance by number, name, ``latest`` or time (the last one not after it).

    A time without a zone is read in the space's zone.

    Raises:
        NotFound, Gone
    """
    c = t.snapshot.c
    query = sa.select(t.snapshot).where(c.instance_id == instance.id)
    living = query if deleted else query.where(c.deleted_at.is_(None))
    label = f"{instance.space}/{instance.name}"
    if text == LATEST:
        row = connection.execute(living.order_by(c.number.desc()).limit(1)).first()
        if row is None:
            raise NotFound(
                f"{label} has no snapshot yet.", hint="Take one with %snapshot or `nuvo snapshot`."
            )
        return row
    if text.isdigit():
        rows = list(connection.execute(query.where(c.number == int(text)))) if int(text) < 2**31 else []
    elif (time := parse_time(text)) is not None:
        moment = time.replace(tzinfo=time.tzinfo or ZoneInfo(instance.timezone)).timestamp()
        rows = list(
            connection.execute(living.where(c.created_at <= moment).order_by(c.number.desc()).limit(1))
        )
        if not rows:
            raise NotFound(f"{label} has no snapshot from {text} or before.")
    else:
        rows = list(
            connection.execute(query.where(c.name == text).order_by(c.deleted_at.is_not(None), c.id.desc()))
        )
    if not rows:
        raise NotFound(f"{label} has no snapshot {text!r}.", hint=f"List them with `nuvo snapshots {label}`.")
    return _living(rows, deleted, f"snapshot {label}@{text}")


def parse_state(text: str) -> Reference:
    """A reference to a state, from a request."""
    return parse_reference(text)


def instance_of(connection: Connection, text: str, *, deleted: bool = False) -> Row[Any]:
    """The instance that a request names as ``[[org/]space/]instance``.

    Raises:
        InvalidReference: it names a snapshot or path besides.
    """
    reference = parse_reference(text)
    if reference.path or not reference.is_current:
        raise InvalidReference(f"{text!r} names more than an instance.", hint="Leave '@…' and ':…' out here.")
    return find_instance(connection, reference, deleted=deleted)


def instance_by_id(connection: Connection, instance_id: int) -> Row[Any]:
    """One instance by id."""
    return get_instance(connection, instance_id)


def _living(rows: list[Row[Any]], deleted: bool, what: str) -> Row[Any]:
    row = rows[0]
    if row.deleted_at is None or deleted:
        return row
    until = datetime.fromtimestamp(row.deleted_at + RECOVERABLE_SECONDS, UTC)
    if until < datetime.now(UTC):
        raise NotFound(f"The {what} was deleted.")
    raise Gone(
        f"The {what} was deleted.",
        hint=f"It can be recovered until {until:%Y-%m-%d %H:%M} UTC by an admin of the space.",
    )
