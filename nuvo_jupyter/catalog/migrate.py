"""Bring a catalog to this version's schema with Alembic."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from nuvo_jupyter.model.errors import CatalogDamaged

if TYPE_CHECKING:
    from nuvo_jupyter.catalog.database import Catalog

HEAD = "0002"
"""The newest revision in ``migrations/versions``; a test compares them. Kept here so that opening an
up-to-date catalog costs one query and not Alembic's import (0.2 s)."""


_ALEMBIC = threading.Lock()
_LOCK = 0x6E75766F


def upgrade(catalog: Catalog) -> None:
    """Create or upgrade the schema; does nothing when it is already up to date.

    Raises:
        CatalogDamaged: the catalog was written by a newer version of Nuvo, or by another program.
    """
    if _revision(catalog) == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    # Alembic keeps what it works on in module variables.
    with _ALEMBIC, catalog.write() as connection:
        if not catalog.is_sqlite:
            # On SQLite the transaction itself is alone.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        # Another process may have upgraded while this one waited for the lock.
        current = _revision_of(connection)
        if current == HEAD:
            return
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise CatalogDamaged(
                f"The catalog has schema {current}, which this version of Nuvo does not know.",
                hint="It was written by a newer version: upgrade with `pip install -U nuvo-jupyter`.",
            )
        if current is None and sa.inspect(connection).get_table_names():
            raise CatalogDamaged(
                "The catalog's database holds tables of another program.",
                hint="Set c.Nuvo.catalog_url (NUVO_CATALOG_URL) to a database of Nuvo's own.",
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(catalog: Catalog) -> str | None:
    with catalog.read() as connection:
        return _revision_of(connection)


def _revision_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(sa.text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])
