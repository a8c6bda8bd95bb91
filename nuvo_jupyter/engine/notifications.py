"""The caller's notifications."""

from __future__ import annotations

from nuvo_jupyter.catalog import notifications
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.present import moment, optional_moment
from nuvo_jupyter.model.requests import NotificationList, NotificationRead
from nuvo_jupyter.model.status import Empty
from nuvo_jupyter.model.tasks import Notification


def notification_list(call: Call, request: NotificationList) -> tuple[Notification, ...]:
    """The caller's notifications, newest first."""
    with call.read() as connection:
        rows = notifications.list_notifications(
            connection, call.who, unread=request.unread, limit=request.limit
        )
    return tuple(
        Notification(
            id=row.id,
            subject=row.subject,
            body=row.body,
            created_at=moment(row.created_at),
            read_at=optional_moment(row.read_at),
            mail_state=row.mail_state,
            task=row.task_id,
        )
        for row in rows
    )


def notification_read(call: Call, request: NotificationRead) -> Empty:
    """Mark notifications as read; those of others are left alone."""
    # Reading one's messages is no change of any state, so the audit trail is not told.
    call.audited = True
    with call.write() as connection:
        notifications.mark_read(connection, call.who, list(request.ids))
    return Empty()
