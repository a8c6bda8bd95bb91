"""The schema by its migrations is the schema the program works with; what was released is never changed again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import nuvo_jupyter.catalog.migrations
from nuvo_jupyter.catalog import tables as t
from nuvo_jupyter.catalog.database import Catalog

FROZEN = {"0001_first.py": "8cb5ac27f73c4684", "0002_growth.py": "c51425dbab8a8a8f"}
"""The beginning of each released revision's SHA-256."""


def statements(connection: sa.Connection) -> set[str]:
    rows = connection.execute(
        sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger'")
    )
    # Constraints may come in another order.
    return {" ".join(sorted(re.split(r",\s*(?![^(]*\))|\s+", row.sql.replace('"', "")))) for row in rows}


def test_migrations_make_what_the_program_expects(tmp_path: Path) -> None:
    catalog = Catalog(f"sqlite:///{tmp_path}/catalog.sqlite")
    with catalog.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []
        made = statements(connection)
    catalog.close()
    fresh = sa.create_engine("sqlite://")
    with fresh.begin() as connection:
        t.metadata.create_all(connection)
        expected = statements(connection)
    fresh.dispose()
    assert {text for text in made if "alembic_version" not in text} == expected


def test_released_revisions_are_frozen() -> None:
    folder = Path(next(iter(nuvo_jupyter.catalog.migrations.__path__)), "versions")
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16] for name in FROZEN}
    assert found == FROZEN, "a schema that changes is a new revision, never an older one changed"
