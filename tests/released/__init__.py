"""Homes as released versions wrote them, in archives that are never changed: every later version opens them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

from tests.contract.disk import Tree, found_in
from tests.engine.campus import Campus

FOLDER = Path(__file__).parent
VERSIONS = sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


def unpack(version: str, folder: Path) -> Path:
    """Lay out a released home in a folder, where a campus finds it; its home."""
    with tarfile.open(FOLDER / f"{version}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    home = folder / "home"
    home.chmod(0o700)
    connection = sqlite3.connect(home / "catalog.sqlite")
    with connection:
        for id_, space, name in connection.execute(
            "SELECT i.id, s.name, i.name FROM instance i JOIN space s ON s.id = i.space_id"
        ).fetchall():
            workspace = folder / space / name
            workspace.mkdir(parents=True, exist_ok=True)
            connection.execute("UPDATE instance SET workspace = ? WHERE id = ?", (str(workspace), id_))
    connection.close()
    return home


def make_older(home: Path) -> None:
    """Take away what the second revision of the schema brought."""
    connection = sqlite3.connect(home / "catalog.sqlite")
    with connection:
        for name in ("condemned", "doomed", "retention", "schedule", "preview_target"):
            connection.execute(f"DROP TABLE {name}")
        for name in ("ix_snapshot_time", "ix_snapshot_name", "ix_snapshot_living"):
            connection.execute(f"DROP INDEX {name}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()


def summary(tree: Tree) -> dict[str, list[Any]]:
    """What lies in a folder, short enough to be kept."""
    return {
        path.decode("ascii", "backslashreplace"): [
            item.kind,
            item.mode,
            hashlib.sha256(item.data).hexdigest()[:16],
        ]
        for path, item in sorted(tree.items())
    }


def restored(campus: Campus) -> dict[str, dict[str, list[Any]]]:
    """Every snapshot there is, restored into an instance of its own."""
    with campus.catalog.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT s.name, i.name, n.number FROM snapshot n JOIN instance i ON i.id = n.instance_id JOIN space s ON s.id = "
            "i.space_id WHERE n.deleted_at IS NULL AND i.name != 'scratch' ORDER BY 1, 2, 3"
        ).all()
    campus.call("instance_create", space=rows[0][0], name="scratch", source="")
    found = {}
    for space, instance, number in rows:
        campus.run("restore", source=f"{space}/{instance}@{number}", instance=f"{rows[0][0]}/scratch")
        found[f"{space}/{instance}@{number}"] = summary(found_in(campus.workspace(f"{rows[0][0]}/scratch")))
    return found


def expected(version: str) -> dict[str, dict[str, list[Any]]]:
    """What the version itself restored."""
    found: dict[str, dict[str, list[Any]]] = json.loads((FOLDER / f"{version}.json").read_text())
    return found
