"""A copy of an edition: complete, correct, its reader's own, and nobody else's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.policy import default, strict
from pathlib import Path

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.golden_files import check_golden
from tests.mailing.editions import (
    ANN,
    MADE,
    TOKENS,
    composed,
    contents,
    copy,
    expected,
    press,
    read,
    rendition,
)
from tests.renditions.email_samples import ARABIC_DESK, CISTERNS, DESK, FERRY, article

from dispatch.article import Article
from dispatch.desk import Desk, Mailbox
from dispatch.errors import DeliveryError, SettingsError
from dispatch.mailing.composer import Composition, Person, Press
from dispatch.mailing.quoting import encoded, value
from dispatch.renditions import digest
from dispatch.renditions import email as newsletter
from dispatch.renditions.message import bounded_name
from dispatch.renditions.templates import Templates


def head(message: bytes) -> str:
    return message.partition(b"\r\n\r\n")[0].decode()


def header(message: bytes, name: str) -> str:
    """A header as it stands in the message, folds and all."""
    found = re.findall(rf"(?m)^{name}: (.*(?:\r\n[ \t].*)*)\r$", head(message) + "\r\n")
    assert len(found) == 1, f"{name} stands {len(found)} times"
    return str(found[0])


# Read by a person --------------------------------------------------------------------------------


def test_golden() -> None:
    check_golden("email/ann.eml", copy())


# The headers -------------------------------------------------------------------------------------

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Precedence",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]


def test_the_headers_in_full() -> None:
    message = copy()
    link = TOKENS.link(500)
    assert read(message).keys() == HEADERS
    assert header(message, "From") == "Meridian World <world@news.example.org>"
    assert header(message, "To") == "Ann Abelard <ann@example.org>"
    assert header(message, "Subject") == FERRY.headline
    assert header(message, "Date") == "Wed, 25 Nov 2026 07:00:00 +0000"
    assert re.fullmatch(r"<[0-9a-f]{32}@news\.example\.org>", header(message, "Message-ID"))
    assert header(message, "List-Id") == "<world.news.example.org>"
    assert header(message, "List-Unsubscribe") == (
        f"<https://news.example.org/world/unsubscribe/{link}>, "
        f"<mailto:unsubscribe+{link}@news.example.org?subject=unsubscribe>"
    )
    assert header(message, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert header(message, "Precedence") == "bulk"
    assert header(message, "Auto-Submitted") == "auto-generated"
    assert header(message, "Content-Language") == "en"


def test_feedback_id_has_four_fields_and_the_sender_s_last() -> None:
    fields = header(copy(), "Feedback-ID").split(":")
    assert fields[:3] == ["7", "world", "newsletter"]
    assert 5 <= len(fields[3]) <= 15  # as Gmail asks
    other = Press(composed(edition=8), TOKENS).copy(ANN)[1]
    assert header(other, "Feedback-ID").split(":")[3] == fields[3]


def test_the_date_is_the_edition_s_in_the_desk_s_time() -> None:
    desk = replace(DESK, timezone=timezone(timedelta(hours=-5)))
    message = Press(composed(desk=desk), TOKENS).copy(ANN)[1]
    assert header(message, "Date") == "Wed, 25 Nov 2026 02:00:00 -0500"
    with pytest.raises(ValueError, match="zone"):
        composed(made=datetime(2026, 11, 25))  # noqa: DTZ001


def test_the_message_id_is_the_recipient_s_in_this_edition() -> None:
    ids = {press().message_id(key) for key in range(1000)}
    assert len(ids) == 1000
    assert header(copy(), "Message-ID") == press().message_id(500)
    again = Press(Composition.from_bytes(composed().to_bytes()), TOKENS)
    assert again.message_id(500) == press().message_id(500)
    assert Press(composed(seed="other"), TOKENS).message_id(500) not in ids


def test_a_site_without_https_offers_no_one_click() -> None:
    desk = replace(DESK, site_url="http://localhost:8000")
    message = Press(composed(desk=desk), TOKENS).copy(ANN)[1]
    assert "List-Unsubscribe-Post" not in head(message)
    assert header(message, "List-Unsubscribe").startswith("<http://localhost:8000/world/unsub")


def test_list_unsubscribe_stands_raw_on_one_line() -> None:
    site = f"https://news.example.org/{'a-long-path/' * 20}x"
    message = Press(composed(desk=replace(DESK, site_url=site)), TOKENS).copy(ANN)[1]
    value = header(message, "List-Unsubscribe")
    assert value.startswith(f"<{site}/world/unsubscribe/{TOKENS.link(500)}>, <mailto:")
    assert "\n" not in value
    assert read(message)["List-Unsubscribe"] == value


@pytest.mark.parametrize("site", [f"https://x.example/{'y' * 990}", "https://x.example/\r\nBcc: a"])
def test_a_site_that_fits_no_header_is_a_sentence(site: str) -> None:
    with pytest.raises(SettingsError, match="DISPATCH_SITE_URL"):
        composed(desk=replace(DESK, site_url=site))


def test_what_an_address_may_hold_and_an_uri_may_not_is_encoded() -> None:
    composition = composed(unsubscribe_address="a&b%c@news.example.org")
    value = header(Press(composition, TOKENS).copy(ANN)[1], "List-Unsubscribe")
    assert f"<mailto:a%26b%25c+{TOKENS.link(500)}@news.example.org?subject=" in value


@pytest.mark.parametrize(
    "address",
    [
        "bounces",
        "a b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "World <a@example.org>",
        "@example.org",
        "",
    ],
)
def test_an_address_of_the_desk_that_is_none_is_a_sentence(address: str) -> None:
    with pytest.raises(SettingsError, match="DISPATCH_RETURN_PATH is no address"):
        composed(return_path=address)
    with pytest.raises(SettingsError, match="DISPATCH_UNSUBSCRIBE_ADDRESS is no address"):
        composed(unsubscribe_address=address)


def test_a_local_part_that_has_no_room_for_a_token_is_a_sentence() -> None:
    composed(return_path=f"{'b' * 26}@example.org")
    with pytest.raises(SettingsError, match="Shorten what stands before the @ to 26"):
        composed(return_path=f"{'b' * 27}@example.org")


def test_the_return_path_tells_whose_bounce_it_is() -> None:
    sender, _ = press().copy(ANN)
    local, _, host = sender.partition("@")
    name, _, token = local.partition("+")
    assert (name, host) == ("bounces", "news.example.org")
    assert TOKENS.read_verp(token.upper()) == 500
    assert TOKENS.read_link(token) is None
    assert len(press().copy(replace(ANN, key=16**12 - 1))[0].partition("@")[0]) <= 64


# To ----------------------------------------------------------------------------------------------


def test_a_copy_is_for_one_person() -> None:
    (address,) = read(copy())["To"].addresses
    assert (address.display_name, address.addr_spec) == ("Ann Abelard", "ann@example.org")


def address_of(message: bytes) -> str:
    """The only address in To. Python's parser leaves UTF-8 as lone surrogates."""
    (address,) = read(message, default.clone(utf8=True))["To"].addresses
    return str(address.addr_spec).encode("utf-8", "surrogateescape").decode()


