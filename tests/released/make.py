"""Run once for each release, by the version that is released: ``python -m tests.released.make VERSION``.

Writes the archive of a small home, and what each of its snapshots restores to. Both are kept for ever.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.contract.disk import FOLDER as EMPTY
from tests.contract.disk import file, lay_out, link, tree
from tests.engine.campus import Campus
from tests.released import FOLDER, restored

FIRST = tree(
    {
        "a.txt": "first\n", "empty.txt": "", "week1/notes.txt": "notes\n" * 100, "week1/run.sh": file("#!/bin/sh\n", 0o755),
        "week1/link": link("../a.txt"), "nothing here": EMPTY, "large.csv": file(b"".join(b"%d,%d\n" % (n // 20_000, n % 50) for n in range(400_000))),
        b"odd\xff name": file(b"\x00\x01"), "\u00fcber.txt": "umlaut\n",
    }
)  # fmt: skip
SECOND = {**FIRST, **tree({"a.txt": "second\n", "week2/new.txt": "new\n"})}


def main(version: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        campus = Campus(folder)
        campus.space()
        campus.run("roster_add", space="intro", people="anna\nben", source="")
        master = campus.workspace("intro/master")
        lay_out(master, FIRST)
        campus.snapshot("intro/master", name="released", description="The first week")
        campus.run("distribute", source="intro/master", whole=True, to=["all"])
        (campus.workspace("intro/anna") / "a.txt").write_text("hers\n")
        lay_out(master, SECOND)
        campus.run("distribute", source="intro/master", whole=True, to=["all"], strategies={"file": "merge"})
        campus.close()
        connection = sqlite3.connect(campus.home / "catalog.sqlite")
        with connection:
            connection.execute("UPDATE instance SET workspace = '/nowhere/' || id")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")
        connection.close()
        with tarfile.open(FOLDER / f"{version}.tar.xz", "w:xz") as archive:
            for part in ("catalog.sqlite", "store"):
                archive.add(campus.home / part, f"home/{part}", filter=anonymous)
        campus = Campus(folder)
        found = restored(campus)
        campus.close()
        (FOLDER / f"{version}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member that says nothing of who made it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(sys.argv[1])
