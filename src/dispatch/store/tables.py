"""The tables, as SQLAlchemy Core sees them. Changing them needs a migration beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

REVISION = "0003"
"""The newest migration: what a database made today is stamped with."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. A naive one is refused: nobody could say when it was."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC)


class EpochTime(TypeDecorator[datetime]):
    """An aware time as whole milliseconds since 1970 (UTC), for the tables that have many rows."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else epoch(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_epoch(value)


def epoch(time: datetime) -> int:
    """Whole milliseconds since 1970. A naive time is refused: nobody could say when it was."""
    if time.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {time}")
    return (time - _1970) // _MILLISECOND


def from_epoch(milliseconds: int) -> datetime:
    """The time, in UTC, that :func:`epoch` gave."""
    return _1970 + milliseconds * _MILLISECOND


_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


metadata = MetaData()

desks = Table(
    "desks",
    metadata,
    Column("slug", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("tag", String, nullable=False),  # its feed's id, a tag: URI; never changes
    # How many archive documents (RFC 5005) the desk's feeds have.
    Column("archives", Integer, nullable=False, default=0, server_default="0"),
)

articles = Table(
    "articles",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", String, nullable=False),  # tag: URI, RFC 4151
    Column("own_id", String),  # the desk's own, from the article
    Column("desk", String, ForeignKey("desks.slug"), nullable=False),
    Column("day", Date, nullable=False),  # of its address; never moves
    Column("slug", String, nullable=False),  # of its address; never moves
    Column("asked_slug", String, nullable=False),  # before another article's stood in its way
    Column("dated", Boolean, nullable=False),  # whether the article named its own day
    Column("file", String),  # where it was last read from; None: standard input
    Column("published", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("public_version", Integer),  # the newest that became public; None: embargoed so far
    Column("digest", String, nullable=False),
    # What the desk's feeds print of it, as JSON; None while it is not for the public.
    Column("entry", Text),
    Column("archive", Integer),  # the archive document it stands in, if in one
    # When it became public here, whatever its date: digests go by it. Of two of a desk, the one
    # that is recorded later has the later time, even where the clock was set back. None: it is not
    # public, or was before there were digests.
    Column("public_since", EpochTime),
    UniqueConstraint("desk", "day", "slug", name="articles_address"),
    UniqueConstraint("desk", "own_id", name="articles_own_id"),
)
Index("articles_newest", articles.c.desk, articles.c.published.desc(), articles.c.key.desc())
Index("articles_asked_slug", articles.c.desk, articles.c.asked_slug)
Index("articles_slug", articles.c.desk, articles.c.slug)
Index("articles_digest", articles.c.desk, articles.c.digest)
Index("articles_file", articles.c.desk, articles.c.file)
Index("articles_archive", articles.c.desk, articles.c.archive)
Index("articles_id", articles.c.id)
# Of the public ones alone: a desk's days are listed and counted without a look at its articles.
Index(
    "articles_days",
    articles.c.desk,
    articles.c.day,
    articles.c.key,
    sqlite_where=text("entry IS NOT NULL"),
)
Index("articles_public", articles.c.desk, articles.c.public_since)

versions = Table(
    "versions",
    metadata,
    Column("article", Integer, ForeignKey("articles.key"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("made", UtcTime, nullable=False),
    Column("digest", String, nullable=False),
    Column("headline", String, nullable=False),
    Column("content", Text, nullable=False),  # the whole article, as JSON
)

# A set of files that was written whole but may not stand in its place yet.
releases = Table(
    "releases",
    metadata,
    Column("id", String, primary_key=True),
    Column("made", UtcTime, nullable=False),
)

# The audience ------------------------------------------------------------------------------------

# One row for each desk that a person reads: who leaves one newsletter keeps the others.
subscribers = Table(
    "subscribers",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("desk", String, nullable=False),  # its slug
    Column("address_key", String, nullable=False),  # what makes two addresses the same
    Column("email", String, nullable=False),  # as it is mailed: the domain in ASCII, lower case
    Column("domain", String, nullable=False),
    Column("name", String),
    Column("language", String),  # BCP 47
    Column("timezone", String),  # IANA
    Column("tags", String, nullable=False, server_default=""),  # |one|two|
    Column("fields", Text),  # any other column of an import, as a JSON object of strings
    Column("state", String, nullable=False),  # pending active unsubscribed bounced complained
    Column("consent_source", String),
    Column("consent_at", UtcTime),
    Column("consent_ip", String),
    Column("created", UtcTime, nullable=False),
    Column("changed", UtcTime, nullable=False),
    Column("consent_text", String),  # what stood at the button that they pressed
    # each: every edition by itself; daily, weekly: a digest of what was published
    Column("frequency", String, nullable=False, server_default="each"),
    Column("paused_until", EpochTime),  # nothing is sent to them before
    Column("digested", EpochTime),  # what was published up to here they have had
    UniqueConstraint("desk", "address_key", name="subscribers_address"),
    Index("subscribers_person", "address_key"),
    Index(
        "subscribers_digests",
        "desk",
        "frequency",
        "timezone",
        "digested",
        sqlite_where=text("frequency <> 'each'"),
    ),
)

# How a subscriber came from one state to another; the first state is with the subscriber itself.
moves = Table(
    "moves",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("subscriber", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("cause", String, nullable=False),  # in words
    Index("moves_subscriber", "subscriber"),
)

# What people asked for at a sign-up form, written down before anything else is done about it. What
# is done is kept for a while: limits are counted by it, and a confirmation is of what was asked.
signups = Table(
    "signups",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("desk", String, nullable=False),
    Column("address_key", String, nullable=False),
    Column("mailbox", String, nullable=False),  # the same for all addresses that end up in one
    Column("email", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("name", String),
    Column("language", String),
    Column("timezone", String),
    Column("frequency", String, nullable=False, server_default="each"),
    Column("source", String, nullable=False),  # the form: the sign-up page, or a site's own
    Column("text", String, nullable=False),  # what stood at the button
    Column("ip", String),
    Column("at", EpochTime, nullable=False),
    Column("done", EpochTime),  # None: it waits
    Column("outcome", String),  # asked, told, or why nothing was sent
    Column("recipient", Integer),  # the mail that came of it
    Column("until", EpochTime),  # it is kept so long
    Index(
        "signups_waiting",
        "key",
        sqlite_where=text("done IS NULL"),
    ),
    # Only of what is done: writing one down touches none of them.
    *(
        Index(
            f"signups_{name}",
            *columns,
            sqlite_where=text("done IS NOT NULL"),
        )
        for name, columns in {
            "mailbox": ("mailbox", "done"),
            "done": ("done", "domain", "ip"),
            "recipient": ("recipient",),
            "until": ("until",),
        }.items()
    ),
)

# Personal feed addresses. The token that stands in one is signed and names the row: whoever knows
# the table does not know the address.
feed_tokens = Table(
    "feed_tokens",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("subscriber", Integer, nullable=False),
    Column("made", EpochTime, nullable=False),
    Column("revoked", EpochTime),
    Index("feed_tokens_subscriber", "subscriber"),
)

# How often, and from how many places, a personal feed was read on each day (UTC).
feed_days = Table(
    "feed_days",
    metadata,
    Column("token", Integer, ForeignKey("feed_tokens.key"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("reads", Integer, nullable=False),
    Column("places", Integer, nullable=False),  # different IP addresses, at least so many
)

# Who may use the API. Of a token there is only its hash.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("hash", String, nullable=False, unique=True),  # SHA-256
    Column("scopes", String, nullable=False),  # parted by spaces
    Column("made", UtcTime, nullable=False),
    Column("expires", UtcTime),
    Column("revoked", UtcTime),
    Column("used", UtcTime),  # about when it was last used
)

# Mailings that programs ordered with a key of their own, so that asking again sends nothing twice.
api_requests = Table(
    "api_requests",
    metadata,
    Column("token", Integer, ForeignKey("api_tokens.key"), primary_key=True),
    Column("idempotency_key", String, primary_key=True),
    Column("digest", String, nullable=False),  # SHA-256 of what was ordered
    Column("edition", Integer, ForeignKey("editions.key"), nullable=False),
    Column("made", UtcTime, nullable=False),
)

# Addresses that are not mailed, whatever a list says. An empty desk: by none of them.
suppressions = Table(
    "suppressions",
    metadata,
    Column("address_key", String, primary_key=True),
    Column("desk", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# People who asked to be forgotten: a keyed hash of the address, so that no import brings them back.
forgotten = Table(
    "forgotten",
    metadata,
    Column("hash", String, primary_key=True),
    Column("at", UtcTime, nullable=False),
)

# Keys of this newsroom that nobody set: made at random when first needed, never shown.
secrets = Table(
    "secrets",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("made", UtcTime, nullable=False),
)

# Editions and the ledger -------------------------------------------------------------------------

# One newsletter issue, frozen: nothing of it ever changes. Its key is the mailing's number.
editions = Table(
    "editions",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("desk", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("segment", String),  # as it was typed
    Column("made", UtcTime, nullable=False),
    Column("seed", String, nullable=False),  # random; Message-IDs and copies are made of it
    Column("token_key", String, nullable=False),  # which secret signed the personal links
    # newsletter, digest; confirm, welcome, already: what Dispatch itself writes, one edition a day
    Column("kind", String, nullable=False, server_default="newsletter"),
    sqlite_autoincrement=True,
)

edition_articles = Table(
    "edition_articles",
    metadata,
    Column("edition", Integer, ForeignKey("editions.key"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 is the lead story
    Column("article", String, nullable=False),  # its id
    Column("version", Integer, nullable=False),
    Index("edition_articles_article", "article"),
)

# What an edition was made of and became: bodies and templates, by name.
edition_files = Table(
    "edition_files",
    metadata,
    Column("edition", Integer, ForeignKey("editions.key"), primary_key=True),
    Column("name", String, primary_key=True),  # body/en, templates/email/article.html
    Column("sha256", String, ForeignKey("blobs.sha256"), nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# The sending of an edition: the part that moves.
mailings = Table(
    "mailings",
    metadata,
    Column("edition", Integer, ForeignKey("editions.key"), primary_key=True),
    Column("state", String, nullable=False),  # scheduled sending paused held finished cancelled
    Column("reason", String),  # why it is paused or held, as a sentence
    Column("due", EpochTime, nullable=False),  # of the first copy
    Column("in_doubt", String, nullable=False),  # hold or resend
    Column("candidates", Integer, nullable=False),
    Column("started", EpochTime),
    Column("finished", EpochTime),
    Index("mailings_state", "state"),
)

# How many recipients of a mailing are in each state; moved along with them, in one transaction.
mailing_counts = Table(
    "mailing_counts",
    metadata,
    Column("edition", Integer, ForeignKey("editions.key"), primary_key=True),
    Column("state", String, primary_key=True),
    Column("count", Integer, nullable=False),
)

# The ledger: every candidate of an edition, and what became of their copy.
recipients = Table(
    "recipients",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("edition", Integer, ForeignKey("editions.key"), nullable=False),
    Column("subscriber", Integer),  # None: forgotten since
    Column("email", String, nullable=False),
    Column("domain", String, nullable=False),
    Column("name", String),
    Column("language", String),
    # queued leased accepted deferred bounced suppressed cancelled in_doubt
    Column("state", String, nullable=False),
    Column("due", BigInteger, nullable=False),  # epoch milliseconds; not before
    Column("attempts", Integer, nullable=False, server_default="0"),
    # How often it was in doubt: only the first time may be followed by a resend unasked.
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("at", BigInteger),  # epoch milliseconds; of the last change of state
    Column("reply", String),  # the relay's words, or why it was left out
    Column("lease", Integer),  # the one that holds it, where it is leased
    UniqueConstraint("edition", "subscriber", name="recipients_once"),
    Index("recipients_subscriber", "subscriber"),
    Index(
        "recipients_waiting",
        "edition",
        "state",
        "due",
        # With OR, so that SQLite sees from one state, written out, that the index serves.
        sqlite_where=text("state = 'queued' OR state = 'leased' OR state = 'deferred'"),
    ),
)

# Who holds recipients at present. The key is the epoch: a greater one is a later one.
leases = Table(
    "leases",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("edition", Integer, ForeignKey("editions.key"), nullable=False),
    Column("owner", String, nullable=False),  # host, process and a random part
    Column("boot", String, nullable=False),  # of the machine: another one means that it went down
    Column("made", EpochTime, nullable=False),
    # By the machine's own clock, in milliseconds since it started (dispatch.ledger.machine): the
    # time of day can be set, this one cannot.
    Column("expires", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# What relays have accepted on each day (UTC); kept for those that are being warmed up.
relay_days = Table(
    "relay_days",
    metadata,
    Column("relay", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("accepted", Integer, nullable=False),
)

# What came back by mail, each message once. Recipient 0: about no copy, only remembered as seen.
bounces = Table(
    "bounces",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("message", String, nullable=False),  # SHA-256 of the message it was read from
    Column("recipient", Integer, nullable=False),
    Column("subscriber", Integer),
    Column("kind", String, nullable=False),  # hard soft complaint unsubscribe seen
    Column("status", String),  # RFC 3463, such as 5.1.1
    Column("reason", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    UniqueConstraint("message", "recipient", name="bounces_once"),
    Index("bounces_subscriber", "subscriber"),
    Index("bounces_recipient", "recipient"),
)

# The web -----------------------------------------------------------------------------------------

# Hubs that are to be told of a change of a feed (WebSub). What was told is deleted.
pings = Table(
    "pings",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("hub", String, nullable=False),
    Column("topic", String, nullable=False),  # the feed's address
    Column("made", EpochTime, nullable=False),
    Column("due", EpochTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reply", String),  # why the last attempt failed
    UniqueConstraint("hub", "topic", name="pings_once"),
)

# Links of newsletters whose clicks are counted.
links = Table(
    "links",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("edition", Integer, ForeignKey("editions.key"), nullable=False),
    Column("url", String, nullable=False),
    UniqueConstraint("edition", "url", name="links_once"),
)

# How often a link was followed on each day (UTC); link 0 is the opening of the edition itself.
clicks = Table(
    "clicks",
    metadata,
    Column("edition", Integer, ForeignKey("editions.key"), primary_key=True),
    Column("link", Integer, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("count", Integer, nullable=False),
)
