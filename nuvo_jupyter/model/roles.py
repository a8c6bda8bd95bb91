"""Roles, and the pure decision whether they suffice."""

from __future__ import annotations

import enum

import msgspec


class Role(enum.StrEnum):
    """What a person may do, in an organization, a space or an instance."""

    # organization
    MANAGER = "manager"
    FACULTY = "faculty"
    MEMBER = "member"
    # space
    ADMIN = "admin"
    # instance
    EDITOR = "editor"
    VIEWER = "viewer"
    OBSERVER = "observer"


class Scope(enum.StrEnum):
    """Where a role is held."""

    ORGANIZATION = "organization"
    SPACE = "space"
    INSTANCE = "instance"


ROLES_OF: dict[Scope, tuple[Role, ...]] = {
    Scope.ORGANIZATION: (Role.MANAGER, Role.FACULTY, Role.MEMBER),
    Scope.SPACE: (Role.ADMIN,),
    Scope.INSTANCE: (Role.EDITOR, Role.VIEWER, Role.OBSERVER),
}
"""Each scope's roles, the strongest first; a stronger role includes the weaker ones."""


class Need(enum.StrEnum):
    """What an operation requires of its caller."""

    ANYONE = "anyone"
    MEMBER = "organization member"
    FACULTY = "organization faculty"
    MANAGER = "organization manager"
    ADMIN = "space admin"
    EDITOR = "instance editor"
    VIEWER = "instance viewer"
    OBSERVER = "instance observer"


class Standing(msgspec.Struct, frozen=True):
    """The roles of one person that bear on one subject.

    Args:
        organization: role in the organization; ``None`` for strangers.
        admin: whether they are admin of the space concerned.
        instance: role in the instance concerned, if one is concerned.
        edits_in_space: whether they are editor of any instance of the space.
        distributed: whether the instance concerned is the space's distributed instance.
    """

    organization: Role | None = None
    admin: bool = False
    instance: Role | None = None
    edits_in_space: bool = False
    distributed: bool = False


def rights(standing: Standing) -> frozenset[Need]:
    """Every need that ``standing`` meets (DESIGN, section 2).

    A manager administers every space of the organization; a space admin is editor of all its instances;
    every editor of any instance of a space is a viewer of its distributed instance.
    """
    met = {Need.ANYONE}
    organization = ROLES_OF[Scope.ORGANIZATION]
    if standing.organization is not None:
        rank = organization.index(standing.organization)
        met.update((Need.MANAGER, Need.FACULTY, Need.MEMBER)[rank:])
    admin = standing.admin or standing.organization is Role.MANAGER
    if admin:
        met.update((Need.ADMIN, Need.EDITOR, Need.VIEWER, Need.OBSERVER))
    if standing.instance is not None:
        rank = ROLES_OF[Scope.INSTANCE].index(standing.instance)
        met.update((Need.EDITOR, Need.VIEWER, Need.OBSERVER)[rank:])
    if standing.distributed and standing.edits_in_space:
        met.update((Need.VIEWER, Need.OBSERVER))
    return frozenset(met)


def granter(need: Need) -> str:
    """Who can grant what ``need`` asks for, as a phrase for the hint of a refusal."""
    if need in (Need.MANAGER, Need.FACULTY, Need.MEMBER):
        return "a manager of the organization"
    return "an admin of the space"