@pytest.mark.parametrize("name", [None, "", "  ", "\r\n", "\u202e\u2066", "\0"])
def test_who_has_no_name_is_greeted_as_a_reader(name: str | None) -> None:
    message = copy(Person(1, "ann@example.org", name))
    assert header(message, "To") == "<ann@example.org>"
    assert "Hello reader," in contents(message)[0]


def test_a_local_part_beyond_ascii_makes_a_header_in_utf8_and_leaves_the_body_as_it_is() -> None:
    message = copy(Person(1, "müller@example.org", "Jürgen"))
    top, _, body = message.partition(b"\r\n\r\n")
    assert [line.decode() for line in top.split(b"\r\n") if not line.isascii()] == [
        "To: =?utf-8?q?J=C3=BCrgen?= <müller@example.org>"
    ]
    assert body.isascii()
    assert address_of(message) == "müller@example.org"
    assert "müller@example.org" in contents(message)[0]


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.org)bob@evil.example",
        '"a b"@example.org',
        "a@b@example.org",
        "a@example.org, b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org\nDATA",
        "a@example.org\n",
        "a(comment)@example.org",
        "<a@example.org>",
        "@example.org",
        "a@",
        "a@-x.example",
        "a@[127.0.0.1]",
        "a..b@example.org",
        ".a@example.org",
        "a\u2028@example.org",
        "a\u202e@example.org",
        "a\u200b@example.org",
        "a\ud800@example.org",
        "a\0@example.org",
        "ü" * 33 + "@example.org",
        "a" * 65 + "@example.org",
        f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 60}",
        "a" * 1_000_000,
        "",
    ],
)
def test_an_address_that_can_be_misread_is_never_mailed(address: str) -> None:
    with pytest.raises(DeliveryError, match="cannot be mailed") as refused:
        copy(Person(1, address, None))
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "o'hara+news@example.org",
        "a&b=c?d{e}@example.org",
        "x" * 64 + "@example.org",
        f"x@{'b' * 60}.{'c' * 60}.{'d' * 60}.example",
        "用户@xn--fsqu00a.example",
    ],
)
def test_any_other_address_is_the_envelope_s_to_the_letter(address: str) -> None:
    message = copy(Person(1, address, "Ann"))
    assert address_of(message) == address
    assert contents(message) == expected(rendition(), Person(1, address, "Ann"))


