"""Organizations, spaces and instances: find, make, change."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now
from nuvo_jupyter.model.spaces import RECOVERABLE_SECONDS


def ensure_organization(connection: Connection, name: str) -> int:
    """Id of the organization with this name, made if need be."""
    found = connection.execute(sa.select(t.organization.c.id).where(t.organization.c.name == name)).scalar()
    if found is not None:
        return int(found)
    done = connection.execute(sa.insert(t.organization).values(name=name, created_at=now(connection)))
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def _spaces() -> sa.Select[Any]:
    return sa.select(t.space, t.organization.c.name.label("organization")).join(
        t.organization, t.organization.c.id == t.space.c.organization_id
    )


def list_spaces(connection: Connection, *, deleted: bool = False) -> list[Row[Any]]:
    """All spaces by name, each with its organization's name.

    Args:
        deleted: with those that were deleted and can still be recovered.
    """
    query = _spaces().order_by(t.space.c.name)
    return list(connection.execute(query.where(_there(connection, t.space.c.deleted_at, deleted))))


def spaces_of_instances(connection: Connection, instance_ids: Collection[int]) -> set[int]:
    """Ids of the spaces that hold these instances; deleted instances and spaces do not count."""
    query = (
        sa.select(t.instance.c.space_id)
        .join(t.space, t.space.c.id == t.instance.c.space_id)
        .where(
            t.instance.c.id.in_(instance_ids),
            t.instance.c.deleted_at.is_(None),
            t.space.c.deleted_at.is_(None),
        )
    )
    return set(connection.scalars(query))


def _there(
    connection: Connection, deleted_at: sa.ColumnElement[Any], deleted: bool
) -> sa.ColumnElement[bool]:
    living = deleted_at.is_(None)
    return living | (deleted_at > now(connection) - RECOVERABLE_SECONDS) if deleted else living


def find_spaces(connection: Connection, name: str, organization: str | None = None) -> list[Row[Any]]:
    """Spaces with this name, the living one first, then deleted ones, the latest first."""
    values = {"of_name": name}
    if organization is not None:
        values["of_organization"] = organization
    return list(connection.execute(_named_space(organization is not None), values))


# Asked with every call: built once.
@functools.cache
def _named_space(in_organization: bool) -> sa.Select[Any]:
    query = _spaces().where(t.space.c.name == sa.bindparam("of_name"))
    if in_organization:
        query = query.where(t.organization.c.name == sa.bindparam("of_organization"))
    return query.order_by(t.space.c.deleted_at.is_not(None), t.space.c.deleted_at.desc())


def get_space(connection: Connection, space_id: int) -> Row[Any]:
    """One space by id."""
    return connection.execute(_spaces().where(t.space.c.id == space_id)).one()


def add_space(connection: Connection, **values: Any) -> int:
    """Insert a space."""
    done = connection.execute(sa.insert(t.space).values(created_at=now(connection), **values))
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def change_space(connection: Connection, space_id: int, **values: Any) -> None:
    """Update a space."""
    connection.execute(sa.update(t.space).where(t.space.c.id == space_id).values(**values))


def _instances() -> sa.Select[Any]:
    return sa.select(
        t.instance,
        t.space.c.name.label("space"),
        t.space.c.organization_id,
        t.space.c.visibility,
        t.space.c.timezone,
        t.space.c.pull_from_master,
        t.space.c.deleted_at.label("space_deleted_at"),
        t.space.c.archived.label("space_archived"),
    ).join(t.space, t.space.c.id == t.instance.c.space_id)


def list_instances(
    connection: Connection,
    space_id: int | None = None,
    *,
    deleted: bool = False,
    of_deleted_space: bool = False,
    name: str | None = None,
) -> list[Row[Any]]:
    """Instances of one space or of all: Master, Distributed, then the others by name.

    Args:
        deleted: with those that were deleted and can still be recovered.
        of_deleted_space: also where the space itself is deleted.
        name: only those called so.
    """
    query = _instances()
    if name is not None:
        query = query.where(t.instance.c.name == name)
    if not of_deleted_space:
        query = query.where(t.space.c.deleted_at.is_(None))
    if space_id is not None:
        query = query.where(t.instance.c.space_id == space_id)
    query = query.where(_there(connection, t.instance.c.deleted_at, deleted))
    order = sa.case({"master": 0, "distributed": 1}, value=t.instance.c.kind, else_=2)
    return list(connection.execute(query.order_by(t.space.c.name, order, t.instance.c.name)))


def find_instances(connection: Connection, space_id: int, name: str) -> list[Row[Any]]:
    """Instances of a space with this name, the living one first, then deleted ones, the latest first."""
    return list(connection.execute(_named_instance(), {"of_space": space_id, "of_name": name}))


@functools.cache
def _named_instance() -> sa.Select[Any]:
    query = _instances().where(
        t.instance.c.space_id == sa.bindparam("of_space"), t.instance.c.name == sa.bindparam("of_name")
    )
    return query.order_by(t.instance.c.deleted_at.is_not(None), t.instance.c.deleted_at.desc())


def get_instance(connection: Connection, instance_id: int) -> Row[Any]:
    """One instance by id."""
    return connection.execute(_one_instance(), {"of_id": instance_id}).one()


@functools.cache
def _one_instance() -> sa.Select[Any]:
    return _instances().where(t.instance.c.id == sa.bindparam("of_id"))


def get_instances(connection: Connection, instance_ids: list[int]) -> list[Row[Any]]:
    """Several instances by id."""
    return list(connection.execute(_instances().where(t.instance.c.id.in_(instance_ids))))


def of_kind(connection: Connection, space_id: int, kind: str) -> Row[Any]:
    """A space's Master or Distributed."""
    query = _instances().where(t.instance.c.space_id == space_id, t.instance.c.kind == kind)
    return connection.execute(query).one()


