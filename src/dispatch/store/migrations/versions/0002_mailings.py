"""The audience, editions, the ledger of mailings, and bounces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _audience()
    _editions()
    _ledger()


def _audience() -> None:
    op.create_table(
        "subscribers",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("desk", sa.String, nullable=False),
        sa.Column("address_key", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("language", sa.String),
        sa.Column("timezone", sa.String),
        sa.Column("tags", sa.String, nullable=False, server_default=""),
        sa.Column("fields", sa.Text),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("consent_source", sa.String),
        sa.Column("consent_at", sa.DateTime),
        sa.Column("consent_ip", sa.String),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.UniqueConstraint("desk", "address_key", name="subscribers_address"),
    )
    op.create_index("subscribers_person", "subscribers", ["address_key"])
    op.create_table(
        "moves",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("subscriber", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("cause", sa.String, nullable=False),
    )
    op.create_index("moves_subscriber", "moves", ["subscriber"])
    op.create_table(
        "suppressions",
        sa.Column("address_key", sa.String, primary_key=True),
        sa.Column("desk", sa.String, primary_key=True),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "forgotten",
        sa.Column("hash", sa.String, primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
    )


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("desk", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("segment", sa.String),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("seed", sa.String, nullable=False),
        sa.Column("token_key", sa.String, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "edition_articles",
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("article", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("edition_articles_article", "edition_articles", ["article"])
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "edition_files",
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), primary_key=True),
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("sha256", sa.String, sa.ForeignKey("blobs.sha256"), nullable=False),
    )


def _ledger() -> None:
    op.create_table(
        "mailings",
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("in_doubt", sa.String, nullable=False),
        sa.Column("candidates", sa.Integer, nullable=False),
        sa.Column("started", sa.BigInteger),
        sa.Column("finished", sa.BigInteger),
    )
    op.create_index("mailings_state", "mailings", ["state"])
    op.create_table(
        "mailing_counts",
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), primary_key=True),
        sa.Column("state", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "recipients",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), nullable=False),
        sa.Column("subscriber", sa.Integer),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("domain", sa.String, nullable=False),
        sa.Column("name", sa.String),
        sa.Column("language", sa.String),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("doubts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger),
        sa.Column("reply", sa.String),
        sa.Column("lease", sa.Integer),
        sa.UniqueConstraint("edition", "subscriber", name="recipients_once"),
    )
    op.create_index("recipients_subscriber", "recipients", ["subscriber"])
    waiting = sa.text("state = 'queued' OR state = 'leased' OR state = 'deferred'")
    op.create_index(
        "recipients_waiting",
        "recipients",
        ["edition", "state", "due"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "leases",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, sa.ForeignKey("editions.key"), nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "relay_days",
        sa.Column("relay", sa.String, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("accepted", sa.Integer, nullable=False),
    )
    op.create_table(
        "bounces",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("recipient", sa.Integer, nullable=False),
        sa.Column("subscriber", sa.Integer),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("status", sa.String),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.UniqueConstraint("message", "recipient", name="bounces_once"),
    )
    op.create_index("bounces_subscriber", "bounces", ["subscriber"])
    op.create_index("bounces_recipient", "bounces", ["recipient"])