# The parts ---------------------------------------------------------------------------------------


def test_the_parts_are_the_rendition_s_with_the_reader_s_values() -> None:
    text, html = contents(copy())
    assert [text, html] == expected(rendition(), ANN)
    assert "\nHello Ann Abelard,\n" in text
    assert "\nYou get this because ann@example.org is subscribed to World.\n" in text
    link = TOKENS.link(500)
    for page in ("view", "preferences", "unsubscribe"):
        assert f"\nhttps://news.example.org/world/{page}/{link}\n" in text
        assert f'href="https://news.example.org/world/{page}/{link}"' in html


def test_a_digest_and_another_script_come_through_as_well() -> None:
    for rendered, desk in (
        (newsletter.render(CISTERNS, ARABIC_DESK, Templates(), personal=True), ARABIC_DESK),
        (digest.render([FERRY, CISTERNS], DESK, Templates()), DESK),
    ):
        person = Person(3, "salma@example.org", "سلمى الحدراوي")
        message = Press(composed(rendered, desk), TOKENS).copy(person)[1]
        assert contents(message) == expected(rendered, person, desk)


@pytest.mark.parametrize(
    ("sample", "desk", "tag"), [(FERRY, DESK, "ar"), (FERRY, DESK, "ja"), (CISTERNS, DESK, "de")]
)
@pytest.mark.parametrize("name", ["Ann", None, "سلمى", "<&\"'>"])
def test_a_reader_s_language_changes_what_is_said_to_them_and_nothing_else(
    sample: Article, desk: Desk, tag: str, name: str | None
) -> None:
    rendered = newsletter.render(sample, desk, Templates(), personal=True, readers=[tag])
    spoken = rendered.spoken(tag)
    person = Person(3, "ann@example.org", name)
    own = Press(composed(rendered, desk), TOKENS).copy(person)[1]
    other = Press(composed(spoken, desk), TOKENS).copy(person)[1]
    assert contents(other) == expected(spoken, person, desk)
    assert contents(other) != contents(own)
    assert header(other, "Content-Language") == sample.language
    assert without_edge(head(other)) == without_edge(head(own))
    assert_well_formed(other)


def without_edge(headers: str) -> str:
    return re.sub(r"=_[0-9a-f]{32}", "", headers)


def test_a_rendition_that_is_nobody_s_cannot_be_mailed() -> None:
    with pytest.raises(ValueError, match="nobody's"):
        composed(newsletter.render(FERRY, DESK, Templates()))


