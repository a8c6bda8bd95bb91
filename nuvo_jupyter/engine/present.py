"""Rows of the catalog as the structs that faces show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Row

from nuvo_jupyter.model.roles import Role
from nuvo_jupyter.model.snapshots import Reason, Snapshot
from nuvo_jupyter.model.spaces import Instance, InstanceKind, Member, Person, Space, SpaceKind, Visibility

_FIRST, _LAST = (
    datetime(1, 1, 1, tzinfo=UTC).timestamp(),
    datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp(),
)


def moment(seconds: float) -> datetime:
    """A catalog time (seconds since 1970 UTC) as an aware datetime."""
    # Files can carry times that no calendar holds.
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC)


def optional_moment(seconds: float | None) -> datetime | None:
    """As :func:`moment`, for columns that may be NULL."""
    return None if seconds is None else moment(seconds)


def space(row: Row[Any], instances: int, rights: tuple[str, ...]) -> Space:
    """A space's row, with what the caller sees of it and may do."""
    return Space(
        id=row.id,
        organization=row.organization,
        name=row.name,
        kind=SpaceKind(row.kind),
        description=row.description,
        visibility=Visibility(row.visibility),
        timezone=row.timezone,
        template=row.template,
        pull_from_master=row.pull_from_master,
        archived=row.archived,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        instances=instances,
        rights=rights,
        deleted_at=optional_moment(row.deleted_at),
    )


def member(row: Row[Any], instance: str | None = None) -> Member:
    """A row of ``catalog.people.holders``."""
    return Member(Person(row.username, row.name, row.email), Role(row.role), instance)


def instance(row: Row[Any], people: tuple[Member, ...], rights: tuple[str, ...], snapshots: int) -> Instance:
    """An instance's row, with its people, what the caller may do, and how many snapshots it has."""
    return Instance(
        id=row.id,
        space=row.space,
        name=row.name,
        kind=InstanceKind(row.kind),
        reference=f"{row.space}/{row.name}",
        description=row.description,
        state_description=row.state_description,
        final=row.final,
        workspace=row.workspace,
        archived=row.archived,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        snapshots=snapshots,
        people=people,
        rights=rights,
        deleted_at=optional_moment(row.deleted_at),
    )


def snapshot(row: Row[Any], reference: str) -> Snapshot:
    """A snapshot's row; ``reference`` is its instance's."""
    return Snapshot(
        number=row.number,
        reference=f"{reference}@{row.number}",
        instance=reference,
        id=row.manifest.hex(),
        name=row.name,
        description=row.description,
        reason=Reason(row.reason),
        files=row.files,
        size=row.size,
        excluded=row.excluded,
        inconsistent=row.inconsistent,
        created_at=moment(row.created_at),
        created_by=row.created_by,
        deleted_at=optional_moment(row.deleted_at),
    )
