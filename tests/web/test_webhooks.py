"""Webhooks of mail providers: whom they are believed from, and what follows from them once."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.newsroom.desk_room import Newsroom

from dispatch.newsroom import mailings, sending, subscribers
from dispatch.settings import Settings
from dispatch.web.app import create
from dispatch.web.site import Site
from dispatch.web.webhooks import mailgun, mailjet, postmark, sendgrid, ses, sparkpost
from dispatch.web.webhooks.fetching import FetchError, fetch
from dispatch.web.webhooks.reception import MOST, Message, receiver

LOGIN = "dispatch:a long password"
BASIC = {"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()}
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
MAILGUN_KEY = "an-invented-signing-key"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:dispatch-bounces"
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)


def public_key() -> str:
    der = SENDGRID_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """A mailing that Ann and Ben have had."""
    newsroom = Newsroom(tmp_path)
    newsroom.settings = replace(
        newsroom.settings,
        site_url="https://news.example.org",
        postmark_webhook=LOGIN,
        sparkpost_webhook=LOGIN,
        mailjet_webhook=LOGIN,
        mailgun_webhook_key=MAILGUN_KEY,
        sendgrid_webhook_key=public_key(),
        ses_topics=(TOPIC,),
        smtp_url=(f"file:{tmp_path / 'mail'}",),
    )
    newsroom.subscribe("ann@example.org")
    newsroom.subscribe("ben@example.org")
    mail(newsroom, "ferry.md", "The Ferry Is Back")
    return newsroom


def mail(newsroom: Newsroom, name: str, headline: str) -> None:
    plan = newsroom.make(newsroom.article(name, headline))
    sending.send(newsroom.out, plan.mailing, newsroom.settings, sending.Follower())


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[TestClient]:
    site = Site(newsroom.out, newsroom.settings)
    with TestClient(create(site), base_url="https://news.example.org") as client:
        yield client


def state(newsroom: Newsroom, email: str) -> str:
    profile = subscribers.show(email, newsroom.out, datetime.now(UTC))
    return profile.subscriptions[0].row.state


def counted(newsroom: Newsroom) -> dict[str, int]:
    return {k: v for k, v in mailings.show(newsroom.out, 1).counts.items() if v}


# Each provider: how it says things, as its documentation does ------------------------------------


def postmark_says(kind: str, email: str) -> dict[str, object]:
    if kind == "unsubscribe":
        return {
            "RecordType": "SubscriptionChange", "MessageID": "m-1", "Recipient": email,
            "ChangedAt": "2026-10-09T10:00:00Z", "SuppressSending": True, "Origin": "Recipient",
            "SuppressionReason": "ManualSuppression",
        }  # fmt: skip
    return {
        "RecordType": "SpamComplaint" if kind == "complaint" else "Bounce",
        "Type": {"hard": "HardBounce", "soft": "SoftBounce", "complaint": "SpamComplaint"}[kind],
        "ID": 692560173, "MessageID": "m-1", "Email": email,
        "Details": "smtp;550 5.1.1 The account does not exist" if kind == "hard" else "Full",
    }  # fmt: skip


def sparkpost_says(kind: str, email: str) -> list[dict[str, object]]:
    event: dict[str, object] = {"event_id": "92356927693813856", "raw_rcpt_to": email}
    if kind == "complaint":
        return [{"msys": {"message_event": {**event, "type": "spam_complaint"}}}]
    if kind == "unsubscribe":
        return [{"msys": {"unsubscribe_event": {**event, "type": "list_unsubscribe"}}}]
    bounced = {
        "type": "bounce",
        "bounce_class": "10" if kind == "hard" else "22",
        "raw_reason": "550 no such user" if kind == "hard" else "452 mailbox full",
    }
    return [{"msys": {"message_event": {**event, **bounced}}}, {"msys": {}}]


def mailjet_says(kind: str, email: str) -> list[dict[str, object]]:
    event: dict[str, object] = {"time": 1791532800, "MessageID": 13792286917004336, "email": email}
    if kind == "complaint":
        return [{**event, "event": "spam", "source": "JMRPP"}]
    if kind == "unsubscribe":
        return [{**event, "event": "unsub", "mj_list_id": 1}]
    hard = kind == "hard"
    error = {"error": "user unknown" if hard else "quota exceeded", "error_related_to": "mailbox"}
    return [{**event, "event": "bounce", "blocked": False, "hard_bounce": hard, **error}]


def mailgun_says(kind: str, email: str) -> dict[str, object]:
    time, token = str(int(datetime.now(UTC).timestamp())), "0" * 50
    signature = hmac.digest(MAILGUN_KEY.encode(), f"{time}{token}".encode(), "sha256").hex()
    event: dict[str, object] = {
        "id": "G9Bn5sl1TC6nu79C8C0bwg", "timestamp": 1791532800.9, "recipient": email,
        "event": {"complaint": "complained", "unsubscribe": "unsubscribed"}.get(kind, "failed"),
    }  # fmt: skip
    if kind == "hard":
        status = {"code": 550, "enhanced-code": "5.1.1", "message": "No such user"}
        event |= {"severity": "permanent", "reason": "bounce", "delivery-status": status}
    if kind == "soft":
        status = {"code": 552, "enhanced-code": "5.2.2", "message": "Mailbox full"}
        event |= {"severity": "permanent", "reason": "generic", "delivery-status": status}
    signed = {"timestamp": time, "token": token, "signature": signature}
    return {"signature": signed, "event-data": event}


def sendgrid_says(kind: str, email: str) -> list[dict[str, object]]:
    event: dict[str, object] = {"email": email, "sg_event_id": "c21hbGwg", "timestamp": 1791532800}
    if kind == "complaint":
        return [{**event, "event": "spamreport"}]
    if kind == "unsubscribe":
        return [{**event, "event": "unsubscribe"}]
    hard = kind == "hard"
    return [
        {
            **event,
            "event": "bounce",
            "type": "bounce" if hard else "blocked",
            "status": "5.1.1" if hard else "5.7.1",
            "reason": "550 unknown" if hard else "554 blocked",
        },
        {**event, "sg_event_id": "other", "event": "delivered", "response": "250 OK"},
    ]


def ses_says(kind: str, email: str) -> dict[str, object]:
    mail = {"messageId": "0100", "source": "world@example.org", "destination": [email]}
    if kind == "complaint":
        return {
            "notificationType": "Complaint",
            "mail": mail,
            "complaint": {"feedbackId": "f-1", "complainedRecipients": [{"emailAddress": email}]},
        }
    who = {"emailAddress": email, "action": "failed"}
    if kind == "hard":
        who |= {"status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    bounce = {
        "feedbackId": "f-1",
        "bounceType": "Permanent" if kind == "hard" else "Transient",
        "bounceSubType": "General" if kind == "hard" else "MailboxFull",
        "bouncedRecipients": [who],
    }
    return {"eventType": "Bounce", "mail": mail, "bounce": bounce}


def send(client: TestClient, provider: str, said: object) -> int:
    """The provider sends what it says, as it does; returns the answer's status."""
    body = json.dumps(said).encode()
    headers = {"Content-Type": "application/json"}
    if provider == "sendgrid":
        time = str(int(datetime.now(UTC).timestamp()))
        signature = SENDGRID_KEY.sign(time.encode() + body, ec.ECDSA(SHA256()))
        headers |= {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": time,
        }
    elif provider != "mailgun":
        headers |= BASIC
    return client.post(f"/webhooks/{provider}", content=body, headers=headers).status_code


