"""Notifications: messages to users, and which of them are to be mailed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import now

_c = t.notification.c


def insert_notification(
    connection: Connection,
    *,
    username: str,
    subject: str,
    body: str,
    space_id: int | None = None,
    task_id: int | None = None,
    mail: bool = False,
) -> int:
    """Insert a notification and return its id.

    Args:
        mail: e-mail it as well.
    """
    done = connection.execute(
        sa.insert(t.notification).values(
            username=username,
            subject=subject,
            body=body,
            space_id=space_id,
            task_id=task_id,
            created_at=now(connection),
            mail_state="queued" if mail else "",
            mail_due_at=now(connection) if mail else None,
        )
    )
    return int(done.inserted_primary_key[0])  # type: ignore[index]


def list_notifications(
    connection: Connection, username: str, *, unread: bool = False, limit: int = 100
) -> list[Row[Any]]:
    """A user's notifications, newest first."""
    query = sa.select(t.notification).where(_c.username == username)
    if unread:
        query = query.where(_c.read_at.is_(None))
    return list(connection.execute(query.order_by(_c.id.desc()).limit(limit)))


def count_unread(connection: Connection, username: str) -> int:
    """How many of a user's notifications are unread."""
    query = sa.select(sa.func.count()).where(_c.username == username, _c.read_at.is_(None))
    return int(connection.scalar(query) or 0)


def mark_read(connection: Connection, username: str, ids: list[int] | None = None) -> int:
    """Mark a user's notifications as read: these, or all; returns how many were unread."""
    query = sa.update(t.notification).where(_c.username == username, _c.read_at.is_(None))
    if ids is not None:
        query = query.where(_c.id.in_(ids))
    return connection.execute(query.values(read_at=now(connection))).rowcount


def take_mail(connection: Connection, again_after: float, limit: int = 50) -> list[Row[Any]]:
    """Notifications to be mailed now, each with its user's ``email``, oldest first.

    They are due again after a while, so that nobody else sends them meanwhile and none is forgotten by a crash.

    Args:
        again_after: seconds until they are due again unless :func:`settle_mail` is called; doubled with each attempt.
    """
    due = (
        sa.select(_c.id)
        .where(_c.mail_state == "queued", _c.mail_due_at <= now(connection))
        .order_by(_c.id)
        .limit(limit)
    )
    if connection.dialect.name != "sqlite":
        due = due.with_for_update(skip_locked=True)
    ids = list(connection.scalars(due))
    if not ids:
        return []
    # 2 to the power of the attempts so far, without a power function, which SQLite may lack.
    factor = sa.case({n: 2.0**n for n in range(8)}, value=_c.mail_attempts, else_=256.0)
    connection.execute(
        sa.update(t.notification)
        .where(_c.id.in_(ids))
        .values(mail_attempts=_c.mail_attempts + 1, mail_due_at=now(connection) + again_after * factor)
    )
    query = (
        sa.select(t.notification, t.person.c.email)
        .join(t.person, t.person.c.username == _c.username, isouter=True)
        .where(_c.id.in_(ids))
    )
    return list(connection.execute(query.order_by(_c.id)))


def settle_mail(connection: Connection, notification_id: int, state: str, error: str = "") -> None:
    """Note what became of a mail: ``sent``, ``failed`` for good, or ``queued`` to be tried again when due."""
    connection.execute(
        sa.update(t.notification).where(_c.id == notification_id).values(mail_state=state, mail_error=error)
    )


def has_mail(connection: Connection) -> bool:
    """Whether any mail is due now."""
    query = sa.select(_c.id).where(_c.mail_state == "queued", _c.mail_due_at <= now(connection)).limit(1)
    return connection.scalar(query) is not None
