"""What counts as last distributed is worked out once for a class, and again where it may have left the store."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from nuvo_jupyter.catalog import blobs
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.holding import Standing
from nuvo_jupyter.delivery import bases
from nuvo_jupyter.delivery.bases import SameBase
from nuvo_jupyter.store.tree import flatten
from tests.delivery.course import Course, read, write

Make = Callable[..., Course]


def base_of(course: Course, student: str) -> bytes:
    query = sa.select(t.instance.c.base_root).where(t.instance.c.id == course.ids[student])
    with course.context.catalog.read() as connection:
        root = connection.scalar(query)
    assert root is not None
    return bytes(root)


def test_a_class_shares_one_base(make_course: Make) -> None:
    course = make_course("anna", "ben", "cleo")
    write(course.folder("master"), {"a.txt": "A", "d/b.txt": "B"})
    write(course.folder("ben"), {"own.txt": "mine"})
    course.distribute(["anna", "ben", "cleo"])
    assert len({base_of(course, student) for student in ("anna", "ben", "cleo")}) == 1
    base = flatten(course.context.store, base_of(course, "ben"))
    assert set(base) == {"a.txt", "d", "d/b.txt"}


def test_who_kept_something_has_a_base_of_their_own(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A", "b.txt": "B"})
    write(course.folder("ben"), {"a.txt": "mine"})
    course.distribute(["anna", "ben"], strategy="extra")
    assert set(flatten(course.context.store, base_of(course, "anna"))) == {"a.txt", "b.txt"}
    assert set(flatten(course.context.store, base_of(course, "ben"))) == {"b.txt"}
    assert read(course.folder("ben")) == {"a.txt": "mine", "b.txt": "B"}


def test_a_base_is_worked_out_again_after_blobs_have_left_the_store(make_course: Make) -> None:
    course = make_course("anna", "ben")
    write(course.folder("master"), {"a.txt": "A"})
    course.distribute(["anna"])
    with course.context.catalog.write() as connection:
        blobs.next_generation(connection)
        root = connection.scalar(sa.select(t.snapshot.c.root).order_by(t.snapshot.c.id).limit(1))
    # As if it had been remembered, and collected since.
    assert root is not None
    same = SameBase(None, root, None)
    bases.remember(course.context.store, same, b"\0" * 32, Standing("before", False, False))
    course.distribute(["ben"])
    assert base_of(course, "ben") == base_of(course, "anna")
