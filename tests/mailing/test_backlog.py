"""Which copy goes next: in order, at the rate, and never for a domain that rests."""

from __future__ import annotations

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
    assert waiting.parked_copies == 2
    assert waiting.wake is not None
    clock.now = waiting.wake
    assert taken(waiting) == [1]


def test_what_waits_for_a_domain_that_rests_can_be_given_back() -> None:
    clock = Clock()
    waiting = backlog(clock, domains=resting("slow.example", clock.now))
    waiting.add([recipient(1, "slow.example"), recipient(2), recipient(3, "slow.example")])
    assert taken(waiting) == [2]
    given_back = waiting.unpark()
    assert [key for key, _ in given_back] == [1, 3]
    assert all(wake > clock.now for _, wake in given_back)
    assert len(waiting) == 0


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
