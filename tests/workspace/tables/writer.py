"""What processes of the tests do with tables: ``python writer.py WHAT FOLDER [ARGUMENTS]``."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from nuvo_jupyter.workspace.tables.connection import Connection


def increment(con: Connection, times: str) -> None:
    for _ in range(int(times)):
        with con.transaction():
            con.execute("UPDATE a SET n = n + 1")
            con.execute("INSERT INTO b SELECT max(n) + 1 FROM b")


def check(con: Connection) -> None:
    """Both tables are of one point, until somebody creates a file."""
    before = 0
    while not os.path.exists("stop"):
        n, rows = con.execute("SELECT (SELECT n FROM a), (SELECT count(*) FROM b)").fetchone()
        assert n == rows - 1, (n, rows)
        assert n >= before, (n, before)
        before = n


def insert_until_killed(con: Connection) -> None:
    con.execute("CREATE TABLE IF NOT EXISTS big (i BIGINT, t VARCHAR)")
    print("ready", flush=True)
    while True:
        con.execute("INSERT INTO big SELECT i, 'text ' || i FROM range(20000) r(i)")


def die_between_renames(con: Connection, after: str) -> None:
    left = int(after)
    replace, unlink = os.replace, os.unlink

    def counted(call: Callable[..., None]) -> Callable[..., None]:
        def run(*values: object, **options: object) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            call(*values, **options)

        return run

    os.replace = counted(replace)
    os.unlink = counted(unlink)
    with con.transaction():
        con.execute(
            "UPDATE a SET n = 7; UPDATE b SET n = 7; DROP TABLE c; CREATE SCHEMA s; CREATE TABLE s.d AS SELECT 7 AS n"
        )


def hold(con: Connection) -> None:
    con.begin().execute("UPDATE a SET n = 100")
    print("ready", flush=True)
    sys.stdin.readline()
    con.commit()


def fill_the_disk(con: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    try:
        con.execute("INSERT INTO a SELECT (hash(i) >> 34)::INTEGER FROM range(1000000) r(i)")
    except Exception as error:
        print(type(error).__name__, error)
    con.execute("INSERT INTO a VALUES (5)")


def sleep_in_a_query(con: Connection) -> None:
    # A shell may have had it ignored for what it runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        print("ready", flush=True)
        con.execute(
            "INSERT INTO a SELECT count(*) FROM range(100000000) x(i), range(100000) y(j) WHERE (i * j) % 7 = 3"
        )
    except KeyboardInterrupt:
        pass
    con.execute("INSERT INTO a VALUES (8)")
    print(con.execute("SELECT list(n) FROM a").fetchall())


def drop_and_make(con: Connection, times: str) -> None:
    for i in range(int(times)):
        con.execute("DROP TABLE IF EXISTS c")
        con.execute(f"CREATE TABLE IF NOT EXISTS c AS SELECT {i} AS n, 'x' AS t")


def read_dropped(con: Connection) -> None:
    import duckdb

    while not os.path.exists("stop"):
        try:
            assert len(con.execute("FROM c").fetchall()) == 1
        except duckdb.CatalogException:
            pass


def as_nobody(folder: Path) -> None:
    os.setgid(65534)
    os.setuid(65534)
    with Connection(folder) as con:
        print(con.execute("FROM a").fetchall())
        try:
            con.execute("INSERT INTO a VALUES (1)")
        except Exception as error:
            print(type(error).__name__, error)


def main() -> None:
    what, folder, *arguments = sys.argv[1:]
    if what == "as_nobody":
        as_nobody(Path(folder))
        return
    with Connection(Path(folder)) as con:
        globals()[what](con, *arguments)


if __name__ == "__main__":
    main()
