"""What other senders call the states of a subscriber.

Words are compared without regard to case, and with hyphens and underscores as
spaces. Who may not be mailed at the other sender may not be mailed here; a
word that is not known is never guessed at.
"""

from __future__ import annotations

from dispatch.audience.states import State

_WORDS: dict[State, tuple[str, ...]] = {
    "pending": (
        "pending", "unconfirmed", "unactivated", "not confirmed", "unverified", "opt in pending",
        "awaiting confirmation", "waiting",
    ),
    "active": (
        "active", "subscribed", "enabled", "confirmed", "opted in", "opt in",
        # Buttondown's and Ghost's: all of them get the newsletter
        "regular", "premium", "trialed", "unpaid", "gifted", "churning", "paused", "past due",
        "free", "paid", "comped",
    ),
    "unsubscribed": (
        "unsubscribed", "opted out", "opt out", "optout", "inactive", "disabled", "blocklisted",
        "blacklisted", "blocked", "suppressed", "removed", "deleted", "archived", "cancelled",
        "canceled", "non subscribed", "nonsubscribed", "not subscribed", "spammy", "transactional",
    ),
    "bounced": (
        "bounced", "cleaned", "undeliverable", "hard bounced", "hard bounce", "invalid", "held",
    ),
    "complained": ("complained", "complaint", "complainer", "marked as spam", "spam", "abuse"),
}  # fmt: skip
_STATES = {word: state for state, words in _WORDS.items() for word in words}
_YES = frozenset({"true", "yes", "y", "1", "t", "on", "x"})
_NO = frozenset({"false", "no", "n", "0", "f", "off"})


def state(text: str) -> State | None:
    """The state that a status word means; None: it is not known."""
    found = _STATES.get(text)
    if found or not text:
        return found
    return _STATES.get(" ".join(text.casefold().replace("-", " ").replace("_", " ").split()))


def yes(text: str) -> bool | None:
    """What a yes-or-no cell says; None: neither."""
    text = text.strip().casefold()
    return True if text in _YES else False if text in _NO else None