MARKS_IN_CORNERS = [
    "{{ recipient.name }}",
    "\n\n{{ recipient.name }}\n\n",
    "{{ recipient.name }}{{ recipient.email }}{{ recipient.name }}",
    "x {{ recipient.name }} y",
    "{{ recipient.name }}.",
    "{{ recipient.name }} \n.\n {{ recipient.email }}\t\n",
    "=\n={{ recipient.name }}=\n",
    "From {{ recipient.name }}",
    "{{ 'x' * 74 }}{{ recipient.name }}{{ 'ü' * 74 }}\n",
    "{{ 'x' * 75 }}{{ recipient.name }}\n{{ 'x' * 76 }}{{ recipient.name }}",
    "{{ recipient.say('%(name)s ', '') }}\n{{ recipient.say(' %(name)s', 'x') }}",
    f"{{{{ recipient.say('{'é' * 90} %(name)s{'.' * 90}', 'x') }}}}",
    "--{{ recipient.name }}--\n.{{ recipient.name }}\n",
]


@pytest.mark.parametrize("corner", MARKS_IN_CORNERS)
@pytest.mark.parametrize("name", ["Ann", None, ".", "From x", "=", "é" * 64, "<&\"'>", "a" * 64])
def test_a_value_may_stand_at_any_place_of_a_line(
    corner: str, name: str | None, tmp_path: Path
) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "article.html").write_text(
        f"<pre>{corner}</pre>{corner}<p>{{{{ recipient.unsubscribe_url }}}}{{{{ body }}}}"
    )
    (tmp_path / "email" / "article.txt").write_text(
        f"{corner}\n{{{{ recipient.unsubscribe_url }}}}{corner}"
    )
    rendered = newsletter.render(article("Rain."), DESK, Templates(tmp_path), personal=True)
    person = Person(1, "ann@example.org", name)
    message = Press(composed(rendered), TOKENS).copy(person)[1]
    assert contents(message) == expected(rendered, person)
    assert_well_formed(message)


# No name breaks anything ----------------------------------------------------------------------------


def assert_well_formed(message: bytes) -> None:
    """RFC 5322 and 2045: ASCII, CRLF and nothing else at line ends, lines that are short enough."""
    assert message.isascii()
    assert message.endswith(b"--\r\n")
    bare = message.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\0" not in message
    top, _, body = message.partition(b"\r\n\r\n")
    assert max(map(len, top.split(b"\r\n"))) <= 998
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert line.rstrip(b" \t") == line
    for line in top.split(b"\r\n"):
        for word in re.findall(rb"=\?\S+\?=", line):
            assert len(word) <= 75


def tree(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each element of a document as a browser reads it, with the names of its attributes."""
    document = html5lib.parse(html, namespaceHTMLElements=False)
    return [(str(e.tag), tuple(e.attrib)) for e in document.iter()]


HOSTILE = [
    "Ann\r\nBcc: victim@example.org",
    "Ann\r\n\r\nBody",
    "Ann\rBcc: x",
    "Ann\x85Bcc: x",
    "Ann\u2028Bcc: x",
    'Ann" <evil@example.org>, "',
    "Evil <ceo@victim.example>, " * 4,
    "=?utf-8?q?=0D=0ABcc:_x@example.org?=",
    "=?utf-8?b?DQpCY2M6IHg=?=",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</p></td></tr></table>",
    "<!-- ",
    "]]>",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "{{ 7 * 7 }} {% for x in y %}",
    "%(email)s %s {0} $name",
    "\u202egnp.exe\u202c",
    "\u2066a\u2069",
    "👩🏽‍🚀" * 30,
    "x" * 10_000,
    "é" * 10_000,
    " " * 10_000 + "x",
    "\ud800\udfff Ann \udcff",
    ".",
    "..",
    ".\r\n.\r\nQUIT",
    "From Ann",
    "From: Ann",
    "--=_0123456789abcdef--",
    "=",
    "=3D=\n",
    "=20",
    "Ann\t\t",
    "\0\x01\x1b[31m",
    "\ufeffAnn\uffff",
    "أنّا",
    "あん" * 40,
    "A, B; C: D",
    "\\",
    '"',
    "(comment)",
    "m0123456789abcdef0123456",
    "javascript:alert(1)",
    "' OR 1=1 --",
]


def assert_harmless(name: str) -> None:
    """A copy for somebody of this name is Ann's, but for the name."""
    person = Person(501, "x@example.org", name)
    sender, message = press().copy(person)
    shown = bounded_name(name[:1000])
    assert_well_formed(message)
    parsed = read(message)
    assert parsed.keys() == HEADERS
    assert not parsed.defects
    (address,) = parsed["To"].addresses
    assert address.addr_spec == "x@example.org"
    assert spoken(message) == shown
    ours, anns = dict(parsed.items()), dict(read(copy()).items())
    for own in ("To", "Message-ID", "List-Unsubscribe"):
        del ours[own], anns[own]
    assert ours == anns
    assert contents(message) == expected(rendition(), person)
    assert tree(contents(message)[1]) == tree(contents(copy())[1])
    assert sender == press().copy(replace(person, name=None))[0]


def spoken(message: bytes) -> str:
    """The display name in To as RFC 2047 and 5322 have it, read by the older reader of headers."""
    text = header(message, "To").rpartition("<")[0].replace("\r\n", "").strip()
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return str(make_header(decode_header(text))) if text.startswith("=?") else text


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:30])
def test_a_hostile_name_is_shown_and_nothing_else(name: str) -> None:
    assert_harmless(name)


