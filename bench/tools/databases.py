"""How a class gets a table elsewhere: a copy of a DuckDB file each, or a schema of its own in one PostgreSQL."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.measuring import NOTHING, CommandFailed, Cost, run
from bench.tools.base import Tool
from bench.trees import size_of

COLUMNS = "CREATE TABLE readings (id INTEGER, sensor SMALLINT, value DOUBLE PRECISION)"
"""The table that is handed out, as both databases understand it."""
_ROWS = {
    "duckdb": "SELECT range, range % 40, hash(range) / 1.8e19 FROM range({rows})",
    "postgres": "SELECT n, n % 40, random() FROM generate_series(0, {rows} - 1) n",
}


def rows_of(rows: int) -> str:
    """The rows of the table as a query of DuckDB."""
    return _ROWS["duckdb"].format(rows=rows)


def copied_files(rows: int, targets: int, folder: Path) -> tuple[Cost, int]:
    """Copy a DuckDB file for each target; what that took, and its bytes."""
    import duckdb

    source = folder / "readings.duckdb"
    with duckdb.connect(str(source)) as db:
        db.execute(COLUMNS)
        db.execute(f"INSERT INTO readings {rows_of(rows)}")
    total = NOTHING
    for number in range(targets):
        total += run(["cp", source, folder / f"student-{number}.duckdb"])
    return total, source.stat().st_size


def dumped_and_restored(rows: int, targets: int, sample: int, folder: Path) -> tuple[Cost, int]:
    """Dump a table once, and restore it into a database for each target; scaled from some.

    Returns:
        What that took, and the bytes of the server's files for one of them.

    Raises:
        CommandFailed: PostgreSQL's server is not installed, or does not start.
    """
    user = _somebody() if os.geteuid() == 0 else None
    data, dump = folder / "server", folder / "dump"
    if user is not None and not all(os.stat(one).st_mode & 0o001 for one in (folder, *folder.parents)):
        # The server does not run as root, and nobody else gets in here.
        data = Path(tempfile.mkdtemp(prefix="nuvo-bench-"))
    data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        shutil.chown(data, user)
    _quietly([_program("initdb"), "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C"], user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [_program("postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", data],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        user=user,
        cwd=data,
    )
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", "bench"]
    try:
        assert server.stderr is not None
        if not any("ready to accept connections" in line for line in iter(server.stderr.readline, "")):
            raise CommandFailed("PostgreSQL's server did not start")
        run(["createdb", *where, "master"])
        make = f"{COLUMNS}; INSERT INTO readings {_ROWS['postgres'].format(rows=rows)}"
        run(["psql", *where, "-q", "-d", "master", "-c", make])
        total = run(["pg_dump", *where, "-Fc", "-f", dump, "master"])
        before, each = size_of(data), NOTHING
        reached = min(sample, targets)
        for number in range(reached):
            each += run(["createdb", *where, f"student_{number}"])
            each += run(["pg_restore", *where, "-d", f"student_{number}", dump])
        run(["psql", *where, "-q", "-d", "master", "-c", "CHECKPOINT"])
        return total + each.times(targets / reached), (size_of(data) - before) // reached
    finally:
        server.terminate()
        server.communicate()
        shutil.rmtree(data)


def _somebody() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _program(name: str) -> str:
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise CommandFailed(f"{name} is not installed; as root: apt-get install postgresql")
    return found


def _quietly(command: Sequence[str | Path], user: str | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, user=user, cwd="/", check=False)
    if done.returncode:
        raise CommandFailed(f"{command[0]} ended with {done.returncode}: {done.stderr[-500:]}")


DUCKDB_FILE = Tool(
    "duckdb-file",
    "a copy of a DuckDB file by cp for each target; nothing is flushed",
    ("cp", "--version"),
    "cp",
)
PG_DUMP = Tool(
    "pg_dump",
    "pg_dump once, then createdb and pg_restore for each target, on a server of its own",
    ("pg_dump", "--version"),
    "pg_dump",
    package="postgresql",
    slow=True,
)
