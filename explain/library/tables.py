"""The tables of the index, as the last migration leaves them."""

import sqlalchemy as sa

VERSION = "0001"  # of the last migration
VERSIONS = (VERSION,)  # of all migrations

METADATA = sa.MetaData()

ENTRIES = sa.Table(
    "entries",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("place", sa.Text, nullable=False),  # the folder of a run; of an explanation empty
    sa.Column("digest", sa.String(64), nullable=False),  # of the manifest or the report
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.String(255), nullable=False),  # empty until there are people who sign in
    sa.Column("created", sa.Double, nullable=False),  # seconds since 1970, as all times here
    sa.Column("expires", sa.Double, nullable=True),
    sa.Column("by_link", sa.Boolean, nullable=False),  # never listed
    sa.Column("deleting", sa.Boolean, nullable=False),  # its files are being deleted, or the rest of them
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("weights", sa.String(64), nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("snippet", sa.Text, nullable=False),
    sa.Column("searched", sa.Text, nullable=False),  # everything that a search looks at, without case
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Index("entries_by_time", "created"),
    sa.Index("entries_by_end", "expires"),
    sa.Index("entries_by_owner", "owner"),
    sa.Index("entries_by_place", "place"),
)

NOTES = sa.Table(
    "notes",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("entry", sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)

LINKS = sa.Table(
    "links",
    METADATA,
    sa.Column("sha256", sa.String(64), primary_key=True),  # of the link's random part, which is kept nowhere
    sa.Column("entry", sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.String(16), nullable=False),
    sa.Column("time", sa.Double, nullable=False),
)
