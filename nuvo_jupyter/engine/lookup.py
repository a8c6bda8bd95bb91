"""Find what a reference names. What the caller may not know of is as if it did not exist, to the letter."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from shlex import quote
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.roots import GONE
from nuvo_jupyter.catalog.spaces import find_instances, find_spaces, list_instances
from nuvo_jupyter.engine.authorise import Access
from nuvo_jupyter.model.errors import Gone, InvalidReference, NotFound
from nuvo_jupyter.model.reference import LATEST, Reference, parse_reference, parse_time
from nuvo_jupyter.model.spaces import RECOVERABLE_SECONDS, InstanceKind


def find_space(connection: Connection, access: Access, text: str, *, deleted: bool = False) -> Row[Any]:
    """The space named ``[org/]space``.

    Args:
        deleted: a deleted one is looked for, to be recovered.

    Raises:
        NotFound, Gone, InvalidReference
    """
    organization, slash, name = text.rpartition("/")
    if not name or organization.count("/"):
        raise InvalidReference(f"{text!r} is not the name of a space.", hint="Spaces are named [org/]space.")
    rows = find_spaces(connection, name, organization if slash else None)
    rows = [row for row in rows if access.sees_space(row)]
    if not rows:
        raise NotFound(f"There is no space {text!r}.", hint="List what you can see with `nuvo space list`.")
    return _choose(rows, deleted, f"space {text!r}")


def find_instance(
    connection: Connection, access: Access, reference: Reference, *, deleted: bool = False
) -> Row[Any]:
    """The instance a reference names; without a space, the only one with that name the caller may know of.

    Raises:
        NotFound, Gone, InvalidReference
    """
    if reference.space is not None:
        prefix = f"{reference.organization}/" if reference.organization else ""
        space = find_space(connection, access, prefix + reference.space)
        rows = find_instances(connection, space.id, reference.instance)
        if not rows:
            raise NotFound(
                f"The space {space.name!r} has no instance {reference.instance!r}.",
                hint=f"List them with `nuvo instance list {quote(space.name)}`.",
            )
        return _choose(rows, deleted, f"instance {reference.space}/{reference.instance}")
    every = [
        row
        for row in list_instances(connection, deleted=deleted, name=reference.instance)
        if access.sees_space_of(row)
    ]
    if not every:
        raise NotFound(
            f"There is no instance {reference.instance!r}.", hint="List them with `nuvo instance list`."
        )
    if len({row.space_id for row in every}) > 1:
        spaces = ", ".join(sorted({row.space for row in every}))
        raise InvalidReference(
            f"{reference.instance!r} could be in several spaces: {spaces}.", hint="Write space/instance."
        )
    return _choose(every, deleted, f"instance {reference.instance!r}")


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
            if instance.kind == InstanceKind.DISTRIBUTED:
                raise NotFound(
                    f"Nothing has been distributed to all of {instance.space} yet.",
                    hint="An instructor does so with %distribute --to all, or `nuvo distribute --to all`.",
                )
            raise NotFound(
                f"{label} has no snapshot yet.", hint="Take one with %snapshot or `nuvo snapshot`."
            )
        return _choose([row], deleted, f"snapshot {label}@{row.number}")
    if text.isdecimal():
        number = int(text) if len(text) < 10 else 0
        rows = list(connection.execute(query.where(c.number == number)))
    elif (at := parse_time(text)) is not None:
        moment = at.replace(tzinfo=at.tzinfo or ZoneInfo(instance.timezone)).timestamp()
        rows = list(
            connection.execute(
                living.where(c.created_at <= moment).order_by(c.created_at.desc(), c.number.desc()).limit(1)
            )
        )
        if not rows:
            raise NotFound(f"{label} has no snapshot from {text} or before.")
    else:
        rows = list(
            connection.execute(query.where(c.name == text).order_by(c.deleted_at.is_not(None), c.id.desc()))
        )
    if not rows:
        raise NotFound(
            f"{label} has no snapshot {text!r}.", hint=f"List them with `nuvo snapshots {quote(label)}`."
        )
    return _choose(rows, deleted, f"snapshot {label}@{text}")


def parse_state(text: str) -> Reference:
    """A reference to a state, from a request."""
    return parse_reference(text)


def parse_whole_state(text: str) -> Reference:
    """A reference to a whole state, where nothing can be done with a part of it.

    Raises:
        InvalidReference: it names a path besides; what is asked for would be done to all of the state.
    """
    reference = parse_reference(text)
    if reference.path:
        raise InvalidReference(
            f"{text!r} names a path, and this is about the whole state.", hint="Leave ':…' out here."
        )
    return reference


def instance_of(connection: Connection, access: Access, text: str, *, deleted: bool = False) -> Row[Any]:
    """The instance that a request names as ``[[org/]space/]instance``.

    Raises:
        InvalidReference: it names a snapshot or path besides.
    """
    reference = parse_reference(text)
    if reference.path or not reference.is_current:
        raise InvalidReference(f"{text!r} names more than an instance.", hint="Leave '@…' and ':…' out here.")
    return find_instance(connection, access, reference, deleted=deleted)


def _choose(rows: list[Row[Any]], deleted: bool, what: str) -> Row[Any]:
    """Of things with one name, which differ in when they were deleted: the living one, or the one to recover."""
    living = [row for row in rows if row.deleted_at is None]
    gone = sorted((row for row in rows if row.deleted_at is not None), key=lambda row: -float(row.deleted_at))
    recoverable = [row for row in gone if row.deleted_at + RECOVERABLE_SECONDS > time.time()]
    first, second = (recoverable, living) if deleted else (living, [])
    if first or second:
        return (first or second)[0]
    if not recoverable:
        raise NotFound(
            f"The {what} was deleted more than 24 hours ago.", hint="It cannot be recovered any more."
        )
    until = datetime.fromtimestamp(recoverable[0].deleted_at + RECOVERABLE_SECONDS, UTC)
    raise Gone(f"The {what} was deleted.", hint=f"It can be recovered until {until:%Y-%m-%d %H:%M} UTC.")


def still_recoverable(connection: Connection, table: sa.Table, row: Row[Any], what: str) -> None:
    """Check again, in the transaction that brings something back, that its content has not been collected.

    Raises:
        NotFound: it has.
    """
    if connection.scalar(sa.select(table.c.deleted_at).where(table.c.id == row.id)) == GONE:
        raise NotFound(f"The {what} has been collected.", hint="It cannot be recovered any more.")


def state_text(connection: Connection, instance_id: int, snapshot_id: int | None) -> str:
    """The reference of a state by its ids; without a snapshot's, of the current state."""
    query = (
        sa.select(t.space.c.name.label("space"), t.instance.c.name)
        .join(t.space, t.space.c.id == t.instance.c.space_id)
        .where(t.instance.c.id == instance_id)
    )
    row = connection.execute(query).one()
    number = connection.scalar(sa.select(t.snapshot.c.number).where(t.snapshot.c.id == snapshot_id))
    return f"{row.space}/{row.name}" + (f"@{number}" if number is not None else "")
