"""What a message that came back is, whose copy it is about, and what follows for the address."""

from __future__ import annotations

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bounds import CPU_SECONDS
from tests.mailing.returned import EMAIL, RECIPIENT, SAMPLES, TOKENS, sample

from dispatch.mailing.bounces import Understood, understand
from dispatch.mailing.bounces.opening import LARGEST, open_message
from dispatch.mailing.bounces.severity import HARD, Report, judge, severity
from dispatch.mailing.harmless import harmless

BOUNCES = {
    "postfix-unknown-user": ("hard", "5.1.1"),
    "postfix-expired": ("soft", "4.4.1"),
    "sendmail-mailbox-full": ("soft", "5.2.2"),
    "exim-vague-status": ("hard", "5.1.1"),
    "exim-old-without-report": ("hard", None),
    "qmail-no-mailbox": ("hard", "5.1.1"),
    "exchange-online-not-found": ("hard", "5.1.10"),
    "exchange-online-access-denied": ("hard", "5.4.1"),
    "exchange-german-policy": ("soft", "5.7.1"),
    "gmail-no-such-account": ("hard", "5.1.1"),
    "yahoo-disabled": ("hard", None),
    "opensmtpd-error": ("hard", "5.5.0"),
    "report-without-original": ("hard", "5.2.1"),
    "report-in-base64": ("hard", "5.1.1"),
    "several-recipients-one-ours": ("hard", "5.1.1"),
    "sent-to-the-from-address": ("hard", "5.1.2"),
    "token-in-capitals": ("hard", "5.1.1"),
    "token-wrapped-by-a-forwarder": ("hard", "5.1.1"),
    "token-behind-another-delimiter": ("hard", "5.1.1"),
    "unknown-words": ("soft", None),
    "lmtp-too-large": ("soft", "5.3.4"),
    "sender-is-blocked": ("soft", "5.0.0"),
    "steers-a-terminal": ("hard", "5.1.1"),
}
OTHERS = {
    "forwarded-to-two-one-fails": "bounce",  # and its verdict is none
    "postfix-delayed": "ignored",
    "postfix-delivered": "ignored",
    "arf-not-spam": "ignored",
    "auto-reply-german": "ignored",
    "auto-reply-by-precedence": "ignored",
    "auto-reply-by-subject-alone": "ignored",
    "read-receipt": "ignored",
    "arf-yahoo-abuse": "complaint",
    "arf-known-by-its-link": "complaint",
    "outlook-com-complaint": "complaint",
    "arf-opt-out": "unsubscribe",
    "unsubscribe-apple-mail": "unsubscribe",
    "unsubscribe-in-capitals": "unsubscribe",
    "unsubscribe-by-a-postmaster": "unsubscribe",
    "forged-token": "forged",
    "token-of-another-key": "forged",
    "link-token-in-a-return-path": "forged",
    "arf-forged": "forged",
    "unsubscribe-forged": "forged",
    "report-without-a-token": "unknown",
    "arf-without-a-token": "unknown",
    "arf-of-no-known-kind": "unknown",
    "unsubscribe-with-a-return-token": "unknown",
    "a-person-answers": "unknown",
    "spam": "unknown",
}


def understood(data: bytes, came_to: str | None = None) -> Understood:
    return understand(data, TOKENS.read_verp, TOKENS.read_link, came_to)


def test_every_sample_has_its_row() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == BOUNCES.keys() | OTHERS.keys()


@pytest.mark.parametrize(("name", "expected"), BOUNCES.items())
def test_a_bounce_says_whose_copy_it_is_and_why(
    name: str, expected: tuple[str, str | None]
) -> None:
    found = understood(sample(name))
    assert (found.kind, found.recipient) == ("bounce", RECIPIENT)
    verdict = judge(found.reports, EMAIL)
    assert verdict is not None
    assert (verdict.severity, verdict.status) == expected
    assert verdict.reason
    assert verdict.reason.isprintable()
    assert len(verdict.reason) <= 500


@pytest.mark.parametrize(("name", "kind"), OTHERS.items())
def test_what_is_no_bounce_is_told_apart(name: str, kind: str) -> None:
    found = understood(sample(name))
    assert found.kind == kind
    acted_on = kind in ("bounce", "complaint", "unsubscribe")
    assert found.recipient == (RECIPIENT if acted_on else None)
    assert bool(found.why) != acted_on


@pytest.mark.parametrize("name", [*BOUNCES, *OTHERS])
def test_without_the_key_nothing_is_acted_on(name: str) -> None:
    found = understand(sample(name), lambda _: None, lambda _: None)
    assert found.recipient is None
    assert found.kind in ("ignored", "unknown", "forged")


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("name", [*BOUNCES, *OTHERS])
def test_line_ends_make_no_difference(name: str, line_end: bytes) -> None:
    data = sample(name)
    assert understood(data.replace(b"\n", line_end)) == understood(data)


