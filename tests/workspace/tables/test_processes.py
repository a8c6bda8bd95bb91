"""Several processes at once, killed processes, full disks: nothing lost, nothing torn."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nuvo_jupyter.model.errors import NotNow
from nuvo_jupyter.workspace.tables import commit, lock
from nuvo_jupyter.workspace.tables.connection import Connection

Open = Callable[[], Connection]
SETUP = "CREATE TABLE a AS SELECT 0 AS n; CREATE TABLE b AS SELECT 0 AS n"


def start(folder: Path, what: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("writer.py")), what, str(folder), *arguments],
        cwd=folder.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def running(folder: Path, what: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = start(folder, what, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def outcome(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return out


def left_over(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".")]


def test_no_write_is_lost_and_no_read_is_torn(con: Connection, folder: Path) -> None:
    con.execute(SETUP)
    reader = start(folder, "check")
    writers = [start(folder, "increment", "12") for _ in range(3)]
    for writer in writers:
        outcome(writer)
    (folder.parent / "stop").touch()
    outcome(reader)
    assert con.execute(
        "SELECT (SELECT n FROM a), (SELECT count(*) FROM b), (SELECT count(DISTINCT n) FROM b)"
    ).fetchall() == [(36, 37, 37)]
    assert left_over(folder) == []


def test_a_table_that_comes_and_goes(con: Connection, folder: Path) -> None:
    con.execute("CREATE TABLE c AS SELECT 0 AS n, 'x' AS t")
    reader = start(folder, "read_dropped")
    for writer in [start(folder, "drop_and_make", "15") for _ in range(2)]:
        outcome(writer)
    (folder.parent / "stop").touch()
    outcome(reader)
    assert len(con.execute("FROM c").fetchall()) == 1


def test_killed_while_writing(con: Connection, opened: Open, folder: Path) -> None:
    for turn in range(3):
        with running(folder, "insert_until_killed") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            rows = con.execute("SELECT count(*) FROM big").fetchone()[0]
            while con.execute("SELECT count(*) FROM big").fetchone()[0] <= rows + 20000 * turn:
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
        count, different = opened().execute("SELECT count(*), count(DISTINCT i) FROM big").fetchone()
        assert count % 20000 == 0
        assert different == 20000
    con.execute("INSERT INTO big VALUES (-1, '')")
    assert left_over(folder) == []


@pytest.mark.parametrize("after", range(6))
def test_killed_between_the_renames_of_a_transaction(
    con: Connection, opened: Open, folder: Path, after: int
) -> None:
    con.execute(SETUP + "; CREATE TABLE c AS SELECT 0 AS n")
    process = start(folder, "die_between_renames", str(after))
    process.communicate()
    new = [("a", 7), ("b", 7), ("s.d", 7)]
    old = [("a", 0), ("b", 0), ("c", 0)]
    if process.returncode == 0:
        assert after > 3
    with lock.reading(folder):
        assert not commit.unfinished(folder)
    found = {
        "reader": [
            (str(entry.name), opened().execute(f"SELECT n FROM {entry.name}").fetchone()[0])
            for entry in opened().entries
        ],
        "before": [
            (str(entry.name), con.execute(f"SELECT n FROM {entry.name}").fetchone()[0])
            for entry in con.entries
        ],
    }
    assert found["reader"] == found["before"]
    assert found["reader"] in (new, old)
    assert (found["reader"] == new) == (after > 0)
    con.execute("CREATE TABLE e AS SELECT 1 AS n")
    assert left_over(folder) == []


def test_an_open_transaction_keeps_writers_waiting_but_no_reader(
    con: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con.execute(SETUP)
    with running(folder, "hold") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert con.execute("SELECT a.n, b.n FROM a, b").fetchall() == [(0, 0)]
        monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.1)
        with pytest.raises(NotNow, match="changing the tables"):
            con.execute("UPDATE a SET n = 1")
        monkeypatch.undo()
        assert con.execute("FROM a").fetchall() == [(0,)]
        process.communicate("go on\n")
        assert con.execute("FROM a").fetchall() == [(100,)]
        con.execute("UPDATE a SET n = n + 1")
        assert con.execute("FROM a").fetchall() == [(101,)]


def test_a_capture_keeps_renames_waiting(
    con: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con.execute(SETUP)
    with lock.reading(folder):
        monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.1)
        with pytest.raises(NotNow):
            con.execute("UPDATE a SET n = 1")
        assert con.execute("FROM a").fetchall() == [(0,)]
    con.execute("UPDATE a SET n = 2")
    assert con.execute("FROM a").fetchall() == [(2,)]
    assert left_over(folder) == []


def test_waiting_can_be_given_up(con: Connection, folder: Path) -> None:
    con.execute(SETUP)

    def stop() -> None:
        raise InterruptedError

    with (
        lock.writing(folder),
        lock.publishing(folder),
        pytest.raises(InterruptedError),
        lock.reading(folder, stop),
    ):
        pass


def test_a_full_disk(con: Connection, folder: Path) -> None:
    con.execute(SETUP)
    out = outcome(start(folder, "fill_the_disk"))
    assert "no room to write the table; nothing was changed" in out
    assert con.execute("FROM a").fetchall() == [(0,), (5,)]
    assert left_over(folder) == []


def test_an_interrupted_statement_leaves_the_connection_usable(con: Connection, folder: Path) -> None:
    con.execute(SETUP)
    with running(folder, "sleep_in_a_query") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while True:
            # Not before it has the lock, and again in case DuckDB had not begun.
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=1)
                break
    assert "[([0, 8],)]" in out, err


def test_a_folder_that_can_only_be_read(con: Connection, folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    con.execute(SETUP)
    for part in [folder, *folder.parents]:
        if not os.stat(part).st_mode & 0o005:
            part.chmod(0o755)
    out = outcome(start(folder, "as_nobody"))
    assert "[(0,)]" in out
    assert "InvalidInput" in out
    assert "can only be read" in out


def test_no_folder_is_no_tables(folder: Path, con: Connection, tmp_path: Path) -> None:
    assert con.entries == []
    assert con.execute("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(Exception, match="nothing"):
        con.execute("INSERT INTO nothing VALUES (1)")
    assert not folder.exists()
    with Connection(tmp_path / "no" / "tables") as nowhere, pytest.raises(Exception, match="no folder"):
        nowhere.execute("CREATE TABLE t AS SELECT 1 AS a")


def test_what_another_program_wrote_meanwhile_is_kept(
    con: Connection, opened: Open, folder: Path, tmp_path: Path
) -> None:
    con.execute(SETUP)
    con.begin().execute("UPDATE a SET n = 1; UPDATE b SET n = 1")
    opened().execute(f"COPY (SELECT 55 AS n) TO '{tmp_path}/x.parquet'")
    os.replace(tmp_path / "x.parquet", folder / "a.parquet")
    with pytest.raises(NotNow, match="another program"):
        con.commit()
    assert con.execute("SELECT a.n, b.n FROM a, b").fetchall() == [(55, 0)]
    assert left_over(folder) == []


PLANTED: list[list[dict[str, Any]]] = [
    [{"action": "put", "file": "../../victim", "temporary": ".~new-x"}],
    [{"action": "put", "file": "/victim", "temporary": ".~new-x"}],
    [{"action": "remove", "file": "../victim"}],
    [{"action": "remove", "file": "link/victim"}],
    [{"action": "put", "file": "link/victim", "temporary": ".~new-x"}],
    [{"action": "put", "file": "t.parquet", "temporary": "../victim"}],
    [{"action": "remove_folder", "file": ".."}],
    [{"action": "make_folder", "file": "../made"}],
    [{"action": "remove", "file": "a\0b"}],
    [{"action": "no such thing", "file": "t"}],
]


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_planted_journal_touches_nothing_elsewhere(
    con: Connection, opened: Open, folder: Path, planted: list[Any]
) -> None:
    import msgspec

    con.execute(SETUP)
    outside = folder.parent
    (outside / "victim").write_text("mine")
    (outside / "there").mkdir()
    (outside / "there" / "victim").write_text("mine")
    (folder / "link").symlink_to(outside / "there")
    (folder / ".~new-x").write_text("planted")
    (folder / commit.JOURNAL).write_bytes(msgspec.json.encode(planted))
    before = sorted(str(path.relative_to(outside)) for path in outside.rglob("*") if ".~" not in path.name)
    with contextlib.suppress(OSError):
        assert opened().execute("SELECT a.n, b.n FROM a, b").fetchall() == [(0, 0)]
    con.execute("UPDATE a SET n = 1")
    assert (outside / "victim").read_text() == (outside / "there" / "victim").read_text() == "mine"
    assert (
        sorted(str(path.relative_to(outside)) for path in outside.rglob("*") if ".~" not in path.name)
        == before
    )
    assert left_over(folder) == []


def test_links_are_no_tables(con: Connection, opened: Open, folder: Path, tmp_path: Path) -> None:
    con.execute(SETUP + "; CREATE SCHEMA s")
    os.rename(folder / "b.parquet", tmp_path / "b.parquet")
    (folder / "b.parquet").symlink_to(tmp_path / "b.parquet")
    (folder / "fifo.parquet").parent.mkdir(exist_ok=True)
    os.mkfifo(folder / "fifo.parquet")
    (folder / "v.sql").symlink_to("/etc/hostname")
    before = (tmp_path / "b.parquet").read_bytes()
    assert [str(entry.name) for entry in con.entries] == ["a"]
    assert set(con.problems) == {"b.parquet", "fifo.parquet", "v.sql"}
    with pytest.raises(Exception, match="already"):
        con.execute("CREATE TABLE b AS SELECT 1 AS n")
    assert (tmp_path / "b.parquet").read_bytes() == before
    (tmp_path / "elsewhere").mkdir()
    os.rmdir(folder / "s")
    (folder / "s").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exception, match=r"schema|link"):
        opened().execute("CREATE SCHEMA IF NOT EXISTS s; CREATE TABLE s.t AS SELECT 1 AS n")
    assert os.listdir(tmp_path / "elsewhere") == []
    os.rename(folder, tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    for sql in ("FROM a", "UPDATE a SET n = 1"):
        with pytest.raises(Exception, match="is no folder"):
            con.execute(sql)
    assert not (tmp_path / "moved" / commit.JOURNAL).exists()
