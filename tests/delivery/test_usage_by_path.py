"""What each path of an instance needs, counted anew blob by blob, and what its snapshots really free."""

from __future__ import annotations

from collections import defaultdict

import pytest
import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.releasing import held
from nuvo_jupyter.model.growth import PathUsage
from nuvo_jupyter.model.nodes import NodeKind
from nuvo_jupyter.model.paths import join
from nuvo_jupyter.store import tree
from nuvo_jupyter.workspace.tables.connection import Connection
from tests.delivery.course import Course, write
from tests.delivery.test_growing import Make, collect, set_deleted, stored, usage


def paths(course: Course, instance: str = "master", folder: str = "") -> dict[str, PathUsage]:
    (space,) = usage(course, space_id=course.space, instance_id=course.ids[instance], folder=folder).spaces
    (found,) = space.instances
    return {one.path: one for one in found.paths}


@pytest.fixture
def course(make_course: Make) -> Course:
    """Master with a history of tables, an application and files, some of it at two places, some handed out."""
    course = make_course("anna")
    folder = course.folder("master")
    with Connection(folder / "tables") as con:
        con.execute("CREATE TABLE big AS SELECT hash(range) AS n FROM range(20000)")
        con.execute(
            "CREATE SCHEMA old; CREATE TABLE old.marks AS SELECT hash(range + 7) AS n FROM range(3000)"
        )
        write(folder, {"week1/a.txt": "a" * 4000, "week1/deep/b.txt": "b " * 900, "copy.txt": "a" * 4000})
        write(folder, {".nuvo/applications/science/app.json": "{}" * 300, "tables/note.txt": "n" * 99})
        course.snapshot("master")
        con.execute("DELETE FROM big WHERE n % 2 = 0")
        write(folder, {"own.txt": "mine " * 500})
        course.snapshot("master")
        con.execute("DROP TABLE big")
        (folder / "own.txt").unlink()
        course.snapshot("master")
    course.distribute(["anna"], ["week1/deep/b.txt", "tables/old/marks.parquet"])
    course.snapshot("anna")
    return course


def needed(course: Course, root: bytes) -> dict[bytes, set[str]]:
    """Every blob below a root, and the paths at which it is needed."""
    found: dict[bytes, set[str]] = defaultdict(set)

    def walk(id_: bytes, path: str) -> None:
        found[id_].add(path)
        for entry in tree.entries(course.context.store, id_):
            below = join(path, entry.name)
            if entry.node.kind is NodeKind.FOLDER:
                walk(entry.node.content[0], below)
            else:
                for blob in entry.node.content:
                    found[blob].add(below)

    walk(root, "")
    return found


def test_each_path_is_counted_as_it_is_by_hand(course: Course) -> None:
    told = paths(course)
    assert set(told) == {
        "week1", "copy.txt", "own.txt", "tables/big.parquet", "tables/old/marks.parquet",
        "tables/note.txt", ".nuvo/applications/science",
    }  # fmt: skip
    with course.context.catalog.read() as connection:
        lengths = {
            bytes(id_): length for id_, length in connection.execute(sa.select(t.blob.c.id, t.blob.c.length))
        }
        roots = {row.id: row.root for row in connection.execute(sa.select(t.snapshot))}
        everything = held(connection)
    mine: dict[bytes, set[str]] = defaultdict(set)
    others: set[bytes] = set()
    for one in everything:
        for root in [*one.trees, *([roots[one.snapshot]] if one.snapshot else [])]:
            for blob, at in needed(course, root).items():
                if one.instance == course.ids["master"]:
                    mine[blob] |= at
                else:
                    others.add(blob)
    for path, usage_ in told.items():
        inside = {
            blob for blob, at in mine.items() if any(one == path or one.startswith(path + "/") for one in at)
        }
        alone = {
            blob
            for blob in inside - others
            if all(one == path or one.startswith(path + "/") for one in mine[blob])
        }
        assert usage_.held == sum(lengths[blob] for blob in inside), path
        assert usage_.alone == sum(lengths[blob] for blob in alone), path
    assert (told["tables/big.parquet"].versions, told["tables/big.parquet"].snapshots) == (2, 2)
    assert not told["tables/big.parquet"].newest
    assert told["tables/big.parquet"].name == "big"
    assert told["tables/old/marks.parquet"].name == "old.marks"
    assert told["tables/old/marks.parquet"].newest
    assert told["tables/old/marks.parquet"].alone == 0, "Anna has it, too"
    assert told["copy.txt"].alone == 0, "it lies elsewhere, too"
    assert told[".nuvo/applications/science"].kind == "application"


def test_inside_a_folder(course: Course) -> None:
    told = paths(course, folder="week1")
    assert {path: one.folder for path, one in told.items()} == {"week1/a.txt": False, "week1/deep": True}
    assert paths(course, folder="missing") == paths(course, folder="copy.txt") == {}
    assert set(paths(course, "anna")) == {"week1", "tables/old/marks.parquet"}


def test_what_its_snapshots_free_comes_true(course: Course) -> None:
    big = paths(course)["tables/big.parquet"]
    snapshots = [row for row in course.rows(t.snapshot) if row.instance_id == course.ids["master"]]
    before = stored(course)
    set_deleted(course, [row.id for row in snapshots[:2]])
    collect(course)
    assert before - stored(course) == big.frees
    assert big.frees is not None
    assert big.frees > big.alone > 0
    assert "tables/big.parquet" not in paths(course)
