"""Notifications at the end of distributions, and their e-mail through a real SMTP server."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from nuvo_jupyter.catalog import notifications, people
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.delivery.context import MailSettings
from nuvo_jupyter.delivery.mail import MAX_ATTEMPTS, compose, send_due
from nuvo_jupyter.model.tasks import DistributionKind
from tests.delivery.course import Course, write

Make = Callable[..., Course]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Inbox:
    """Takes mail; refuses recipients that begin with ``nobody``."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def to(self) -> list[str]:
        return sorted(str(message["To"]) for message in self.messages)


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, MailSettings]]:
    handler = Inbox()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, MailSettings(host="127.0.0.1", port=port, sender="Nuvo <nuvo@example.org>", timeout=5)
    controller.stop()


def add_prof(course: Course, address: str = "prof@example.org") -> None:
    with course.context.catalog.write() as connection:
        people.ensure_person(connection, "prof", email=address)


def told(course: Course) -> dict[str, Any]:
    return {row.username: row for row in course.rows(t.notification)}


def test_whoever_started_it_and_the_targets_users_are_told_and_mailed(
    make_course: Make, inbox: tuple[Inbox, MailSettings]
) -> None:
    course = make_course("anna", "ben", "cleo", mail=inbox[1])
    add_prof(course)
    write(course.folder("master"), {"a.txt": "A"})
    write(course.folder("anna"), {"a.txt": "mine"})
    course.folder("cleo").rmdir()
    course.distribute(["anna", "ben", "cleo"], notify=True, message="Week 1 is here")
    rows = told(course)
    assert set(rows) == {"prof", "anna", "ben"}
    assert rows["prof"].subject == "Distribution in Intro failed: 2 of 3 instances done"
    assert "cleo: The folder" in rows["prof"].body
    assert "1 replaced" in rows["anna"].body
    assert "snapshot of your work" in rows["anna"].body
    assert "Week 1 is here" in rows["ben"].body
    assert {row.mail_state for row in rows.values()} == {"sent"}
    assert inbox[0].to() == ["anna@example.org", "ben@example.org", "prof@example.org"]
    message = next(message for message in inbox[0].messages if message["To"] == "ben@example.org")
    assert message["Subject"] == "New material in Intro"
    assert message["From"] == "Nuvo <nuvo@example.org>"
    assert message.get_content().startswith("prof distributed material to your instance ben of Intro.")


def test_users_are_not_told_unless_asked_and_nothing_is_mailed_without_a_server(make_course: Make) -> None:
    course = make_course("anna")
    add_prof(course)
    course.distribute(["anna"])
    rows = told(course)
    assert set(rows) == {"prof"}
    assert rows["prof"].subject == "Distribution in Intro: 1 instance done"
    assert rows["prof"].mail_state == ""
    assert send_due(course.context) == 0


def test_a_pull_is_told_only_when_it_fails(make_course: Make) -> None:
    course = make_course("anna")
    course.distribute(["anna"], kind=DistributionKind.PULL)
    assert told(course) == {}
    course.folder("anna").rmdir()
    course.distribute(["anna"], kind=DistributionKind.PULL)
    assert set(told(course)) == {"prof"}


def test_a_mail_server_that_is_down_holds_nothing_up_and_is_tried_a_few_times(make_course: Make) -> None:
    closed_port = free_port()
    course = make_course("anna", mail=MailSettings(host="127.0.0.1", port=closed_port, timeout=5))
    add_prof(course)
    assert course.distribute(["anna"])[""].state == "done"
    row = told(course)["prof"]
    assert (row.mail_state, row.mail_attempts) == ("queued", 1)
    assert str(closed_port) in row.mail_error
    assert send_due(course.context) == 0
    assert told(course)["prof"].mail_attempts == 1, "it is tried again at once"
    for _ in range(MAX_ATTEMPTS - 1):
        make_due(course)
        send_due(course.context)
    row = told(course)["prof"]
    assert (row.mail_state, row.mail_attempts) == ("failed", MAX_ATTEMPTS)
    make_due(course)
    send_due(course.context)
    assert told(course)["prof"].mail_attempts == MAX_ATTEMPTS


def make_due(course: Course) -> None:
    with course.context.catalog.write() as connection:
        connection.execute(sa.update(t.notification).values(mail_due_at=0.0))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nobody@example.org", "no such user"),
        # The email package fails on the first of these with an AttributeError, or reads nothing.
        (".b:@example.org", "no e-mail address"),
        ("b :,))@example.org", "not permitted"),
    ],
)
def test_one_refused_address_does_not_keep_the_others_from_their_mail(
    make_course: Make, inbox: tuple[Inbox, MailSettings], address: str, reason: str
) -> None:
    course = make_course("anna", mail=inbox[1])
    add_prof(course, address)
    course.distribute(["anna"], notify=True)
    rows = told(course)
    assert (rows["prof"].mail_state, rows["anna"].mail_state) == ("queued", "sent")
    assert reason in rows["prof"].mail_error


@pytest.mark.parametrize("address", ["", "no address", "a\nBcc: everybody@example.org", ".b:@example.org"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|header|line"):
        compose("nuvo@localhost", address, "subject", "body")


def test_subjects_cannot_add_headers() -> None:
    message = compose("nuvo@localhost", "a@example.org", "one\r\nBcc: everybody@example.org", "body")
    assert message["Bcc"] is None
    assert message["Subject"] == "one Bcc: everybody@example.org"


def test_notifications_are_listed_and_read(make_course: Make) -> None:
    course = make_course("anna")
    course.distribute(["anna"])
    course.distribute(["anna"])
    with course.context.catalog.write() as connection:
        newest, oldest = notifications.list_notifications(connection, "prof")
        assert newest.id > oldest.id
        assert notifications.mark_read(connection, "prof", [oldest.id]) == 1
        assert notifications.mark_read(connection, "anna") == 0
        assert notifications.count_unread(connection, "prof") == 1
        assert [row.id for row in notifications.list_notifications(connection, "prof", unread=True)] == [
            newest.id
        ]
