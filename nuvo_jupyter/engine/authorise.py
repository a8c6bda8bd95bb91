"""Whether a caller may do something, and the refusal that says which role is missing and who grants it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog.people import find_person, holders, roles_of
from nuvo_jupyter.catalog.spaces import spaces_of_instances
from nuvo_jupyter.model.errors import NotFound, Refused
from nuvo_jupyter.model.roles import Need, Role, Scope, Standing, granter, rights


class Access:
    """The roles of one caller, read once per call.

    Args:
        connection: to read them with.
        username: the caller's.
        organization_id: of the organization served.
    """

    def __init__(self, connection: Connection, username: str, organization_id: int) -> None:
        self.username = username
        self.organization_id = organization_id
        person = find_person(connection, username)
        self.person_id: int | None = None if person is None else person.id
        self._roles = {} if person is None else roles_of(connection, person.id)
        self._connection = connection
        self._edited: set[int] | None = None
        self._worked_in: set[int] | None = None

    def organization(self) -> frozenset[Need]:
        """What the caller may do in the organization."""
        return rights(Standing(organization=self._organization_role()))

    def space(self, space_id: int) -> frozenset[Need]:
        """What the caller may do in a space."""
        return rights(Standing(organization=self._organization_role(), admin=self._is_admin(space_id)))

    def instance(self, row: Row[Any]) -> frozenset[Need]:
        """What the caller may do with an instance (a row with id, space_id and kind)."""
        held = self._roles.get((Scope.INSTANCE, row.id))
        distributed = row.kind == "distributed"
        return rights(
            Standing(
                organization=self._organization_role(),
                admin=self._is_admin(row.space_id),
                instance=Role(held) if held else None,
                distributed=distributed,
                edits_in_space=distributed and self._edits_in(row.space_id),
            )
        )

    def sees_space(self, row: Row[Any]) -> bool:
        """Whether the caller may know that a space exists: a role in it, or its visibility."""
        met = self.space(row.id)
        if Need.ADMIN in met:
            return True
        if row.visibility == "public" and Need.MEMBER in met:
            return True
        if row.visibility == "faculty" and Need.FACULTY in met:
            return True
        return row.id in self._spaces_with_role()

    def require_in_space(self, row: Row[Any], need: Need) -> None:
        """Raise unless the caller meets ``need`` in a space.

        Raises:
            NotFound: the caller may not even know that it exists.
            Refused: they may, but lack the role.
        """
        if not self.sees_space(row):
            raise NotFound(
                f"There is no space {row.name!r}.", hint="List what you can see with `nuvo space list`."
            )
        if need not in self.space(row.id):
            raise self.refusal(need, f"the space {row.name!r}", self._admins(row.id))

    def require_instance(self, row: Row[Any], need: Need, what: str = "") -> None:
        """Raise unless the caller meets ``need`` on an instance.

        Args:
            what: the purpose, completing "to …", for the message.

        Raises:
            NotFound: the caller has no role in its space and the space is not visible to them.
            Refused: they lack the role.
        """
        met = self.instance(row)
        if not self.sees_space_of(row):
            raise NotFound(
                f"There is no space {row.space!r}.", hint="List what you can see with `nuvo space list`."
            )
        if need not in met:
            raise self.refusal(need, f"{row.space}/{row.name}", self._admins(row.space_id), what)

    def require_organization(self, need: Need) -> None:
        """Raise unless the caller meets ``need`` in the organization.

        Raises:
            Refused: they lack the role.
        """
        if need not in self.organization():
            managers = [
                h.username
                for h in holders(self._connection, Scope.ORGANIZATION, [self.organization_id])
                if h.role == Role.MANAGER
            ]
            raise self.refusal(need, "the organization", managers)

    def refusal(self, need: Need, where: str, who: list[str], what: str = "") -> Refused:
        """The error that names the missing role and who can grant it."""
        purpose = f" to {what}" if what else ""
        people = f" ({', '.join(who[:5])})" if who else ""
        return Refused(
            f"{self.username} needs the role {need.value}{purpose} in {where}.",
            hint=f"Ask {granter(need)}{people} to grant it.",
        )

    def sees_space_of(self, row: Row[Any]) -> bool:
        """Whether the caller may know that an instance's space exists."""
        met = self.space(row.space_id)
        if Need.ADMIN in met or row.space_id in self._spaces_with_role():
            return True
        needed = {"public": Need.MEMBER, "faculty": Need.FACULTY}.get(row.visibility)
        return needed is not None and needed in met

    def administered(self) -> set[int] | None:
        """Ids of the spaces the caller administers; ``None`` for all of them."""
        if self._organization_role() is Role.MANAGER:
            return None
        return {
            scope_id
            for (scope, scope_id), role in self._roles.items()
            if scope == Scope.SPACE and role == Role.ADMIN
        }

    def edited(self) -> set[int]:
        """Ids of the instances the caller is editor of by a role in the instance itself."""
        return {
            scope_id
            for (scope, scope_id), role in self._roles.items()
            if scope == Scope.INSTANCE and role == Role.EDITOR
        }

    def _organization_role(self) -> Role | None:
        held = self._roles.get((Scope.ORGANIZATION, self.organization_id))
        return Role(held) if held else None

    def _is_admin(self, space_id: int) -> bool:
        return self._roles.get((Scope.SPACE, space_id)) == Role.ADMIN

    def _spaces_with_role(self) -> set[int]:
        found = {scope_id for (scope, scope_id) in self._roles if scope == Scope.SPACE}
        if self._worked_in is None:
            mine = {scope_id for (scope, scope_id) in self._roles if scope == Scope.INSTANCE}
            self._worked_in = spaces_of_instances(self._connection, mine) if mine else set()
        return found | self._worked_in

    def _edits_in(self, space_id: int) -> bool:
        if self._edited is None:
            mine = self.edited()
            self._edited = spaces_of_instances(self._connection, mine) if mine else set()
        return space_id in self._edited

    def _admins(self, space_id: int) -> list[str]:
        return [holder.username for holder in holders(self._connection, Scope.SPACE, [space_id])]
