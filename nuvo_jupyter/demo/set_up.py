"""The demo course: thirty students, the material in everybody's hands, some weeks of work, and a revision to distribute."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from nuvo_jupyter.clients.local import LocalTransport
from nuvo_jupyter.clients.methods import Client
from nuvo_jupyter.demo.material import Student, do_student_work, revise_course, student_names, write_course
from nuvo_jupyter.demo.place import MASTER, SPACE, TITLE, Place
from nuvo_jupyter.demo.tour import write_tour
from nuvo_jupyter.engine.identity import allow_acting
from nuvo_jupyter.model.tasks import Task

Say = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""

SEED = 2026


def set_up(place: Place, say: Say, students: list[Student] | None = None) -> None:
    """Make the whole demo in a folder that :meth:`Place.claim` made ours.

    Args:
        students: all thirty by default.

    Raises:
        NuvoError: a step failed; the next set-up begins anew.
    """
    class_ = student_names() if students is None else students
    say("Writing the course", 0, 0)
    write_course(place.master)
    with opened(place) as client:
        create_course(client, place, class_, say)
        say("Students work", 0, len(class_))
        for number, student in enumerate(class_, start=1):
            do_student_work(place.workspace(student.username), student, SEED)
            say("Students work", number, len(class_))
    say("The instructor revises the course", 0, 0)
    revise_course(place.master)
    write_tour(place.master)
    place.finish()


def create_course(client: Client, place: Place, students: list[Student], say: Say) -> None:
    """Create the space with an instance for each student, and give everybody the course."""

    def told(what: str) -> Callable[[Task], None]:
        return lambda task: say(what, task.done, task.total)

    client.space_create(
        name=SPACE, kind="course", description=TITLE, workspace=str(place.master), template=place.template
    )
    first = client.finish(
        client.snapshot_create(
            instance=MASTER,
            name="Start of term",
            description="All twelve weeks, as handed out in the first week.",
            next_description="Corrections to week 3, and a bonus week.",
        ),
        told("Taking the first snapshot"),
    )
    client.finish(client.roster_add(space=SPACE, people=roster_csv(students)), told("Adding students"))
    client.finish(
        client.distribute(
            source=first.snapshot,
            whole=True,
            to=["all"],
            strategies={"file": "merge"},
            message="Welcome to Intro to Data Science!",
        ),
        told("Handing out the course"),
    )


def roster_csv(students: Iterable[Student]) -> str:
    """The class as a registrar's export: CSV with a header."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("username", "name", "email"))
    rows.writerows((student.username, student.full_name, student.email) for student in students)
    return text.getvalue()


@contextmanager
def opened(place: Place, username: str = "") -> Iterator[Client]:
    """A client of the demo's engine, in this process.

    Args:
        username: whom to act as; the instructor by default.
    """
    if username:
        transport = LocalTransport(place.settings(username))
    else:
        transport = LocalTransport(place.settings())
        allow_acting(transport.engine.catalog)
    with Client(transport) as client:
        yield client
