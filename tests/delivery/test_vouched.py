"""What is remembered is believed only as long as the catalog shows that it is in the store."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import blobs, snapshots
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.model.nodes import Node
from nuvo_jupyter.store import tree

from .course import Course, write


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path, ["ann"])
    write(course.folder("ann"), {"notes.txt": "mine", "week 1/task.txt": "task"})
    return course


def content(course: Course, snapshot_id: int) -> dict[str, bytes]:
    with course.context.catalog.read() as connection:
        root = snapshots.get_snapshot(connection, snapshot_id).root
    nodes: dict[str, Node] = tree.flatten(course.context.store, root)
    return {
        path: course.context.store.read_file(node)
        for path, node in nodes.items()
        if node.kind.value == "file"
    }


HELD = {"notes.txt": b"mine", "week 1/task.txt": b"task"}


def test_what_left_the_store_is_stored_again(course: Course) -> None:
    first = course.snapshot("ann")
    store = course.context.store
    with course.context.catalog.read() as connection:
        before = blobs.generation(connection)
        held = [
            entry.id
            for row in blobs.all_packs(connection)
            for entry in blobs.rows_of_pack(connection, row.id)
        ]
    with course.context.catalog.write() as connection:
        blobs.remove_blobs(connection, held)
    store.index.forget()
    store.trees.clear()
    with course.context.catalog.read() as connection:
        assert blobs.generation(connection) != before
    second = course.snapshot("ann")
    assert second != first
    assert content(course, second) == HELD


def test_a_catalog_brought_back_from_a_backup_is_not_taken_for_the_later_one(course: Course) -> None:
    course.snapshot("ann")
    with course.context.catalog.write() as connection:
        # As it was before that snapshot.
        for table in (t.blob, t.pack, t.task, t.snapshot):
            connection.execute(sa.delete(table))
    course.context.store.index.forget()
    course.context.store.trees.clear()
    assert content(course, course.snapshot("ann")) == HELD
