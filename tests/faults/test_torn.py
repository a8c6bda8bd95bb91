"""Snapshots while programs change several tables and files: each one is a state that has existed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from nuvo_jupyter.workspace.tables.connection import Connection
from tests.engine.campus import Campus

from .conftest import Extent

MASTER, CHECKED = "intro/master", "intro/checked"
POINTS = 10_000
WRITERS = ("one", "two", "three")

# Moves points from one table to another and notes it in a third, in one transaction; files say which move is
# about to be made and which was made.
WRITER = """
import os, sys
from pathlib import Path
from nuvo_jupyter.workspace.tables.connection import Connection

folder, me, stop = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def say(name, number):
    (folder / f"{name}.new").write_text(f"{number} " * 2000)
    os.replace(folder / f"{name}.new", folder / name)

with Connection(folder / "tables") as con:
    move = 0
    while not os.path.exists(stop):
        move += 1
        say(f"{me}/begun.txt", move)
        with con.transaction():
            con.execute("UPDATE here SET points = points - 1")
            con.execute("UPDATE there SET points = points + 1")
            con.execute("INSERT INTO moves VALUES (?, ?)", [me, move])
        say(f"{me}/made.txt", move)
        print(move, flush=True)
"""


def test_every_snapshot_is_a_state_that_has_existed(campus: Campus, tmp_path: Path, extent: Extent) -> None:
    wanted = extent.runs(10, 300)
    campus.run("roster_add", space="intro", people="checked", source="")
    folder = campus.workspace(MASTER)
    with Connection(folder / "tables") as con:
        con.execute(
            f"CREATE TABLE here AS SELECT {POINTS} AS points; CREATE TABLE there AS SELECT 0 AS points"
        )
        con.execute("CREATE TABLE moves (writer VARCHAR, number INTEGER)")
    campus.write(
        MASTER, {f"{name}/{file}.txt": "0 " * 2000 for name in WRITERS for file in ("begun", "made")}
    )
    stop = tmp_path / "stop"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, name, stop], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in WRITERS
    ]
    for writer in writers:
        moved(writer)
    taken = []
    for number in range(wanted):
        taken.append(campus.snapshot(MASTER, None))
        moved(writers[number % len(writers)])
    stop.touch()
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * len(writers)
    taken.append(campus.snapshot(MASTER, None))
    seen = [check(campus, state) for state in taken]
    assert seen == sorted(seen), "no move was lost"
    print(f"torn: {wanted} snapshots of {len(set(seen))} states, {seen[-1]} moves by {len(writers)} programs")
    assert seen[-1] > wanted
    assert len(set(seen)) > 1, "they were written meanwhile"


def moved(writer: subprocess.Popen[bytes]) -> None:
    """Wait for one more move that a writer says it made."""
    assert writer.stdout is not None
    assert writer.stdout.readline().strip().isdigit()


def check(campus: Campus, state: str) -> int:
    """Restore a snapshot and look at it; how many moves it has."""
    campus.run("restore", source=state, instance=CHECKED)
    folder = campus.workspace(CHECKED)
    with Connection(folder / "tables") as con:
        totals = con.execute("SELECT (SELECT points FROM here), (SELECT points FROM there)").fetchone()
        rows = con.execute("SELECT writer, count(*), max(number) FROM moves GROUP BY writer").fetchall()
    moves = {writer: number for writer, number, _ in rows}
    made = int(sum(moves.values()))
    assert totals == (POINTS - made, made), state
    assert all(number == last for _, number, last in rows), state
    for name in WRITERS:
        number = moves.get(name, 0)
        assert said(folder / name / "begun.txt") in (number, number + 1), state
        assert said(folder / name / "made.txt") in (number, number - 1), state
    return made


def said(path: Path) -> int:
    """The one number that a file says all over."""
    words = path.read_text().split()
    assert len(words) == 2000
    assert len(set(words)) == 1, "written in one piece"
    return int(words[0])
