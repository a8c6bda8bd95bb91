"""Who is calling, in embedded mode: the user of the operating system."""

from __future__ import annotations

import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.catalog.people import ensure_person, grant, roles_of
from nuvo_jupyter.catalog.spaces import ensure_organization
from nuvo_jupyter.engine.settings import operating_system_user
from nuvo_jupyter.model.errors import Refused
from nuvo_jupyter.model.roles import Role, Scope

ACTING_ALLOWED = "acting_allowed"
"""Setting that marks a home as one of the demo or a test, where acting as another user exists."""


def owner(catalog: Catalog, organization: str) -> tuple[str, int]:
    """The operating system's user, who manages the organization, and the organization's id.

    Both are made on first use, so that a fresh home needs no set-up.
    """
    user = operating_system_user()
    with catalog.read() as connection:
        organization_id = connection.execute(
            sa.select(t.organization.c.id).where(t.organization.c.name == organization)
        ).scalar()
        person_id = connection.execute(sa.select(t.person.c.id).where(t.person.c.username == user)).scalar()
        if organization_id is not None and person_id is not None:
            roles = roles_of(connection, person_id)
            if roles.get((Scope.ORGANIZATION, organization_id)) == Role.MANAGER:
                return user, int(organization_id)
    with catalog.write() as connection:
        organization_id = ensure_organization(connection, organization)
        person_id = ensure_person(connection, user)
        grant(connection, person_id, Scope.ORGANIZATION, organization_id, Role.MANAGER, user)
    return user, int(organization_id)


def allow_acting(catalog: Catalog) -> None:
    """Mark this home as one of the demo or a test: callers may act as other users."""
    with catalog.write() as connection:
        connection.execute(sa.delete(t.setting).where(t.setting.c.key == ACTING_ALLOWED))
        connection.execute(sa.insert(t.setting).values(key=ACTING_ALLOWED, value="yes"))


def check_acting(catalog: Catalog, username: str) -> str:
    """Return the user name to act as.

    Raises:
        Refused: this home is neither the demo's nor a test's.
    """
    with catalog.read() as connection:
        allowed = connection.execute(
            sa.select(t.setting.c.value).where(t.setting.c.key == ACTING_ALLOWED)
        ).scalar()
    if allowed != "yes":
        raise Refused(
            f"Acting as {username!r} is for the demo and tests only; this home is neither's.",
            hint="Unset NUVO_ACTING_USER (c.Nuvo.acting_user).",
        )
    return username
