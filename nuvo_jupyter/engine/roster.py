"""A class at once: instances for people given as names, e-mail addresses or CSV."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

from nuvo_jupyter.catalog.spaces import find_instances, of_kind
from nuvo_jupyter.engine.call import Call
from nuvo_jupyter.engine.first_state import start_instances
from nuvo_jupyter.engine.instances import make_instance
from nuvo_jupyter.engine.tasks import answer
from nuvo_jupyter.model.errors import InvalidInput
from nuvo_jupyter.model.reference import check_name
from nuvo_jupyter.model.requests import RosterAdd
from nuvo_jupyter.model.spaces import Person
from nuvo_jupyter.model.tasks import Task

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
_HEADERS = {
    "username": "username",
    "user name": "username",
    "user": "username",
    "login": "username",
    "id": "username",
    "name": "name",
    "full name": "name",
    "fullname": "name",
    "first name": "first",
    "given name": "first",
    "last name": "last",
    "family name": "last",
    "surname": "last",
    "email": "email",
    "e-mail": "email",
    "mail": "email",
    "email address": "email",
    "e-mail address": "email",
}


def roster_add(call: Call, request: RosterAdd) -> Task:
    """Create a separate instance per person, or one joint instance; those who have one already are left alone.

    Raises:
        InvalidInput: a line that names nobody, or nobody at all; nothing is made then.
        NotNow: ``share_state`` of a current state that was shared in full before.
    """
    assert call.space is not None
    people = parse_roster(request.people)
    with call.write() as connection:
        source = request.source
        if request.share_state and not source:
            source = f"{call.space.name}/{of_kind(connection, call.space.id, 'master').name}"
        made: list[int] = []
        if request.joint:
            made.append(
                make_instance(
                    call,
                    connection,
                    call.space,
                    name=request.joint,
                    people=people,
                    description=request.description,
                )
            )
        else:
            for person in people:
                same = find_instances(connection, call.space.id, person.username)
                if any(row.deleted_at is None for row in same):
                    if person.username in ("master", "distributed"):
                        raise InvalidInput(
                            f"{person.username!r} is the name of an instance of every space.",
                            hint="Create an instance of another name for this person.",
                        )
                    continue
                made.append(
                    make_instance(
                        call,
                        connection,
                        call.space,
                        name=person.username,
                        people=[person],
                        description=request.description,
                    )
                )
        call.detail |= {"people": [person.username for person in people], "made": len(made)}
        task_id = start_instances(call, connection, call.space, made, source, share_state=request.share_state)
    return answer(call, task_id, request.wait)


def parse_roster(text: str) -> list[Person]:
    """Read people from lines or CSV.

    A line is ``username``, ``Full Name``, ``user@example.org``, ``Full Name <user@example.org>``, or CSV
    (comma, semicolon or tab) of user name, name and e-mail address; a header line names the columns.
    Empty lines and those that begin with ``#`` name nobody. Without a user name, it is the part of the address before the ``@``, or made of the name.

    Raises:
        InvalidInput: a line that names nobody, two people with one user name, or nobody at all.
    """
    lines = [
        line for line in text.replace("\ufeff", "").splitlines() if line.strip() and line.lstrip()[0] != "#"
    ]
    delimiter = next((mark for mark in "\t;," if any(mark in line for line in lines)), ",")
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, skipinitialspace=True))
    except csv.Error as error:
        raise InvalidInput(f"The roster is no CSV: {error}.", hint="Give one person per line.") from error
    columns = [_HEADERS.get(cell.strip().lower()) for cell in rows[0]] if rows else []
    # A header may have columns of no concern here; a line of data has none of these words alone.
    headed = any(columns) and not any("@" in cell for cell in rows[0])
    people: dict[str, Person] = {}
    for number, row in enumerate(rows, start=1):
        if headed and number == 1:
            continue
        if not any(cell.strip() for cell in row):
            continue
        person = _person([cell.strip() for cell in row], columns if headed else [], number)
        if person.username in people and people[person.username] != person:
            raise InvalidInput(
                f"Line {number}: the user name {person.username!r} is there twice.",
                hint="Give user names in a column of their own.",
            )
        people[person.username] = person
    if not people:
        raise InvalidInput(
            "The roster names nobody.", hint="Give one person per line: a name or an e-mail address."
        )
    return list(people.values())


def _person(cells: list[str], columns: list[str | None], number: int) -> Person:
    fields = {"username": "", "name": "", "email": "", "first": "", "last": ""}
    if columns:
        fields |= {column: cell for column, cell in zip(columns, cells, strict=False) if column and cell}
        fields["name"] = fields["name"] or f"{fields['first']} {fields['last']}".strip()
    else:
        for cell in filter(None, cells):
            address = _EMAIL.search(cell)
            if address:
                fields["email"] = address[0]
                rest = cell.replace(address[0], "").strip(' <>"')
                fields["name"] = fields["name"] or rest
            elif " " not in cell and not fields["username"]:
                fields["username"] = cell
            elif not fields["name"]:
                fields["name"] = cell
    if fields["email"] and not _EMAIL.fullmatch(fields["email"]):
        raise InvalidInput(f"Line {number}: {fields['email']!r} is no e-mail address.")
    username = fields["username"] or fields["email"].partition("@")[0].lower() or _from_name(fields["name"])
    if not username:
        raise InvalidInput(
            f"Line {number} of the roster names nobody.", hint="Give a user name, name or e-mail address."
        )
    return Person(check_name(username, "user name"), fields["name"], fields["email"])


def _from_name(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", ".", plain).strip(".")
