"""Which copy goes next: in order, at the rate, and never for a domain that rests."""

from __future__ import annotations

import itertools

from dispatch.ledger.facts import Recipient
from dispatch.mailing.backlog import Backlog
from dispatch.mailing.pacing import Domains, Rate
from dispatch.mailing.transport import Copy, Result


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def recipient(key: int, domain: str = "example.org") -> Recipient:
    return Recipient(key, 1, f"reader{key}@{domain}", domain, None, None, 0)


def press(recipient: Recipient) -> Copy:
    return Copy(recipient.key, "", recipient.email, recipient.domain, b"")


def backlog(clock: Clock, rate: float = 0, domains: Domains | None = None) -> Backlog:
    return Backlog(press, Rate(rate), domains or Domains(), clock)


def taken(backlog: Backlog) -> list[int]:
    keys = []
    while copy := backlog.take():
        keys.append(copy.key)
    return keys


def resting(domain: str, now: float) -> Domains:
    """Domains of which one has closed the door four times."""
    domains = Domains()
    for n in range(4):
        copy = Copy(0, "", f"a@{domain}", domain, b"")
        domains.told(
            domain,
            Result(copy, "deferred", "421 4.7.0 Slow down", 421, "4.7.0", "recipient"),
            now - 30 + 10 * n,
        )
    assert domains.may_send(domain, now) > 1
    return domains


def test_copies_go_in_the_order_they_were_leased() -> None:
    waiting = backlog(Clock())
    waiting.add([recipient(1), recipient(2)])
    waiting.add([recipient(3)])
    assert taken(waiting) == [1, 2, 3]
    assert waiting.wake is None


def test_a_copy_that_did_not_leave_goes_first() -> None:
    waiting = backlog(Clock())
    waiting.add([recipient(1), recipient(2)])
    copy = waiting.take()
    assert copy
    waiting.put_back(copy)
    assert taken(waiting) == [1, 2]


def test_the_rate_holds_copies_back_and_says_until_when() -> None:
    clock = Clock()
    waiting = backlog(clock, rate=1)
    waiting.add([recipient(1), recipient(2)])
    assert taken(waiting) == [1]
    assert waiting.wake is not None
    assert clock.now < waiting.wake <= clock.now + 1
    clock.now = waiting.wake
    assert taken(waiting) == [2]


def test_looking_in_vain_uses_nothing_of_the_rate() -> None:
    clock = Clock()
    waiting = backlog(clock, rate=1)
    for _ in range(5):
        assert waiting.take() is None
    waiting.add([recipient(1)])
    assert taken(waiting) == [1]


def test_a_domain_that_rests_holds_up_nobody_else() -> None:
    clock = Clock()
    waiting = backlog(clock, domains=resting("slow.example", clock.now))
    waiting.add(
        [recipient(1, "slow.example"), recipient(2), recipient(3, "slow.example"), recipient(4)]
    )
    assert taken(waiting) == [2, 4]
    assert waiting.parked == 2
    assert waiting.wake is not None
    clock.now = waiting.wake
    assert taken(waiting) == [1]


def test_too_many_for_a_domain_that_rests_are_given_back_until_their_turn() -> None:
    clock = Clock()
    domains = resting("slow.example", clock.now)
    waiting = backlog(clock, domains=domains)
    waiting.add([recipient(key, "slow.example") for key in range(10)])
    waiting.add([recipient(100)])
    assert taken(waiting) == [100]
    given_back = waiting.surplus(4)
    assert [key for key, _ in given_back] == [4, 5, 6, 7, 8, 9]
    assert waiting.parked == len(waiting) == 4
    rest = domains.may_send("slow.example", clock.now)
    turns = [turn - clock.now for _, turn in given_back]
    assert rest < turns[0] < turns[-1] <= 600
    gaps = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert all(abs(gap - domains.gap("slow.example")) < 0.001 for gap in gaps)

    waiting.add([recipient(key, "slow.example") for key in range(10, 13)])
    assert taken(waiting) == []
    later = [turn - clock.now for _, turn in waiting.surplus(4)]
    assert min(later) > turns[-1], "whoever was leased later has their turn behind those"


def test_a_recipient_who_is_parked_has_no_copy_yet() -> None:
    clock = Clock()
    pressed: list[int] = []

    def noted(recipient: Recipient) -> Copy:
        pressed.append(recipient.key)
        return press(recipient)

    waiting = Backlog(noted, Rate(0), resting("slow.example", clock.now), clock)
    waiting.add([recipient(1, "slow.example"), recipient(2)])
    assert taken(waiting) == [2]
    assert pressed == [2]


def test_one_whose_copy_cannot_be_made_holds_up_nobody() -> None:
    waiting = Backlog(lambda r: None if r.key == 1 else press(r), Rate(0), Domains(), Clock())
    waiting.add([recipient(1), recipient(2)])
    assert taken(waiting) == [2]


def test_copies_that_are_made_elsewhere_are_taken_as_they_come() -> None:
    clock = Clock()
    domains = resting("slow.example", clock.now)
    waiting = Backlog(press, Rate(0), domains, clock, ahead=True)
    waiting.add([recipient(1), recipient(2, "slow.example"), recipient(3, "slow.example")])
    assert taken(waiting) == []
    batch = waiting.unpressed(2)
    assert [r.key for r in batch] == [1, 2]
    waiting.ready(press(r) for r in batch)
    assert taken(waiting) == [1]
    assert waiting.unpressed(2) == [], "nobody whose domain rests is worth a signature now"
    assert waiting.wake
    clock.now = waiting.wake
    assert taken(waiting) == [2]


def test_what_is_unwanted_is_withdrawn_wherever_it_is() -> None:
    clock = Clock()
    waiting = backlog(clock, domains=resting("slow.example", clock.now))
    waiting.add([recipient(1, "slow.example"), recipient(2)])
    assert taken(waiting) == [2]
    waiting.put_back(press(recipient(2)))
    waiting.add([recipient(3), recipient(4)])
    assert sorted(waiting.withdraw(lambda key: key != 4)) == [1, 2, 3]
    assert taken(waiting) == [4]
    assert waiting.withdraw() == []
