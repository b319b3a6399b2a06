"""What a connection's result means for its recipient."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from dispatch.ledger.facts import Recipient
from dispatch.mailing.transport import Copy, Result
from dispatch.mailing.verdicts import Verdicts

NOW = 1_800_000_000_000
COPY = Copy(7, "bounces@example.org", "ann@example.org", "example.org", b"")


def recipient(attempts: int = 0) -> Recipient:
    return Recipient(7, 1, "ann@example.org", "example.org", None, None, attempts)


def verdicts() -> Verdicts:
    return Verdicts(timedelta(hours=1), Random(1))


@pytest.mark.parametrize("kind", ["accepted", "bounced", "in_doubt"])
def test_what_is_final_is_recorded_with_the_words_of_the_relay(kind: str) -> None:
    result = Result(COPY, kind, "250 2.0.0 Ok: queued as 4F2")  # type: ignore[arg-type]
    outcome = verdicts().outcome(result, recipient(), 0, NOW)
    assert (outcome.key, outcome.state, outcome.reply) == (7, kind, "250 2.0.0 Ok: queued as 4F2")


def test_what_is_refused_for_the_moment_is_tried_again_later() -> None:
    result = Result(COPY, "deferred", "450 4.7.1 Try later", 450, "4.7.1", "recipient")
    outcome = verdicts().outcome(result, recipient(), 0, NOW)
    assert outcome.state == "deferred"
    assert NOW + 5 * 60_000 <= outcome.due <= NOW + 6 * 60_000


def test_what_was_tried_for_long_enough_bounces_with_the_last_answer() -> None:
    result = Result(COPY, "deferred", "450 4.7.1 Try later", 450, "4.7.1", "recipient")
    outcome = verdicts().outcome(result, recipient(attempts=20), 0, NOW)
    assert outcome.state == "bounced"
    assert outcome.reply == "Given up after 21 tries. The last answer: 450 4.7.1 Try later"


def test_what_never_left_is_queued_again_and_counts_as_no_try() -> None:
    result = Result(COPY, "unsent", "The lease has run out.")
    assert verdicts().outcome(result, recipient(), 0, NOW).state == "queued"


def test_a_copy_that_breaks_one_connection_after_another_waits() -> None:
    result = Result(COPY, "unsent", "The relay broke off.", blame="relay")
    states = [verdicts().outcome(result, recipient(), n, NOW).state for n in (1, 2, 3)]
    assert states == ["queued", "queued", "deferred"]
