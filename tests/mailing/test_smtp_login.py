"""Encryption and log-in: what is never said in the clear, and to whom it is said at all."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

import pytest
from tests.servers.certificates import Authority
from tests.servers.copies import Copies, copies, copy, send
from tests.servers.delay import DelayProxy
from tests.servers.smtp import Act, Script, SmtpServer, Stage, close, nth, reset, say, silence

from dispatch.mailing.smtp_opening import Opening
from dispatch.mailing.transport import End

PASSWORD = "tr0ub4dor&3"
USERS = {"desk@example.com": PASSWORD}
LOGIN = f"desk%40example.com:{PASSWORD.replace('&', '%26')}@"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server()


def url(server: SmtpServer, scheme: str = "smtp+starttls", login: str = "") -> str:
    return f"{scheme}://{login}127.0.0.1:{server.port}"


def ca(authority: Authority) -> str:
    return f"ca={authority.pem}"


# Encryption ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize("more", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")])
def test_encrypted_copies_arrive(
    authority: Authority, tls: ssl.SSLContext, scheme: str, more: tuple[str, ...]
) -> None:
    sent = [copy(key, size=size) for key, size in enumerate((0, 30_000, 400_000, 0), start=1)]
    script = Script(("SIZE", *more), tls=tls, implicit=scheme == "smtps")
    with SmtpServer(script) as server:
        work, end = send(url(server, scheme), sent, ca(authority))
    assert end == End("finished")
    assert work.kinds == ["accepted"] * 4
    assert [a.data for a in server.accepted] == [c.data for c in sent]
    verbs = server.sessions[0].verbs
    assert verbs[:3] == (["EHLO", "STARTTLS", "EHLO"] if scheme != "smtps" else verbs[:3])
    assert server.sessions[0].encrypted
    assert server.violations == []


STRIPPED: list[tuple[dict[Stage, Act], str]] = [
    ({"EHLO": say("250-relay.example.org", "250 PIPELINING")}, "does not offer STARTTLS"),
    ({"EHLO": say("250-relay.example.org", "250 XXXXXXXX")}, "does not offer STARTTLS"),
    ({"EHLO": say("502 5.5.1 what?")}, "has no STARTTLS, which is required: 502 5.5.1 what?"),
    ({"STARTTLS": say("454 4.7.0 not now")}, "refused STARTTLS"),
    ({"STARTTLS": say("502 5.5.1 never heard of")}, "refused STARTTLS"),
    ({"STARTTLS": say("250 2.0.0 as you like")}, "refused STARTTLS"),
    ({"STARTTLS": say("220 go", "250 ok")}, ""),
    ({"STARTTLS": Act(b"220 go\r\n250-SIZE\r\n250 AUTH PLAIN LO")}, ""),
    ({"STARTTLS": Act(b"220 go\r\n2")}, ""),
    ({"STARTTLS": say("220 go", then="close")}, "while encryption was agreed on"),
    ({"STARTTLS": say("220 go", then="reset")}, "while encryption was agreed on"),
    ({"STARTTLS": say("220 go", then="silence")}, "while encryption was agreed on"),
]  # fmt: skip


@pytest.mark.parametrize(("at", "said"), STRIPPED)
def test_nothing_is_said_without_the_encryption_that_is_required(
    authority: Authority, tls: ssl.SSLContext, at: dict[Stage, Act], said: str
) -> None:
    with SmtpServer(Script(at=at, tls=tls, users=USERS)) as server:
        work, end = send(url(server, login=LOGIN), copies(1), ca(authority), "timeout=0.4")
        session = server.sessions[0]
    assert end.kind == "tls" or "broke the protocol" in end.sentence
    assert said in end.sentence
    assert work.taken == []
    assert set(session.verbs) <= {"EHLO", "STARTTLS"}
    assert not session.encrypted
    assert PASSWORD not in end.sentence


def test_plaintext_before_the_handshake_is_not_believed(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    """Who sits in between adds an answer in clear, to be taken for the first encrypted one."""
    injected = Act(b"220 go\r\n250-relay.example.org\r\n250 AUTH PLAIN\r\n")
    with SmtpServer(Script(at={"STARTTLS": injected}, tls=tls)) as server:
        work, end = send(url(server, login=LOGIN), copies(1), ca(authority))
    assert end.kind in ("tls", "down")
    assert work.taken == []
    assert server.sessions[0].verbs == ["EHLO", "STARTTLS"]


def test_a_plaintext_greeting_of_an_encrypted_relay_is_not_believed(authority: Authority) -> None:
    with SmtpServer() as server:  # no encryption at all
        work, end = send(url(server, "smtps"), copies(1), ca(authority), "timeout=2")
    assert end.kind == "tls"
    assert work.taken == []
    assert "MAIL" not in server.sessions[0].verbs


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("another host", "127.0.0.1"),
        ("expired", "has expired"),
        ("unknown authority", "unable to get local issuer certificate"),
    ],
)
def test_a_relay_that_cannot_prove_its_name_gets_nothing(
    authority: Authority, tmp_path: Path, scheme: str, fault: str, said: str
) -> None:
    certificate = {
        "another host": lambda: authority.server("mail.example.net"),
        "expired": lambda: authority.server(expired=True),
        "unknown authority": lambda: Authority(tmp_path).server(),
    }[fault]()
    script = Script(tls=certificate, implicit=scheme == "smtps", users=USERS)
    with SmtpServer(script) as server:
        work, end = send(url(server, scheme, LOGIN), copies(1), ca(authority))
        lines = [line for session in server.sessions for line in session.verbs]
    assert end.kind == "tls"
    assert "has a certificate that cannot be trusted" in end.sentence
    assert said in end.sentence
    assert work.taken == []
    assert set(lines) <= {"EHLO", "STARTTLS"}


def test_without_a_file_of_authorities_the_systems_are_asked(tls: ssl.SSLContext) -> None:
    with SmtpServer(Script(tls=tls)) as server:
        _, end = send(url(server), copies(1))
    assert end.kind == "tls"


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_of_authorities_that_cannot_be_read(
    tls: ssl.SSLContext, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with SmtpServer(Script(tls=tls)) as server:
        _, end = send(url(server), copies(1), f"ca={path}")
    assert end.kind == "tls"
    assert f"{path} holds no certificates that can be read" in end.sentence


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    old = authority.server()
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with SmtpServer(Script(tls=old)) as server:
        work, end = send(url(server), copies(1), ca(authority))
    assert (end.kind, work.taken) == ("tls", [])


@pytest.mark.parametrize("act", [reset(), close(), silence()])
def test_faults_are_told_apart_when_encrypted_as_well(
    authority: Authority, tls: ssl.SSLContext, act: Act
) -> None:
    large = [copy(1), copy(2, size=6_000_000)]
    for stage, kind in (("MAIL", "unsent"), (".", "in_doubt")):
        script = Script(tls=tls, at={stage: nth(2, act)})  # type: ignore[dict-item]
        with SmtpServer(script) as server:
            work, end = send(url(server), copies(2), ca(authority), "timeout=0.5")
        assert (work.kinds, end.kind) == (["accepted", kind], "down")
    if act.then != "silence":
        with SmtpServer(Script(tls=tls, at={"body": nth(2, act)}, receive_buffer=4096)) as server:
            work, _ = send(url(server), large, ca(authority), "timeout=5")
        assert work.kinds == ["accepted", "unsent"]


# Log-in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
@pytest.mark.parametrize(
    ("mechanisms", "option", "used"),
    [
        (("PLAIN", "LOGIN", "XOAUTH2"), "", "PLAIN"),
        (("LOGIN", "CRAM-MD5"), "", "LOGIN"),
        (("PLAIN", "LOGIN"), "auth=login", "LOGIN"),
        (("PLAIN", "XOAUTH2"), "auth=xoauth2", "XOAUTH2"),
    ],
)
def test_it_logs_in_by_what_is_offered(
    authority: Authority,
    tls: ssl.SSLContext,
    scheme: str,
    mechanisms: tuple[str, ...],
    option: str,
    used: str,
) -> None:
    script = Script(
        tls=None if scheme == "smtp" else tls,
        implicit=scheme == "smtps",
        users=USERS,
        mechanisms=mechanisms,
    )
    with SmtpServer(script) as server:
        work, end = send(url(server, scheme, LOGIN), copies(2), ca(authority), option)
    session = server.sessions[0]
    assert (work.kinds, end) == (["accepted"] * 2, End("finished"))
    assert session.user == "desk@example.com"
    assert [line.split()[1] for line in session.lines if line.startswith("AUTH")] == [used]


def test_the_old_way_to_offer_a_log_in_is_understood() -> None:
    offers = say("250-relay.example.org", "250 AUTH=LOGIN")
    with SmtpServer(Script(at={"EHLO": offers}, users=USERS)) as server:
        work, _ = send(url(server, "smtp", LOGIN), copies(1))
    assert work.kinds == ["accepted"]


def test_who_needs_no_log_in_does_not_try() -> None:
    with SmtpServer(Script(("AUTH PLAIN",))) as server:
        send(server.url, copies(1))
    assert "AUTH" not in server.sessions[0].verbs


ENCODED = base64.b64encode(f"\0desk@example.com\0{PASSWORD}".encode()).decode()
REFUSED = [
    # answer                                   end     said
    ("535 5.7.8 wrong", "auth", "does not accept the user or password: 535 5.7.8 wrong"),
    ("534 5.7.9 too weak", "auth", "does not accept the user or password: 534 5.7.9 too weak"),
    ("454 4.7.0 try later", "down", "cannot check the password at present: 454 4.7.0 try later"),
    ("421 4.3.2 bye", "down", "takes no mail at present: 421 4.3.2 bye"),
    ("334 more", "down", "broke the protocol"),
    ("250 ok", "down", "broke the protocol"),
    (f"535 not {PASSWORD}", "auth", "535 not …"),
    (f"535 not {ENCODED} of desk@example.com", "auth", "535 not … of …"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "said"), REFUSED)
def test_a_log_in_that_fails(answer: str, kind: str, said: str) -> None:
    with SmtpServer(Script(at={"AUTH": say(answer)}, users=USERS)) as server:
        work, end = send(url(server, "smtp", LOGIN), copies(1))
    assert end.kind == kind
    assert said in end.sentence
    assert PASSWORD not in end.sentence
    assert ENCODED not in end.sentence
    assert work.taken == []
    assert "MAIL" not in server.sessions[0].verbs


@pytest.mark.parametrize("mechanism", ["plain", "login", "xoauth2"])
def test_a_wrong_password_is_tried_once(mechanism: str) -> None:
    with SmtpServer(Script(users={"desk@example.com": "another"})) as server:
        work, end = send(url(server, "smtp", LOGIN), copies(1), f"auth={mechanism}")
    assert end.kind == "auth"
    assert "535 5.7.8" in end.sentence
    assert server.sessions[0].verbs.count("AUTH") == 1
    assert work.taken == []


@pytest.mark.parametrize(
    ("script", "option", "said"),
    [
        (Script(), "", "does not offer to log in; it may when encrypted"),
        (
            Script(users=USERS, mechanisms=("CRAM-MD5",)),
            "",
            "log in by CRAM-MD5, not PLAIN or LOGIN",
        ),
        (Script(users=USERS, mechanisms=("PLAIN",)), "auth=xoauth2", "by PLAIN, not XOAUTH2"),
        (Script(at={"EHLO": say("500 what?")}), "", "has no way to log in"),
    ],
)
def test_a_log_in_that_is_not_offered(script: Script, option: str, said: str) -> None:
    with SmtpServer(script) as server:
        work, end = send(url(server, "smtp", LOGIN), copies(1), option)
    assert end.kind == "auth"
    assert said in end.sentence
    assert set(server.sessions[0].verbs) == {"EHLO"}
    assert work.taken == []


def test_a_log_in_that_is_offered_only_when_encrypted(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    with SmtpServer(Script(tls=tls, users=USERS)) as server:
        _, end = send(url(server, "smtp", LOGIN), copies(1))
        assert end.kind == "auth"
        assert "write smtp+starttls://" in end.sentence
        work, _ = send(url(server, login=LOGIN), copies(1), ca(authority))
    assert work.kinds == ["accepted"]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_password_does_not_go_over_a_network_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    """The relay is here; that it was elsewhere is all that is made up."""
    monkeypatch.setattr(Opening, "_at_home", lambda _self: False)
    with SmtpServer(Script(users=USERS)) as server:
        option = ("cleartext-auth=yes",) if allowed else ()
        work, end = send(url(server, "smtp", LOGIN), copies(1), *option)
    if allowed:
        assert work.kinds == ["accepted"]
    else:
        assert end.kind == "auth"
        assert "would be sent in the clear" in end.sentence
        assert "cleartext-auth=yes" in end.sentence
        assert server.sessions[0].verbs == ["EHLO"]


def test_a_wiretap_hears_no_password_and_no_message(
    authority: Authority, tls: ssl.SSLContext
) -> None:
    work = Copies([copy(1, "Strictly confidential.")])
    with (
        SmtpServer(Script(tls=tls, users=USERS)) as server,
        DelayProxy(server.port, 0) as wiretap,
    ):
        send(f"smtp+starttls://{LOGIN}127.0.0.1:{wiretap.port}", work, ca(authority))
    assert work.kinds == ["accepted"]
    assert b"STARTTLS" in wiretap.heard
    for secret in ("confidential", "MAIL FROM", "AUTH", PASSWORD, ENCODED):
        assert secret.encode() not in wiretap.heard