SAYS: dict[str, Callable[[str, str], object]] = {
    "postmark": postmark_says,
    "sparkpost": sparkpost_says,
    "mailjet": mailjet_says,
    "mailgun": mailgun_says,
    "sendgrid": sendgrid_says,
}


@pytest.mark.parametrize("provider", SAYS)
@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("hard", "bounced"),
        ("soft", "active"),
        ("complaint", "complained"),
        ("unsubscribe", "unsubscribed"),
    ],
)
def test_what_a_provider_tells_is_acted_on_once(
    client: TestClient, newsroom: Newsroom, provider: str, kind: str, after: str
) -> None:
    said = SAYS[provider](kind, "Ann@Example.org")
    for _ in range(3):  # providers send again what they have no answer to
        assert send(client, provider, said) == 204
    assert state(newsroom, "ann@example.org") == after
    assert state(newsroom, "ben@example.org") == "active"
    bounced = {"hard": 1, "soft": 1}.get(kind, 0)
    assert counted(newsroom).get("bounced", 0) == bounced
    assert sum(counted(newsroom).values()) == 2


@pytest.mark.parametrize("provider", SAYS)
def test_who_cannot_show_that_they_are_the_provider_is_refused(
    client: TestClient, newsroom: Newsroom, provider: str
) -> None:
    said = SAYS[provider]("hard", "ann@example.org")
    if provider == "mailgun":
        said["signature"]["signature"] = "0" * 64  # type: ignore[index]
    body = json.dumps(said).encode()
    stale = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(b"no").decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1791532800",
    }
    for headers in (
        {},
        {"Authorization": "Basic ZGlzcGF0Y2g6d3Jvbmc="},
        {"Authorization": "Basic é"},
        {"Authorization": "Bearer " + LOGIN},
        stale,
    ):
        encoded = {name: value.encode() for name, value in headers.items()}
        answer = client.post(f"/webhooks/{provider}", content=body, headers=encoded)
        assert answer.status_code == 401
    assert state(newsroom, "ann@example.org") == "active"