def test_the_line_that_an_mbox_puts_in_front_is_passed_over() -> None:
    data = sample("postfix-unknown-user")
    front = b"From MAILER-DAEMON Tue Nov 24 07:00:05 2026\n"
    assert understood(front + data) == understood(data)


def test_whoever_forwards_their_mail_is_reached_while_one_place_takes_it() -> None:
    found = understood(sample("forwarded-to-two-one-fails"))
    assert judge(found.reports, EMAIL) is None


def test_of_several_places_that_all_fail_the_mildest_counts() -> None:
    reports = (
        Report(("old@example.com",), "failed", "5.1.1", "550 User unknown"),
        Report(("new@example.com",), "failed", "5.2.2", "552 Mailbox full"),
    )
    verdict = judge(reports, EMAIL)
    assert verdict is not None
    assert (verdict.severity, verdict.status) == ("soft", "5.2.2")


def test_the_address_that_the_mail_server_names_is_looked_at_first() -> None:
    data = sample("report-without-a-token")
    address = f"bounces+{TOKENS.verp(7)}@news.example.org"
    assert understood(data, address).recipient == 7
    assert understood(sample("postfix-unknown-user"), address).recipient == 7
    left = understood(b"Subject: leave\n\n", f"unsubscribe+{TOKENS.link(9)}@news.example.org")
    assert (left.kind, left.recipient) == ("unsubscribe", 9)


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        *((code, "", ("hard", code)) for code in HARD),
        ("5.2.2", "550 5.2.2 mailbox does not exist any more, quota", ("soft", "5.2.2")),
        ("5.7.1", "554 5.7.1 user unknown", ("soft", "5.7.1")),
        ("5.7.26", "unauthenticated mail", ("soft", "5.7.26")),
        ("4.2.2", "452 mailbox full", ("soft", "4.2.2")),
        ("4.1.1", "450 user unknown, for the moment", ("soft", "4.1.1")),
        ("5.4.1", "550 Recipient address rejected: Access denied", ("hard", "5.4.1")),
        ("5.4.1", "no answer from host", ("soft", "5.4.1")),
        ("5.4.7", "delivery time expired", ("soft", "5.4.7")),
        ("5.0.0", "550-5.1.1 no such user", ("hard", "5.1.1")),
        ("5.0.0 (permanent failure)", "said: 550 unknown user", ("hard", "5.0.0")),
        ("", "550 mailbox unavailable", ("hard", None)),
        ("", "550 rejected as spam: unknown user", ("soft", None)),
        ("", "550 10.5.1.1 said no", ("soft", None)),
        ("", "", ("soft", None)),
        ("5.1.1.1", "", ("hard", "5.1.1")),
        ("99.1.1", "", ("soft", None)),
    ],
)
def test_the_policy(status: str, words: str, expected: tuple[str, str | None]) -> None:
    assert severity(status, words) == expected


def test_a_reason_is_one_line_that_steers_nothing() -> None:
    assert harmless("a\r\nb\x1b[31mc\x00\u202ed\u2028e\ud800") == "a b [31mc d e"
    assert len(harmless("x" * 10**6)) == 500
    assert harmless("\x00" * 10**6) == ""


def test_what_is_no_mail_at_all_is_not_understood() -> None:
    for data in (b"", b"\n", b"\x00" * 1000, b"\xff\xfe", b"From ", b":\n:\n", b"--\n--"):
        assert understood(data).kind == "unknown"


