"""Several processes take snapshots, delete them and collect at the same time; and the same on PostgreSQL and S3."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.roots import kept
from nuvo_jupyter.delivery.orders import CollectOrder
from nuvo_jupyter.model.changes import Strategy
from nuvo_jupyter.model.store import CollectReport
from nuvo_jupyter.model.tasks import TaskKind
from nuvo_jupyter.store.collect import collect
from nuvo_jupyter.store.verify import verify
from tests.delivery.course import Course, write
from tests.delivery.test_collecting import held, set_long_deleted
from tests.delivery.test_growing import run, stored

Make = Callable[..., Course]
ROUNDS = 25
STUDENTS = ("anna", "ben")

WRITER = """
import json, random, sys
from pathlib import Path
import sqlalchemy as sa
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog
from nuvo_jupyter.delivery.context import Context
from nuvo_jupyter.delivery.orders import SnapshotOrder
from nuvo_jupyter.delivery.take import take_snapshot
from nuvo_jupyter.store.store import Store

home, url, instance, folder, seed, rounds = sys.argv[1:]
catalog = Catalog(url)
context = Context(catalog=catalog, store=Store.open(home + "/store", catalog), home=Path(home))
chance = random.Random(int(seed))
mine = {}
for number in range(int(rounds)):
    # Few contents, so that what was just deleted is often needed again.
    path = Path(folder) / f"file{chance.randrange(4)}"
    path.write_text(f"{chance.randrange(5)} " * 5000)
    taken = take_snapshot(context, int(instance), order=SnapshotOrder(), by="prof")
    mine[taken] = {p.name: p.read_text()[:2] + str(p.stat().st_size) for p in Path(folder).iterdir()}
    if len(mine) > 2:
        gone = chance.choice(sorted(mine))
        del mine[gone]
        with catalog.write() as connection:
            connection.execute(sa.update(t.snapshot).where(t.snapshot.c.id == gone).values(deleted_at=1.0))
print(json.dumps(mine))
"""


def live(course: Course, url: str) -> None:
    """Two processes write while this one collects; then everything they kept is there."""
    home = course.context.home
    writers = []
    for seed, name in enumerate(STUDENTS):
        (course.folder(name) / "begin").write_text(name)
        command = [sys.executable, "-c", WRITER, str(home), url, str(course.ids[name])]
        command += [str(course.folder(name)), str(seed), str(ROUNDS)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        writers.append(
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
            )
        )
    collected = removed = 0
    while any(writer.poll() is None for writer in writers):
        # Packs of writers that are not done are orphans, and they are told apart by their age alone.
        removed += collect(course.context.store, memory=home / "graph", grace=0.0).blobs
        collected += 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Without a pause this process would hardly let go of SQLite's lock.
            writers[collected % 2].wait(0.02)
    for writer in writers:
        out, problem = writer.communicate()
        assert writer.returncode == 0, problem
        assert not problem
        for id_, files in json.loads(out).items():
            with course.context.catalog.read() as connection:
                root = connection.scalar(sa.select(t.snapshot.c.root).where(t.snapshot.c.id == int(id_)))
            assert root is not None
            found = held(course.context, bytes(root))
            assert {path: data.decode()[:2] + str(len(data)) for path, data in found.items()} == files
    assert collected > 1
    assert removed
    report = verify(course.context.store)
    assert report.ok, report
    collect(course.context.store, memory=home / "graph", grace=0.0, alone=lambda _: True)
    report = verify(course.context.store)
    assert report.ok, report
    assert report.unreferenced == 0


def test_beside_writers_in_other_processes(make_course: Make) -> None:
    course = make_course(*STUDENTS)
    live(course, course.context.catalog.url)


def test_on_postgresql_too(tmp_path: Path, postgres_url: str) -> None:
    course = Course(tmp_path, STUDENTS, url=postgres_url)
    live(course, postgres_url)
    write(course.folder("master"), {"a": "a " * 5000})
    course.distribute(STUDENTS, None, Strategy.MERGE, through=True)
    with course.context.catalog.read() as connection:
        ids = list(connection.scalars(sa.select(t.snapshot.c.id).where(kept(t.snapshot))))
    set_long_deleted(course, ids)
    before = stored(course)
    done = run(course, TaskKind.COLLECT, CollectOrder(now=True), CollectReport)
    assert done.snapshots == len(ids)
    assert before - stored(course) == done.size > 0
    # What was last distributed stays.
    assert stored(course) > 0
    assert verify(course.context.store).ok
    course.context.store.close()
    course.context.catalog.close()
