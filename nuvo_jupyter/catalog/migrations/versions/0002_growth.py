"""What growth needs: condemned blobs, doomed packs, retention and schedules."""

from alembic import op

from nuvo_jupyter.catalog.tables import (
    condemned,
    doomed,
    metadata,
    preview_target,
    retention,
    schedule,
    snapshot,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them where they are missing."""
    for index in snapshot.indexes:
        index.create(op.get_bind(), checkfirst=True)
    tables = [condemned, doomed, retention, schedule, preview_target]
    metadata.create_all(op.get_bind(), tables=tables, checkfirst=True)
