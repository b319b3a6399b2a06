"""Desks, articles, their versions, and releases of files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desks",
        sa.Column("slug", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("tag", sa.String, nullable=False),
        sa.Column("archives", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "articles",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("own_id", sa.String),
        sa.Column("desk", sa.String, sa.ForeignKey("desks.slug"), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("slug", sa.String, nullable=False),
        sa.Column("asked_slug", sa.String, nullable=False),
        sa.Column("dated", sa.Boolean, nullable=False),
        sa.Column("file", sa.String),
        sa.Column("published", sa.DateTime, nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("public_version", sa.Integer),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("entry", sa.Text),
        sa.Column("archive", sa.Integer),
        sa.UniqueConstraint("desk", "day", "slug", name="articles_address"),
        sa.UniqueConstraint("desk", "own_id", name="articles_own_id"),
    )
    op.create_index(
        "articles_newest", "articles", ["desk", sa.text("published DESC"), sa.text("key DESC")]
    )
    op.create_index("articles_asked_slug", "articles", ["desk", "asked_slug"])
    op.create_index("articles_slug", "articles", ["desk", "slug"])
    op.create_index("articles_digest", "articles", ["desk", "digest"])
    op.create_index("articles_file", "articles", ["desk", "file"])
    op.create_index("articles_archive", "articles", ["desk", "archive"])
    op.create_table(
        "versions",
        sa.Column("article", sa.Integer, sa.ForeignKey("articles.key"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("headline", sa.String, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("made", sa.DateTime, nullable=False),
    )
