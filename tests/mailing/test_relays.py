"""DISPATCH_SMTP_URL: what can be written, and what is said of what cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import SettingsError
from dispatch.mailing.relays import Relay, parse, parse_all


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://localhost", Relay("smtp", "localhost", 25)),
        ("SMTP://Mail.Example.ORG:2525/", Relay("smtp", "mail.example.org", 2525)),
        ("smtps://mail.example.org", Relay("smtps", "mail.example.org", 465)),
        ("smtp+starttls://mail.example.org", Relay("smtp+starttls", "mail.example.org", 587)),
        ("smtp://[::1]:2525", Relay("smtp", "::1", 2525)),
        ("smtp://[2001:DB8::0001]", Relay("smtp", "2001:db8::1", 25)),
        ("smtp://192.0.2.1", Relay("smtp", "192.0.2.1", 25)),
        ("smtp://m\u00fcnchen.example", Relay("smtp", "xn--mnchen-3ya.example", 25)),
        (
            "smtps://desk:pa%2Fss%3Aw%40rd%25@mail.example.org",
            Relay("smtps", "mail.example.org", 465, "desk", "pa/ss:w@rd%"),
        ),
        (
            "smtps://world%40example.org:gr%C3%BCn@mail.example.org?auth=xoauth2",
            Relay(
                "smtps", "mail.example.org", 465, "world@example.org", "grün", auth="xoauth2"
            ),
        ),
        (
            "smtp://h?order=1&weight=3&messages=50&window=4&pipelining=no&timeout=30&idle=5.5"
            "&helo=news.example.org&cleartext-auth=yes&ca=%2Fetc%2Fca.pem",
            Relay(
                "smtp", "h", 25, order=1, weight=3, messages=50, window=4, pipelining=False,
                timeout=30, idle=5.5, helo="news.example.org", cleartext_auth=True, ca="/etc/ca.pem",
            ),
        ),
        ("smtp://h?helo=[192.0.2.7]", Relay("smtp", "h", 25, helo="[192.0.2.7]")),
        ("file:out", Relay("file", path="out")),
        ("file:///var/mail/out%20box.mbox", Relay("file", path="/var/mail/out box.mbox")),
        ("file:out?order=9", Relay("file", path="out", order=9)),
        ("sendmail:", Relay("sendmail")),
        ("sendmail:/usr/sbin/sendmail?weight=2", Relay("sendmail", path="/usr/sbin/sendmail", weight=2)),
    ],
)  # fmt: skip
def test_urls(url: str, relay: Relay) -> None:
    assert parse(url) == relay


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("smtp://", "names no host"),
        ("smtp:///path", "names no host"),
        ("smtp://:25", "names no host"),
        ("smtps://user:secret@", "names no host"),
        ("localhost:25", "does not begin with smtp://"),
        ("", "does not begin with smtp://"),
        ("http://mail.example.org", "does not begin with smtp://"),
        ("file:", "names no folder"),
        ("file:out%00box", "a control character in its path"),
        ("sendmail:/usr/sbin/send%00mail", "a control character in its path"),
        ("smtp://h:0", "port 0"),
        ("smtp://h:99999", "cannot be understood"),
        ("smtp://user:pa/secret@h", "%2F"),
        ("smtp://user:pa#secret@h", "%2F"),
        ("smtp://user:pa?secret@h", "%2F"),
        ("smtps://secret@h", "names a user and no password"),
        ("smtps://:secret@h", "a password and no user"),
        ("smtps://user:se%00cret@h", "NUL"),
        ("smtp://h\r\nQUIT", "a space or a control character"),
        ("smtp://a b", "a space or a control character"),
        ("smtp://a%0d%0ab", "no proper name of a host"),
        ("smtp://-h", "no proper name of a host"),
        ("smtp://[mail.example.org]", "A relay"),
        ("smtp://[::1", "cannot be understood"),
        ("smtp://h/inbox", "something behind the host"),
        ("smtp://h?ordre=1", "an option ordre: did you mean order?"),
        ("smtp://h?tls=no", "an option that Dispatch does not know: there are order, weight"),
        ("smtp://h?%0d%0aevil=1", "an option that Dispatch does not know"),
        ("file:out?timeout=3", "an option that Dispatch does not know"),
        ("smtps://user:12?secret", "%2F"),
        ("smtp://h?weight=0", "an option weight that cannot be used: it must be a number from 1"),
        ("smtp://h?weight=-1", "it must be a number from 1 to 1,000"),
        ("smtp://h?timeout=0", "a number of seconds"),
        ("smtp://h?timeout=nan", "a number of seconds"),
        ("smtp://h?pipelining=1", "it must be yes or no"),
        ("smtp://h?auth=cram-md5", "it must be plain, login or xoauth2"),
        ("smtp://h?auth=plain", "how to log in (auth) and not who"),
        ("smtp://h?helo=a%0d%0aMAIL", "it must be the name of this machine"),
        ("smtp://h?order=1&order=2", "the option order twice"),
    ],
)
def test_what_cannot_be_understood_is_said(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(url)
    message = str(error.value)
    assert said in message
    assert "DISPATCH_SMTP_URL" in message
    assert message.isprintable()
    assert message[-1] in ".?"
    assert "secret" not in message


def test_several_stay_in_their_order() -> None:
    urls = ["smtp://b?order=1", "smtp://a", "file:out"]
    assert parse_all(urls) == [parse(url) for url in urls]


@pytest.mark.parametrize(
    "urls",
    [
        ("smtp://a", "smtp://A:25?order=1"),
        ("smtps://one:secret@a", "smtp://b", "smtps://two:secret@a"),
        ("file:out", "file:out"),
    ],
)
def test_the_same_relay_is_not_named_twice(urls: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=f"names the relay {parse(urls[0]).name} twice") as told:
        parse_all(urls)
    assert "secret" not in str(told.value)


def test_a_password_appears_nowhere() -> None:
    relay = parse("smtp+starttls://apikey:hunter2@mail.example.org")
    for shown in (relay.name, str(relay), repr(relay), f"{relay}"):
        assert "hunter2" not in shown
        assert "apikey" not in shown


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("smtp://user:pw@mail.example.org:26", "mail.example.org:26"),
        ("smtp://[::1]", "[::1]:25"),
        ("file:out", "file:out"),
        ("sendmail:", "sendmail"),
    ],
)
def test_a_relay_is_called_by_its_host_and_port(url: str, name: str) -> None:
    assert parse(url).name == name


@given(st.text(max_size=60))
def test_anything_is_a_relay_or_a_sentence(url: str) -> None:
    for text in (url, "smtp://" + url, "smtps://u:p@" + url, "smtp://h?" + url, "file:" + url):
        try:
            parse(text)
        except SettingsError as error:
            assert str(error).isprintable()


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_percent_encoding_carries_any_password(user: str, password: str) -> None:
    from urllib.parse import quote

    if "\0" in user + password:
        return
    try:
        url = f"smtps://{quote(user, safe='')}:{quote(password, safe='')}@mail.example.org"
    except UnicodeEncodeError:  # half a character
        return
    relay = parse(url)
    assert (relay.user, relay.password) == (user, password)
