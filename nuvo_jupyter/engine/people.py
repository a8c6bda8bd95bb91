"""Roles and requests for access."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from nuvo_jupyter.catalog import people as catalog
from nuvo_jupyter.catalog.spaces import list_instances
from nuvo_jupyter.engine import present
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.lookup import find_space, instance_of
from nuvo_jupyter.model.errors import InvalidInput, NotFound, NotNow
from nuvo_jupyter.model.reference import check_name
from nuvo_jupyter.model.requests import AccessAsk, MemberList, OfSpace, RoleGrant, RoleRevoke
from nuvo_jupyter.model.roles import ROLES_OF, Need, Role, Scope
from nuvo_jupyter.model.spaces import AccessRequest, Member, Person
from nuvo_jupyter.model.status import Empty


def member_list(call: Call, _request: MemberList) -> tuple[Member, ...]:
    """Roles in a space and its instances (admins: all; others: admins and people of their own instances), or in the organization."""
    with call.read() as connection:
        access = call.access(connection)
        if call.space is None:
            access.require_organization(Need.MEMBER)
            rows = catalog.holders(connection, Scope.ORGANIZATION, [call.organization_id])
            return tuple(present.member(row) for row in rows)
        found = [present.member(row) for row in catalog.holders(connection, Scope.SPACE, [call.space.id])]
        names = {
            row.id: row.name
            for row in list_instances(connection, call.space.id)
            if Need.EDITOR in access.instance(row)
        }
        held = catalog.holders(connection, Scope.INSTANCE, list(names))
        return (*found, *(present.member(row, names[row.scope_id]) for row in held))


def role_grant(call: Call, request: RoleGrant) -> Member:
    """Give somebody a role in the organization, a space or an instance.

    Raises:
        InvalidInput: the role does not exist there.
        Refused: granting needs manager of the organization, or admin of the space.
    """
    username = check_name(request.username, "user name")
    with call.write() as connection:
        scope, scope_id, instance = _scope(call, connection, request.space, request.instance)
        if request.role not in ROLES_OF[scope]:
            roles = ", ".join(role.value for role in ROLES_OF[scope])
            others = " or ".join(
                f"{'a' if other is Scope.SPACE else 'an'} {other.value}"
                for other in Scope
                if request.role in ROLES_OF[other]
            )
            raise InvalidInput(
                f"{request.role.value!r} is no role in this {scope.value}.",
                hint=f"Choose one of: {roles}; {request.role.value} is a role in {others}.",
            )
        _keep_a_manager(call, connection, scope, username, request.role)
        created = catalog.find_person(connection, username) is None
        person_id = _person(call, connection, Person(username, request.name, request.email))
        _join_organization(call, connection, person_id)
        catalog.grant(connection, person_id, scope, scope_id, request.role, call.who)
        if scope is Scope.INSTANCE:
            catalog.settle_access(connection, person_id, scope_id)
        person = catalog.find_person(connection, username)
        assert person is not None
        return Member(Person(person.username, person.name, person.email), request.role, instance, created)


def role_revoke(call: Call, request: RoleRevoke) -> Empty:
    """Take somebody's role away.

    Raises:
        NotFound: they hold none there.
        NotNow: it is the organization's last manager.
    """
    with call.write() as connection:
        scope, scope_id, _instance = _scope(call, connection, request.space, request.instance)
        _keep_a_manager(call, connection, scope, request.username, None)
        person = catalog.find_person(connection, request.username)
        if person is None or not catalog.revoke(connection, person.id, scope, scope_id):
            raise NotFound(f"{request.username!r} holds no role in this {scope.value}.")
        return Empty()


def access_ask(call: Call, request: AccessAsk) -> Empty:
    """Ask the admins of its space for access to an instance; whoever can see the space may ask."""
    assert call.instance is not None
    with call.write() as connection:
        person_id = catalog.ensure_person(connection, call.who)
        catalog.ask_access(connection, person_id, call.instance.id, request.message)
        return Empty()


def access_list(call: Call, _request: OfSpace) -> tuple[AccessRequest, ...]:
    """Open requests for access to a space's instances, oldest first."""
    assert call.space is not None
    with call.read() as connection:
        return tuple(
            AccessRequest(
                Person(row.username, row.name, row.email),
                row.instance,
                row.message,
                present.moment(row.created_at),
            )
            for row in catalog.access_requests(connection, call.space.id)
        )


def invite(call: Call, connection: Connection, instance_id: int, people: list[Person]) -> None:
    """Make people editors of an instance and members of the organization."""
    for person in people:
        person_id = _person(call, connection, person)
        _join_organization(call, connection, person_id)
        catalog.grant(connection, person_id, Scope.INSTANCE, instance_id, Role.EDITOR, call.who)


def _person(call: Call, connection: Connection, person: Person) -> int:
    # People are known to the whole organization: who administers one space completes what is known of them, but
    # must not redirect their mail.
    correct = Need.MANAGER in call.access(connection).organization()
    return catalog.ensure_person(connection, person.username, person.name, person.email, correct=correct)


def _join_organization(call: Call, connection: Connection, person_id: int) -> None:
    if (Scope.ORGANIZATION, call.organization_id) not in catalog.roles_of(connection, person_id):
        catalog.grant(connection, person_id, Scope.ORGANIZATION, call.organization_id, Role.MEMBER, call.who)


def _scope(
    call: Call, connection: Connection, space: str | None, instance: str | None
) -> tuple[Scope, int, str | None]:
    access = call.access(connection)
    if instance:
        # Of a space given besides, so that both cannot name different things.
        found = instance_of(connection, access, f"{space}/{instance}" if space else instance)
        access.require_instance(found, Need.ADMIN, "change roles")
        call.concerns(found)
        return Scope.INSTANCE, found.id, found.name
    if space:
        call.space = find_space(connection, access, space)
        access.require_in_space(call.space, Need.ADMIN)
        return Scope.SPACE, call.space.id, None
    access.require_organization(Need.MANAGER)
    return Scope.ORGANIZATION, call.organization_id, None


def _keep_a_manager(
    call: Call, connection: Connection, scope: Scope, username: str, role: Role | None
) -> None:
    if scope is not Scope.ORGANIZATION or role is Role.MANAGER:
        return
    managers = {
        row.username
        for row in catalog.holders(connection, Scope.ORGANIZATION, [call.organization_id])
        if row.role == Role.MANAGER
    }
    if managers == {username}:
        raise NotNow(
            f"{username} is the only manager of the organization.", hint="Make somebody else a manager first."
        )