@settings(max_examples=120)
@given(st.text(max_size=120))
def test_any_name_is_harmless(name: str) -> None:
    assert_harmless(name)


@settings(max_examples=120)
@given(st.text(st.sampled_from(" \t\r\n.=<>\"'&;,:()\\@-_?éあ\u202e\ud800From"), max_size=70))
def test_any_name_of_characters_that_mean_something_is_harmless(name: str) -> None:
    assert_harmless(name)


def test_naughty_strings(shared: Path) -> None:
    for name in json.loads((shared / "data" / "blns.json").read_text(encoding="utf-8")):
        person = Person(501, "x@example.org", name)
        message = copy(person)
        assert_well_formed(message)
        assert read(message).keys() == HEADERS
        assert contents(message) == expected(rendition(), person)


# Whose it is ----------------------------------------------------------------------------------------


def people() -> Iterator[Person]:
    names = ["Ann", "Jürgen", None, "<b>", "سلمى", "x" * 64]
    for key in range(1, 40):
        yield Person(key * 977, f"reader{key}@example.org", names[key % len(names)])


def personal(person: Person) -> set[bytes]:
    """What of one person's copy may stand in no other."""
    found = {
        TOKENS.link(person.key),
        TOKENS.verp(person.key),
        press().message_id(person.key),
        person.email,
    }
    return {text.encode() for text in found}


def test_nothing_of_one_person_s_is_in_another_s_copy() -> None:
    whole: dict[int, bytes] = {}
    for person in people():
        sender, message = press().copy(person)
        # Soft line breaks may part what is personal: what is read counts as well.
        whole[person.key] = b"\n".join([
            sender.encode(), message, *map(str.encode, contents(message))
        ])  # fmt: skip
    for one in people():
        for key, found in whole.items():
            assert all((text in found) == (key == one.key) for text in personal(one))


def test_two_copies_differ_in_what_is_personal_and_in_nothing_else() -> None:
    def impersonal(person: Person) -> bytes:
        message = press().copy(person)[1]
        for text in personal(person) | {person.name.encode() if person.name else b"\0"}:
            message = message.replace(text, b"*")
        return message

    assert impersonal(Person(1, "ann@example.org", "Ann")) == impersonal(
        Person(2_000_000, "berthold.brecht@example.org", "Berthold")
    )


def test_the_same_person_s_copy_is_the_same_however_often_it_is_made() -> None:
    frozen = Composition.from_bytes(composed().to_bytes())
    for person in people():
        assert Press(frozen, TOKENS).copy(person) == press().copy(person)


def test_it_is_the_same_after_the_keys_were_rotated() -> None:
    keys = ["a newer key, long enough for it", "a key for tests, long enough"]
    rotated = type(TOKENS)(keys).signing_with(TOKENS.newest)
    assert Press(composed(), rotated).copy(ANN) == press().copy(ANN)
    assert Press(composed(), type(TOKENS)(keys)).copy(ANN) != press().copy(ANN)