@pytest.mark.parametrize("provider", ["ses", *SAYS])
def test_what_is_not_set_up_does_not_exist(newsroom: Newsroom, provider: str) -> None:
    plain = replace(Settings(), site_url="https://news.example.org")
    with TestClient(
        create(Site(newsroom.out, plain)), base_url="https://news.example.org"
    ) as client:
        assert client.post(f"/webhooks/{provider}", content=b"{}").status_code == 404


def test_an_old_signature_of_mailgun_is_not_believed(client: TestClient) -> None:
    said = mailgun_says("hard", "ann@example.org")
    time = str(int((datetime.now(UTC) - timedelta(days=2)).timestamp()))
    signature = hmac.digest(MAILGUN_KEY.encode(), f"{time}t".encode(), "sha256").hex()
    said["signature"] = {"timestamp": time, "token": "t", "signature": signature}
    assert send(client, "mailgun", said) == 401


def test_an_address_that_had_nothing_from_here_changes_nothing(
    client: TestClient, newsroom: Newsroom
) -> None:
    newsroom.subscribe("new@example.org")
    for email in ("new@example.org", "nobody@example.net", "no address", ""):
        assert send(client, "postmark", postmark_says("complaint", email)) == 204
    assert state(newsroom, "new@example.org") == "active"


def test_our_own_token_in_the_return_path_says_which_copy_it_is(
    client: TestClient, newsroom: Newsroom
) -> None:
    copy = mailings.replay(newsroom.out, 1, "ben@example.org", newsroom.settings, datetime.now(UTC))
    event = {
        "type": "spam_complaint", "event_id": "1", "raw_rcpt_to": "forwarded@example.net",
        "msg_from": copy.sender,
    }  # fmt: skip
    assert send(client, "sparkpost", [{"msys": {"message_event": event}}]) == 204
    assert state(newsroom, "ben@example.org") == "complained"


