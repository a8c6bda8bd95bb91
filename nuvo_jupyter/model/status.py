"""Who and where a caller is, and the answer of operations that have nothing to tell."""

from __future__ import annotations

import msgspec


class Empty(msgspec.Struct, frozen=True):
    """Nothing to answer but that it is done."""

    ok: bool = True


class Status(msgspec.Struct, frozen=True):
    """Who and where the caller is.

    Args:
        mode: ``embedded``.
        rights: what the caller may do in the organization.
        unread: unread notifications.
    """

    version: str
    mode: str
    username: str
    organization: str
    rights: tuple[str, ...]
    home: str
    unread: int
    mail: bool


class Located(msgspec.Struct, frozen=True):
    """Which instance a folder belongs to.

    Args:
        instance: reference, or ``None`` where nothing was captured yet.
        path: the folder's path inside the instance.
        suggested_space: the space a first snapshot would make.
    """

    instance: str | None
    path: str
    suggested_space: str
    state_description: str = ""