def workspaces(connection: Connection, overlapping: str = "") -> list[Row[Any]]:
    """Every folder that belongs to an instance that is not deleted: id, workspace, name, space, visibility.

    Args:
        overlapping: only those that are this absolute folder, hold it or lie in it. Asked for each instance of a
            large class in one transaction, so the database does the comparing.
    """
    query = (
        sa.select(
            t.instance.c.id,
            t.instance.c.space_id,
            t.instance.c.workspace,
            t.instance.c.name,
            t.space.c.name.label("space"),
            t.space.c.visibility,
        )
        .join(t.space, t.space.c.id == t.instance.c.space_id)
        .where(t.instance.c.deleted_at.is_(None), t.space.c.deleted_at.is_(None))
    )
    if overlapping:
        inside = overlapping + "/"
        above = [overlapping, *map(str, PurePosixPath(overlapping).parents)]
        query = query.where(
            sa.or_(
                t.instance.c.workspace.in_(above),
                sa.func.substr(t.instance.c.workspace, 1, len(inside)) == inside,
            )
        )
    return list(connection.execute(query))


def workspaces_inside(connection: Connection, folder: str, instance_id: int) -> list[str]:
    """The folders of other instances that lie inside an absolute folder."""
    inside = folder.rstrip("/") + "/"
    if connection.dialect.name == "sqlite":
        # "0" follows "/": a range of the index, however many instances there are.
        values = {"first": inside, "behind": inside[:-1] + "0", "itself": instance_id}
        return list(connection.scalars(_INSIDE, values))
    # There the order of text is the database's own.
    prefix = sa.func.substr(t.instance.c.workspace, 1, len(inside)) == inside
    return list(connection.scalars(_OTHERS.where(prefix), {"itself": instance_id}))


_OTHERS = sa.select(t.instance.c.workspace).where(
    t.instance.c.id != sa.bindparam("itself"), t.instance.c.deleted_at.is_(None)
)
_INSIDE = _OTHERS.where(
    t.instance.c.workspace >= sa.bindparam("first"), t.instance.c.workspace < sa.bindparam("behind")
)


def add_instance(connection: Connection, **values: Any) -> int:
    """Insert an instance."""
    done = connection.execute(sa.insert(t.instance).values(created_at=now(connection), **values))
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def change_instance(connection: Connection, instance_id: int, **values: Any) -> None:
    """Update an instance."""
    connection.execute(sa.update(t.instance).where(t.instance.c.id == instance_id).values(**values))