def test_several_soft_bounces_of_different_mailings_end_it(
    client: TestClient, newsroom: Newsroom
) -> None:
    for number in range(2, 4):
        mail(newsroom, f"ferry{number}.md", f"The Ferry, Day {number}")
    newest = [
        mailings.replay(newsroom.out, n, "ann@example.org", newsroom.settings, datetime.now(UTC))
        for n in (1, 2, 3)
    ]
    for number, copy in enumerate(newest):
        assert state(newsroom, "ann@example.org") == "active"
        event = {
            "type": "bounce", "event_id": str(number), "raw_rcpt_to": "ann@example.org",
            "msg_from": copy.sender, "bounce_class": "22", "raw_reason": "452 4.2.2 full",
        }  # fmt: skip
        assert send(client, "sparkpost", [{"msys": {"message_event": event}}]) == 204
    assert state(newsroom, "ann@example.org") == "bounced"


def test_a_batch_of_thousands_is_taken(client: TestClient, newsroom: Newsroom) -> None:
    batch = [
        event for n in range(2000) for event in sparkpost_says("hard", f"nobody{n}@example.net")
    ]
    assert send(client, "sparkpost", batch + sparkpost_says("hard", "ann@example.org")) == 204
    assert state(newsroom, "ann@example.org") == "bounced"


def test_a_body_that_is_too_long_is_refused(client: TestClient) -> None:
    answer = client.post("/webhooks/postmark", content=b" " * (MOST + 1), headers=BASIC)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"{}", b"[[]]", b"[1]", b"null", b'{"RecordType": 5}', b"[" * 100_000]
)
@pytest.mark.parametrize("provider", ["postmark", "sparkpost", "mailjet"])
def test_rubbish_is_refused_in_a_sentence(client: TestClient, provider: str, body: bytes) -> None:
    answer = client.post(f"/webhooks/{provider}", content=body, headers=BASIC)
    assert answer.status_code in (204, 400)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "msys",
                    "event",
                    "event-data",
                    "RecordType",
                    "type",
                    "email",
                    "mail",
                    "bounce",
                    "ID",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_whatever_json_comes_it_tells_events_or_has_another_form(said: object) -> None:
    message = Message({}, json.dumps(said).encode())
    for module in (mailgun, mailjet, postmark, sendgrid, sparkpost, ses):
        try:
            events = module.PROVIDER.events(message)
        except (ValueError, TypeError, LookupError, AttributeError):
            continue
        assert isinstance(events, list)


# Amazon ------------------------------------------------------------------------------------------