def bombs() -> dict[str, bytes]:
    to = f"To: bounces+{TOKENS.verp(RECIPIENT)}@news.example.org\n".encode()
    daemon = to + b"From: MAILER-DAEMON\nReturn-Path: <>\n"
    report = b'Content-Type: multipart/report; boundary="b"\n\n'
    status = b"--b\nContent-Type: message/delivery-status\n\n"
    return {
        "messages within messages": to + b"Content-Type: message/rfc822\n\n" * 10_000,
        "parts within parts": to
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000)
        ),
        "ever the same boundary": daemon
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 10_000,
        "parts": daemon + report + b"--b\n\nx\n" * 60_000,
        "boundaries with spaces": daemon + report + (b"--b" + b" " * 5000 + b"x\n") * 90,
        "blocks": daemon + report + status + b"Action: failed\n\n" * 40_000,
        "fields": daemon + b"X-A: b\n" * 70_000,
        "one field": daemon + b"Subject: " + b"a" * 1_000_000 + b"\n\n",
        "folds": daemon + b"Subject: a\n" + b" b\n" * 300_000,
        "encoded words": daemon + b"Subject: " + b"=?utf-8?q?=?= " * 60_000 + b"\n\n",
        "addresses": b"To: " + b"bounces+" * 60_000 + b"@x\n\n",
        "many addresses": b"".join(b"To: a+%030d@x\n" % n for n in range(15_000)) + b"\n",
        "parameters": daemon + b"Content-Type: text/plain" + b"; a=" * 100_000 + b"\n\n",
        "no address in a line": daemon + b"\nHi. This is the\n\n" + b"<" * 400_000,
        "brackets": daemon
        + report
        + b"--b\n\nThis Message was undeliverable due to the following reason:\n"
        + (b"<" * 160 + b"\n") * 1000,
        "spaces": daemon + b"\nYour message to:\n" + b" " * 400_000 + b"x",
        "near addresses": daemon + b"\nfailed addresses follow:\n" + b"a@a," * 100_000,
        "markers": daemon
        + b"\nA message that you sent could not be delivered\nYour message\nfollowing recipient\n"
        + b"<<<<<<<<<<<<<<<<<<<< @ \n" * 20_000,
        "reasons": daemon
        + report
        + status
        + b"Action: failed\nDiagnostic-Code: smtp; "
        + b"user " * 100_000
        + b"\n\n",
        "nothing but NUL": daemon + b"\n" + b"\x00" * 1_000_000,
        "line ends": daemon + b"\r" * 1_000_000,
        "larger than is looked at": daemon + b"\n" + b"x" * (3 * LARGEST),
    }


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_is_over_soon(name: str) -> None:
    started = time.process_time()
    found = understood(bombs()[name])
    for report in found.reports:
        judge([report], EMAIL)
    assert time.process_time() - started < CPU_SECONDS / 10


def test_the_charset_may_be_any_nonsense() -> None:
    names = ("utf-8", "idna", "punycode", "zip", "rot13", "unicode_escape", "utf-7", "x" * 500)
    for charset in (*names, "undefined", "\x00", "iso-8859-99"):
        data = f'Content-Type: text/plain; charset="{charset}"\n\nplain words'.encode()
        assert open_message(data).text == "plain words"
        words = open_message(f"Subject: =?{charset}?q?plain_words?=\n\n".encode())
        assert "plain" in words.headers.words("subject")


def test_what_is_heuristic_fails_in_silence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """flufl.bounce logs its own failures, with a traceback."""
    from flufl.bounce._detectors.qmail import Qmail

    def fail(*_: object) -> None:
        raise RuntimeError("as a detector may")

    monkeypatch.setattr(Qmail, "process", fail)
    found = understood(sample("qmail-no-mailbox"))
    logging.shutdown()
    assert found.kind == "unknown"
    assert capfd.readouterr() == ("", "")


FRAGMENTS = [
    b"\n", b"\n\n", b"\r\n", b": ", b" ", b"--b", b"--b--", b"\x00", b"\xff", b"=?utf-8?b?", b"?=",
    b"Content-Type: multipart/report; boundary=b; report-type=delivery-status",
    b"Content-Type: message/delivery-status", b"Content-Type: message/feedback-report",
    b"Content-Type: message/rfc822", b"Content-Transfer-Encoding: base64",
    b"Content-Transfer-Encoding: quoted-printable", b"Action: failed", b"Status: 5.1.1",
    b"Feedback-Type: abuse", b"From: MAILER-DAEMON@x", b"Subject: failure notice",
    b"Auto-Submitted: auto-replied", b"To: bounces+1f4-0123456789ab0123456789ab@x",
    b"List-Unsubscribe: <https://x/u/1f4-0123456789ab0123456789ab>", b"Final-Recipient: rfc822; a@b",
    b"Hi. This is the qmail-send program at x", b"<a@b>:", b"charset=idna", b"=3D", b"=",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=30)), max_size=40))
def test_no_bytes_raise_or_are_acted_on(pieces: list[bytes]) -> None:
    found = understood(b"".join(pieces))
    assert found.recipient is None
    assert found.kind in ("ignored", "unknown", "forged")


@given(st.sampled_from([*BOUNCES, *OTHERS]), st.data())
def test_a_sample_that_was_damaged_is_acted_on_for_nobody_else(
    name: str, data: st.DataObject
) -> None:
    message = bytearray(sample(name))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    found = understood(bytes(message))
    assert found.recipient in (None, RECIPIENT)
    verdict = judge(found.reports, EMAIL)
    assert verdict is None or (verdict.reason.isprintable() and len(verdict.reason) <= 500)
