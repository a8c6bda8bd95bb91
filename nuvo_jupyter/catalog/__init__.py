"""Metadata in SQLAlchemy Core: SQLite or PostgreSQL, migrated by Alembic."""
