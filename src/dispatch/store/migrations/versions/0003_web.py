"""Sign-up, preferences, members' feeds, the API, WebSub and clicks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("consent_text", sa.String))
    op.add_column(
        "subscribers",
        sa.Column("frequency", sa.String, nullable=False, server_default="each"),
    )
    op.add_column("subscribers", sa.Column("paused_until", sa.BigInteger))
    op.add_column("subscribers", sa.Column("digested", sa.BigInteger))
    digests = sa.text("frequency <> 'each'")
    op.create_index(
        "subscribers_digests",
        "subscribers",
        ["desk", "frequency", "timezone", "digested"],
        sqlite_where=digests,
        postgresql_where=digests,
    )
    op.add_column("articles", sa.Column("public_since", sa.BigInteger))
    op.create_index("articles_public", "articles", ["desk", "public_since"])
    op.add_column(
        "editions", sa.Column("kind", sa.String, nullable=False, server_default="newsletter")
    )
    public = sa.text("entry IS NOT NULL")
    op.create_index("articles_id", "articles", ["id"])
    op.create_index(
        "articles_days",
        "articles",
        ["desk", "day", "key"],
        sqlite_where=public,
        postgresql_where=public,
    )
    _signups()
    _tokens()
    _pings_and_clicks()


def _signups() -> None:
    op.create_table(
        "signups",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("desk", sa.String, nullable=False),
        sa.Column("address_key", sa.String, nullable=False),
        sa.Column("mailbox", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("language", sa.String),
        sa.Column("timezone", sa.String),
        sa.Column("frequency", sa.String, nullable=False, server_default="each"),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("ip", sa.String),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger),
        sa.Column("outcome", sa.String),
        sa.Column("recipient", sa.Integer),
        sa.Column("until", sa.BigInteger),
    )
    for name, columns, where in (
        ("signups_waiting", ["key"], "done IS NULL"),
        ("signups_mailbox", ["mailbox", "done"], "done IS NOT NULL"),
        ("signups_done", ["done", "domain", "ip"], "done IS NOT NULL"),
        ("signups_recipient", ["recipient"], "done IS NOT NULL"),
        ("signups_until", ["until"], "done IS NOT NULL"),
    ):
        these = sa.text(where)
        op.create_index(name, "signups", columns, sqlite_where=these, postgresql_where=these)


def _tokens() -> None:
    op.create_table(
        "feed_tokens",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("subscriber", sa.Integer, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
    )
    op.create_index("feed_tokens_subscriber", "feed_tokens", ["subscriber"])
    op.create_table(
        "feed_days",
        sa.Column("token", sa.Integer, sa.ForeignKey("feed_tokens.key"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("reads", sa.Integer, nullable=False),
        sa.Column("places", sa.Integer, nullable=False),
    )
    op.create_table(
        "api_tokens",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("hash", sa.String, nullable=False, unique=True),
        sa.Column("scopes", sa.String, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime),
        sa.Column("revoked", sa.DateTime),
        sa.Column("used", sa.DateTime),
    )
    op.create_table(
        "api_requests",
        sa.Column("token", sa.Integer, sa.ForeignKey("api_tokens.key"), primary_key=True),
        sa.Column("idempotency_key", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
    )


def _pings_and_clicks() -> None:
    op.create_table(
        "pings",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("hub", sa.String, nullable=False),
        sa.Column("topic", sa.String, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reply", sa.String),
        sa.UniqueConstraint("hub", "topic", name="pings_once"),
    )
    op.create_table(
        "links",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.UniqueConstraint("edition", "url", name="links_once"),
    )
    op.create_table(
        "clicks",
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), primary_key=True),
        sa.Column("link", sa.Integer, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
