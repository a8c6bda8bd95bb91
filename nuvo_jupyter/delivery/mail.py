"""Sending queued notifications by e-mail. Nothing waits for it, and it fails without consequences."""

from __future__ import annotations

import asyncio
import logging
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any

from sqlalchemy.engine import Row

from nuvo_jupyter.catalog import notifications
from nuvo_jupyter.delivery.context import Context, MailSettings

MAX_ATTEMPTS = 5
AGAIN_AFTER = 60.0
"""Seconds until a mail that failed is tried again; doubled each time."""

log = logging.getLogger(__name__)


def send_due(context: Context, patience: float | None = None) -> int:
    """Send all mail that is due; returns how many were sent.

    Args:
        patience: seconds to wait for the mail server, where that is less than its settings say.

    A mail that cannot be sent is tried again up to five times; after that its notification says why.
    """
    sent = 0
    if not context.mail.host:
        return 0
    while True:
        with context.catalog.read() as connection:
            if not notifications.has_mail(connection):
                return sent
        with context.catalog.write() as connection:
            batch = notifications.take_mail(connection, AGAIN_AFTER)
        timeout = min(context.mail.timeout, patience or context.mail.timeout)
        results = asyncio.run(_send(context.mail, batch, timeout))
        with context.catalog.write() as connection:
            for row, error in zip(batch, results, strict=True):
                if error == "":
                    notifications.settle_mail(connection, row.id, "sent")
                    sent += 1
                else:
                    last = row.mail_attempts >= MAX_ATTEMPTS
                    notifications.settle_mail(connection, row.id, "failed" if last else "queued", error)


async def _send(settings: MailSettings, batch: list[Row[Any]], timeout: float) -> list[str]:
    """Send through one connection; returns for each what went wrong, ``""`` for nothing."""
    import aiosmtplib

    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password or None,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        timeout=timeout,
    )
    results: list[str] = []
    try:
        async with client:
            for row in batch:
                results.append(await _send_one(client, settings, row))
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        reason = f"{settings.host}:{settings.port}: {error}"
        log.warning("E-mail could not be sent: %s", reason)
        results += [reason] * (len(batch) - len(results))
    return results


async def _send_one(client: Any, settings: MailSettings, row: Row[Any]) -> str:
    import aiosmtplib

    try:
        await client.send_message(compose(settings.sender, row.email or "", row.subject, row.body))
    except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPConnectError):
        raise
    except (aiosmtplib.SMTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def compose(sender: str, recipient: str, subject: str, body: str) -> EmailMessage:
    """A plain-text message; line breaks in subjects, which no header can hold, become spaces.

    Raises:
        ValueError: the recipient is no address.
    """
    if "@" not in parseaddr(recipient)[1]:
        raise ValueError(f"{recipient!r} is no e-mail address")
    message = EmailMessage()
    message["From"] = sender
    try:
        message["To"] = recipient
    except (AttributeError, IndexError, TypeError) as error:
        # What the email package raises on some odd addresses, beside ValueError.
        raise ValueError(f"{recipient!r} is no e-mail address") from error
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip(">") or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message
