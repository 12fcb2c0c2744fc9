"""Entries, with an owner, notes and links."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "entries",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=True),
        sa.Column("by_link", sa.Boolean, nullable=False),
        sa.Column("deleting", sa.Boolean, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("weights", sa.String(64), nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("snippet", sa.Text, nullable=False),
        sa.Column("searched", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    for name, column in (("time", "created"), ("end", "expires"), ("owner", "owner"), ("place", "place")):
        op.create_index(f"entries_by_{name}", "entries", [column])
    op.create_table(
        "notes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("entry", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "links",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("entry", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("time", sa.Double, nullable=False),
    )
    op.create_index("ix_notes_entry", "notes", ["entry"])
    op.create_index("ix_links_entry", "links", ["entry"])


def downgrade() -> None:
    """Drop the tables; the folders hold what they held."""
    for table in ("links", "notes", "entries"):
        op.drop_table(table)