class Amazon:
    """SNS, with a certificate of its own; remembers what was fetched."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        now = datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)
        self.fetched: list[str] = []
        self.down = False

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.down:
            raise FetchError("down")
        return self.pem

    def message(self, said: object, kind: str = "Notification", **changes: str) -> dict[str, str]:
        """A message of SNS with ``said`` in it, signed; ``changes`` are made after that."""
        message = {
            "Type": kind,
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Message": said if isinstance(said, str) else json.dumps(said),
            "Timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
        }
        if kind == "SubscriptionConfirmation":
            message |= {"Token": "a/token&x", "SubscribeURL": "https://evil.example/"}
        message |= {k: v for k, v in changes.items() if k == "SignatureVersion"}
        names = sorted(set(message) - {"SignatureVersion", "SigningCertURL"})
        signed = "".join(f"{name}\n{message[name]}\n" for name in names)
        hash_ = SHA1() if message["SignatureVersion"] == "1" else SHA256()
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hash_)
        return {**message, "Signature": base64.b64encode(signature).decode(), **changes}


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
def listener(newsroom: Newsroom, amazon: Amazon) -> Iterator[TestClient]:
    """A site that fetches from that Amazon."""
    site = Site(newsroom.out, newsroom.settings)
    handler = receiver(ses.provider(ses.Ses(amazon.fetch)))
    app = Starlette(routes=[Route("/webhooks/ses", handler, methods=["POST"])])
    app.state.site = site
    with TestClient(app) as client:
        yield client
    site.close()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    ("kind", "after"), [("hard", "bounced"), ("soft", "active"), ("complaint", "complained")]
)
def test_amazon_is_believed_by_its_signature(
    listener: TestClient,
    newsroom: Newsroom,
    amazon: Amazon,
    version: str,
    kind: str,
    after: str,
) -> None:
    message = amazon.message(ses_says(kind, "ann@example.org"), SignatureVersion=version)
    for _ in range(2):
        assert listener.post("/webhooks/ses", json=message).status_code == 204
    assert state(newsroom, "ann@example.org") == after
    assert amazon.fetched == [CERTIFICATE_URL]  # once


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": json.dumps(ses_says("hard", "ben@example.org"))},
        {"Signature": "AAAA"},
        {"Signature": "no base64"},
        {"SignatureVersion": "3", "Signature": "AAAA"},
        {"TopicArn": TOPIC + "-of-somebody-else"},
        {"Timestamp": "2020-01-01T00:00:00Z"},
        {"Timestamp": "yesterday"},
        {"Type": "UnsubscribeConfirmation"},
        {"Type": "Nonsense"},
    ],
)
def test_a_message_that_amazon_did_not_sign_is_refused(
    listener: TestClient, newsroom: Newsroom, amazon: Amazon, changes: dict[str, str]
) -> None:
    message = {**amazon.message(ses_says("hard", "ann@example.org")), **changes}
    assert listener.post("/webhooks/ses", json=message).status_code == 401
    assert state(newsroom, "ann@example.org") == "active"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem",
        "https://evil.example/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0.pem",
        "https://evil.example/#https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/bucket/../SimpleNotificationService-0.pem",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0.pem\n",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
    ],
)
def test_a_certificate_is_fetched_from_amazon_alone(
    listener: TestClient, amazon: Amazon, url: str
) -> None:
    message = {**amazon.message(ses_says("hard", "ann@example.org")), "SigningCertURL": url}
    assert listener.post("/webhooks/ses", json=message).status_code == 401
    assert amazon.fetched == []


def test_a_stranger_cannot_have_anything_fetched(listener: TestClient, amazon: Amazon) -> None:
    message = {**amazon.message("x"), "TopicArn": "arn:aws:sns:eu-west-1:1:stranger"}
    assert listener.post("/webhooks/ses", json=message).status_code == 401
    assert amazon.fetched == []


def test_a_subscription_is_confirmed_at_amazon_whatever_the_message_says(
    listener: TestClient, amazon: Amazon
) -> None:
    message = amazon.message("You have chosen to subscribe …", "SubscriptionConfirmation")
    assert listener.post("/webhooks/ses", json=message).status_code == 204
    assert amazon.fetched == [
        CERTIFICATE_URL,
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Adispatch-bounces"
        "&Token=a%2Ftoken%26x",
    ]


def test_amazon_is_asked_to_try_again_while_its_certificate_cannot_be_had(
    listener: TestClient, newsroom: Newsroom, amazon: Amazon
) -> None:
    message = amazon.message(ses_says("hard", "ann@example.org"))
    amazon.down = True
    assert listener.post("/webhooks/ses", json=message).status_code == 503
    amazon.down = False
    assert listener.post("/webhooks/ses", json=message).status_code == 204
    assert state(newsroom, "ann@example.org") == "bounced"


def test_the_sentence_with_which_ses_tries_a_topic_is_taken(
    listener: TestClient, amazon: Amazon
) -> None:
    message = amazon.message("Successfully validated SNS topic for Amazon SES event publishing.")
    assert listener.post("/webhooks/ses", json=message).status_code == 204


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "file:///etc/passwd", "https://127.0.0.1:1/"]
)
def test_what_cannot_be_fetched_is_an_error_of_its_own(url: str) -> None:
    with pytest.raises(FetchError):
        fetch(url)
