"""Organizations, spaces, instances and the people in them, as every face shows them."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from nuvo_jupyter.model.roles import Role

RECOVERABLE_SECONDS = 24 * 3600
"""How long something deleted can be brought back."""


class SpaceKind(enum.StrEnum):
    """What a space is for."""

    COURSE = "course"
    RESEARCH = "research"
    DATASET = "dataset"


class Visibility(enum.StrEnum):
    """Who can see that a space exists and ask for access."""

    PUBLIC = "public"
    FACULTY = "faculty"
    PRIVATE = "private"


class InstanceKind(enum.StrEnum):
    """The part an instance plays in its space."""

    MASTER = "master"
    DISTRIBUTED = "distributed"
    PERSONAL = "personal"
    GROUP = "group"


class Person(msgspec.Struct, frozen=True):
    """Somebody with an account."""

    username: str
    name: str = ""
    email: str = ""


class Member(msgspec.Struct, frozen=True):
    """A role somebody holds.

    Args:
        instance: name of the instance for instance roles; ``None`` for roles in the space or organization.
        created: the person was not known before and was made; only in the answer to giving them the role.
    """

    person: Person
    role: Role
    instance: str | None = None
    created: bool = False


class Space(msgspec.Struct, frozen=True):
    """A course, research project or dataset.

    Args:
        template: where new instances' folders lie; ``{username}``, ``{space}`` and ``{instance}`` are filled in.
        timezone: IANA name; times are stored in UTC and shown in this zone.
        rights: what the caller may do in it (needs met).
        instances: how many instances it has that the caller can see.
        deleted_at: set when deleted; recoverable for 24 hours.
    """

    id: int
    organization: str
    name: str
    kind: SpaceKind
    description: str
    visibility: Visibility
    timezone: str
    template: str
    pull_from_master: bool
    archived: bool
    created_at: datetime
    created_by: str
    instances: int = 0
    rights: tuple[str, ...] = ()
    deleted_at: datetime | None = None


class Instance(msgspec.Struct, frozen=True):
    """A workspace with a history.

    Args:
        reference: ``space/instance``.
        workspace: absolute folder of the current state.
        state_description: what the current state is about.
        final: no more work is expected in the current state.
        snapshots: how many it has.
        rights: what the caller may do with it.
    """

    id: int
    space: str
    name: str
    kind: InstanceKind
    reference: str
    description: str
    state_description: str
    final: bool
    workspace: str
    archived: bool
    created_at: datetime
    created_by: str
    snapshots: int = 0
    people: tuple[Member, ...] = ()
    rights: tuple[str, ...] = ()
    deleted_at: datetime | None = None


class AccessRequest(msgspec.Struct, frozen=True):
    """Somebody asks for a role in an instance."""

    person: Person
    instance: str
    message: str
    created_at: datetime
