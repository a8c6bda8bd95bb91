"""People, the roles they hold, and their requests for access."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now

# Asked with every call: built once.
_PERSON = sa.select(t.person).where(t.person.c.username == sa.bindparam("of_name"))
_ROLES = sa.select(t.role_grant.c.scope, t.role_grant.c.scope_id, t.role_grant.c.role).where(
    t.role_grant.c.person_id == sa.bindparam("of_id")
)


def find_person(connection: Connection, username: str) -> Row[Any] | None:
    """The person with this user name."""
    return connection.execute(_PERSON, {"of_name": username}).first()


def ensure_person(
    connection: Connection, username: str, name: str = "", email: str = "", *, correct: bool = False
) -> int:
    """Id of the person with this user name, made or completed if need be.

    Args:
        name, email: fill what is not known yet.
        correct: they also take the place of what is known.
    """
    row = find_person(connection, username)
    if row is None:
        done = connection.execute(
            sa.insert(t.person).values(username=username, name=name, email=email, created_at=now(connection))
        )
        return int(done.inserted_primary_key[0])  # type: ignore[index]
    known = {
        key: value
        for key, value in (("name", name), ("email", email))
        if value and getattr(row, key) != value and (correct or not getattr(row, key))
    }
    if known:
        connection.execute(sa.update(t.person).where(t.person.c.id == row.id).values(**known))
    return int(row.id)


def grant(connection: Connection, person_id: int, scope: str, scope_id: int, role: str, by: str) -> None:
    """Give a person a role, in place of the one they hold there."""
    revoke(connection, person_id, scope, scope_id)
    connection.execute(
        sa.insert(t.role_grant).values(
            person_id=person_id,
            scope=scope,
            scope_id=scope_id,
            role=role,
            granted_at=now(connection),
            granted_by=by,
        )
    )


def revoke(connection: Connection, person_id: int, scope: str, scope_id: int) -> bool:
    """Take a person's role away; whether they held one."""
    held = t.role_grant.c
    done = connection.execute(
        sa.delete(t.role_grant).where(
            held.person_id == person_id, held.scope == scope, held.scope_id == scope_id
        )
    )
    return done.rowcount > 0


def roles_of(connection: Connection, person_id: int) -> dict[tuple[str, int], str]:
    """Every role a person holds: (scope, id there) → role."""
    rows = connection.execute(_ROLES, {"of_id": person_id})
    return {(row.scope, row.scope_id): row.role for row in rows}


def holders(connection: Connection, scope: str, scope_ids: list[int] | None = None) -> list[Row[Any]]:
    """Who holds which role in a scope: rows of scope_id, role, username, name, email, person_id."""
    query = (
        sa.select(
            t.role_grant.c.scope_id,
            t.role_grant.c.role,
            t.person.c.id.label("person_id"),
            t.person.c.username,
            t.person.c.name,
            t.person.c.email,
        )
        .join(t.person, t.person.c.id == t.role_grant.c.person_id)
        .where(t.role_grant.c.scope == scope)
        .order_by(t.role_grant.c.scope_id, t.person.c.username)
    )
    if scope_ids is not None:
        query = query.where(t.role_grant.c.scope_id.in_(scope_ids))
    return list(connection.execute(query))


def ask_access(connection: Connection, person_id: int, instance_id: int, message: str) -> None:
    """Note a request for access, in place of an earlier one."""
    asked = t.access_request.c
    connection.execute(
        sa.delete(t.access_request).where(asked.person_id == person_id, asked.instance_id == instance_id)
    )
    connection.execute(
        sa.insert(t.access_request).values(
            person_id=person_id, instance_id=instance_id, message=message, created_at=now(connection)
        )
    )


def settle_access(connection: Connection, person_id: int, instance_id: int) -> None:
    """Forget a request for access once it was answered."""
    asked = t.access_request.c
    connection.execute(
        sa.delete(t.access_request).where(asked.person_id == person_id, asked.instance_id == instance_id)
    )


def access_requests(connection: Connection, space_id: int) -> list[Row[Any]]:
    """Open requests for access to a space's instances, oldest first."""
    return list(
        connection.execute(
            sa.select(
                t.person.c.username,
                t.person.c.name,
                t.person.c.email,
                t.instance.c.name.label("instance"),
                t.access_request.c.message,
                t.access_request.c.created_at,
            )
            .join(t.person, t.person.c.id == t.access_request.c.person_id)
            .join(t.instance, t.instance.c.id == t.access_request.c.instance_id)
            .where(t.instance.c.space_id == space_id)
            .order_by(t.access_request.c.created_at)
        )
    )
