"""What Dispatch is measured against, each as a program of its own: how most scripts do it.

``python -m benchmarks.others KIND ARGUMENTS`` prints the seconds that it took.
"""

from __future__ import annotations

import smtplib
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

_STYLE = """<style>
body { font-family: Georgia, serif; color: #1a1a1a; background: #f4f1ea; margin: 0 }
p { font-size: 17px; line-height: 1.5; margin: 0 0 16px }
h1 { font-size: 30px; line-height: 1.2 } a { color: #8c1c13 } img { max-width: 100% }
@media (max-width: 600px) { p { font-size: 16px } }
</style></head>"""


def plain_loop(port: str, page: str, count: str) -> None:
    """Jinja, premailer, EmailMessage and smtplib for each recipient.

    Args:
        page: a newsletter as HTML.
    """
    import jinja2
    from premailer import Premailer

    source = Path(page).read_text(encoding="utf-8").replace("</head>", _STYLE, 1)
    template = jinja2.Environment(autoescape=True).from_string(
        source.replace("</body>", "<p>For {{ name }}, {{ email }}</p></body>", 1)
    )
    with smtplib.SMTP("127.0.0.1", int(port)) as relay:
        begun = time.perf_counter()
        for number in range(int(count)):
            to = f"reader{number}@example.org"
            html = Premailer(template.render(name=f"Reader {number}", email=to)).transform()
            message = EmailMessage()
            message["From"] = "World desk <world@example.org>"
            message["To"] = to
            message["Subject"] = "The morning letter"
            message["Message-ID"] = make_msgid(domain="news.example.org")
            message.set_content("The letter is in the HTML part.")
            message.add_alternative(html, subtype="html")
            relay.send_message(message)
        print(time.perf_counter() - begun)


def lockstep(port: str, message: str, count: str) -> None:
    """A client that waits for each answer (smtplib), one connection, the same message again."""
    data = Path(message).read_bytes()
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", int(port)) as relay:
        for number in range(int(count)):
            relay.sendmail("bounces@example.org", [f"reader{number}@example.org"], data)
    print(time.perf_counter() - begun)


_KINDS: dict[str, Callable[..., None]] = {
    "plain-loop": plain_loop,
    "lockstep": lockstep,
}

if __name__ == "__main__":
    _KINDS[sys.argv[1]](*sys.argv[2:])