# Frozen ---------------------------------------------------------------------------------------------


def test_a_composition_is_frozen_as_bytes_that_say_everything() -> None:
    composition = composed()
    data = composition.to_bytes()
    assert Composition.from_bytes(data) == composition
    assert Composition.from_bytes(data).to_bytes() == data
    assert data.isascii()
    assert (composition.language, composition.subject) == ("en", FERRY.headline)
    assert composition.from_domain == "news.example.org"


def test_the_same_input_gives_the_same_bytes_in_any_process() -> None:
    script = textwrap.dedent("""
        import sys
        from hashlib import sha256
        from tests.mailing.editions import composed
        sys.stdout.write(sha256(composed().to_bytes()).hexdigest())
    """)
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            check=True,
            text=True,
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: b"\xff\xfe",
    lambda data: b"{}",
    lambda data: b"[]",
    lambda data: b'{"format": "dispatch composition 1"}',
    lambda data: data[:-100],
    lambda data: data.replace(b'"kind": "link"', b'"knd": "link"'),
    lambda data: re.sub(rb'"head": \[', b'"head": 1, "x": [', data),
]


@pytest.mark.parametrize("damaged", DAMAGES)
def test_what_was_damaged_is_a_sentence(damaged: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DeliveryError, match="Restore a backup"):
        Composition.from_bytes(damaged(composed().to_bytes()))


def test_a_form_of_later_versions_is_a_sentence() -> None:
    data = composed().to_bytes().replace(b"composition 1", b"composition 9")
    with pytest.raises(DeliveryError, match="does not know"):
        Composition.from_bytes(data)


def test_in_a_browser_it_is_nobody_s() -> None:
    html = composed().browser_html()
    assert "Hello reader," in html
    assert "This newsletter goes to the subscribers of World." in html
    assert 'href="https://news.example.org/world/unsubscribe/"' in html
    assert tree(html) == tree(contents(copy())[1])
    assert html.endswith("</html>\n")


# The sender's own values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject", ["Größe", "a\r\nBcc: x@example.org", "x" * 3000, "\0", "日" * 99]
)
def test_any_subject_makes_a_copy_with_the_same_headers(subject: str) -> None:
    message = Press(composed(replace(rendition(), subject=subject)), TOKENS).copy(ANN)[1]
    assert_well_formed(message)
    assert read(message).keys() == HEADERS
    assert read(message, strict)["Subject"]


def test_a_hostile_sender_is_one_address() -> None:
    desk = replace(DESK, sender=Mailbox("Evil <a@b.example>, \r\nBcc: x", "world@news.example.org"))
    message = Press(composed(desk=desk), TOKENS).copy(ANN)[1]
    (address,) = read(message)["From"].addresses
    assert address.addr_spec == "world@news.example.org"
    assert read(message).keys() == HEADERS


def test_the_edition_s_time_is_the_only_one() -> None:
    later = composed(made=MADE + timedelta(days=1))
    assert [later.text[n] for n in range(1, 3)] == [composed().text[n] for n in range(1, 3)]


# Quoted-printable ----------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
@example("a \n\t\n.\nFrom x\n")
@example("x" * 75 + "=" + "x" * 74 + "é" + " ")
def test_what_is_encoded_in_pieces_comes_back_whole(text: str) -> None:
    import quopri

    middle = len(text) // 2
    whole = f"{encoded(text[:middle])}=\r\n{encoded(text[middle:])}=\r\n!"
    assert quopri.decodestring(whole.encode()).decode() == text.replace("\n", "\r\n") + "!"
    for line in whole.split("\r\n"):
        assert len(line) <= 76
        assert not line.startswith((".", "From "))
        assert line.rstrip() == line


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=100))
@example(".")
@example("From ")
@example("a ")
def test_a_value_is_one_line_that_comes_back(text: str) -> None:
    import quopri

    quoted = value(text)
    assert quopri.decodestring(quoted).decode() == text
    for line in quoted.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert line.rstrip() == line
