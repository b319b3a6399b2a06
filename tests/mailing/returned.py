"""Messages that came back, invented, with tokens put into them."""

from __future__ import annotations

from pathlib import Path

from dispatch.mailing.tokens import Tokens

SAMPLES = Path(__file__).parent / "bounces"
RECIPIENT = 0x1F4
EMAIL = "ann@example.net"
TOKENS = Tokens(["a key of the tests, long enough"])
FOREIGN = Tokens(["the key of another newsroom here"])


def sample(name: str, recipient: int = RECIPIENT, tokens: Tokens = TOKENS) -> bytes:
    """The message, with the recipient's tokens where it says ``{verp}`` and ``{link}``."""
    verp, link = tokens.verp(recipient), tokens.link(recipient)
    filled = {
        "verp": verp,
        "link": link,
        "VERP": verp.upper(),
        "LINK": link.upper(),
        "forged": f"{recipient:x}-{'0123456789ab' * 2}",
        "foreign": FOREIGN.verp(recipient),
    }
    data = (SAMPLES / f"{name}.eml").read_bytes()
    for word, value in filled.items():
        data = data.replace(b"{%s}" % word.encode(), value.encode())
    return data
