"""Amazon SES, by way of SNS: messages signed with a certificate that is fetched from Amazon.

The certificate's address comes with the message. It is only fetched from SNS'
own hosts, over HTTPS, and only for a topic that the settings name.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dispatch.mailing.bounces.severity import Severity
from dispatch.newsroom.provider_events import ProviderEvent
from dispatch.settings import Settings
from dispatch.web.webhooks.fetching import fetch
from dispatch.web.webhooks.reception import Message, Provider, decoded, text

if TYPE_CHECKING:  # imported where it is used: 7 MB that a site without this webhook is spared
    from cryptography.x509 import Certificate

_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]{4,30}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[\w-]{1,80}\.pem",
    re.ASCII,
)
_TOPIC = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{4,30}):\d{1,20}:[\w.-]{1,256}", re.ASCII
)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
"""What is signed of each kind of message, in this order, where it is there."""
_OLDEST = timedelta(days=2)
_TOO_EARLY = timedelta(minutes=15)
_MOST_CERTIFICATES = 20


class Ses:
    """What is known of Amazon's certificates.

    Args:
        fetch: gets what stands at an address of Amazon's.
    """

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._certificates: dict[str, Certificate] = {}

    def authentic(self, message: Message, settings: Settings, now: datetime) -> bool:
        """Whether SNS signed it, of a topic that the settings name.

        Raises:
            FetchError: the certificate cannot be had now.
        """
        try:
            said = decoded(message.body)
            return said["TopicArn"] in settings.ses_topics and self._signed(said, now)
        except (ValueError, TypeError, LookupError, AttributeError):
            return False

    def events(self, message: Message) -> list[ProviderEvent]:
        """What an authentic message tells; a new subscription of a topic is confirmed.

        Raises:
            FetchError: Amazon cannot be reached to confirm it.
        """
        said = decoded(message.body)
        if said["Type"] == "SubscriptionConfirmation":
            self._fetch(_confirmation(said["TopicArn"], said["Token"]))
            return []
        return _events(text(said["Message"]))

    def _signed(self, said: dict[str, str], now: datetime) -> bool:
        made = datetime.fromisoformat(said["Timestamp"])
        if not now - _OLDEST <= made <= now + _TOO_EARLY:
            return False
        names = [name for name in _SIGNED[said["Type"]] if said.get(name) is not None]
        signed = "".join(f"{name}\n{said[name]}\n" for name in names)
        certificate = self._certificate(said["SigningCertURL"])
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            return False
        return _is_signature(certificate, said, signed.encode())

    def _certificate(self, url: str) -> Certificate:
        if not _CERTIFICATE.fullmatch(url):
            raise ValueError("not Amazon's")
        if url not in self._certificates:
            if len(self._certificates) >= _MOST_CERTIFICATES:
                self._certificates.clear()
            from cryptography.x509 import load_pem_x509_certificate

            self._certificates[url] = load_pem_x509_certificate(self._fetch(url))
        return self._certificates[url]


def _is_signature(certificate: Certificate, said: dict[str, str], signed: bytes) -> bool:
    """Whether the message's signature is one of ``signed``, by the certificate's key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256

    key = certificate.public_key()
    hash_ = {"1": SHA1, "2": SHA256}[said["SignatureVersion"]]()
    signature = b64decode(said["Signature"], validate=True)
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, PKCS1v15(), hash_)
    except InvalidSignature:
        return False
    return True


def _confirmation(topic: str, token: str) -> str:
    """Where a subscription is confirmed: made of the topic, not taken from the message."""
    found = _TOPIC.fullmatch(topic)
    if not found:
        raise ValueError("not a topic")
    end = ".cn" if found[1] == "aws-cn" else ""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic, "Token": token})
    return f"https://sns.{found[2]}.amazonaws.com{end}/?{query}"


def _events(told: str) -> list[ProviderEvent]:
    """What SES tells within a message of SNS."""
    try:
        said = decoded(told.encode())
    except ValueError:
        return []  # the sentence with which SES tries a new topic
    mail = said.get("mail") or {}
    match said.get("eventType") or said.get("notificationType"):
        case "Bounce":
            return _bounces(said["bounce"], mail)
        case "Complaint":
            return _complaints(said["complaint"], mail)
    return []


def _complaints(complaint: dict[str, Any], mail: dict[str, Any]) -> list[ProviderEvent]:
    if complaint.get("complaintSubType") == "OnAccountSuppressionList":
        return []  # nobody complained: SES did not send it, because of an earlier complaint
    return [
        ProviderEvent(
            f"{complaint.get('feedbackId')} {who['emailAddress']}",
            "complaint",
            text(who["emailAddress"]),
            text(mail.get("source")),
        )
        for who in complaint["complainedRecipients"]
    ]


def _bounces(bounce: dict[str, Any], mail: dict[str, Any]) -> list[ProviderEvent]:
    judged: Severity = "hard" if bounce.get("bounceType") == "Permanent" else "soft"
    return [
        ProviderEvent(
            f"{bounce.get('feedbackId')} {who['emailAddress']}",
            "bounce",
            text(who["emailAddress"]),
            text(mail.get("source")),
            text(who.get("status")),
            text(who.get("diagnosticCode")) or text(bounce.get("bounceSubType")),
            judged,
        )
        for who in bounce["bouncedRecipients"]
    ]


def provider(ses: Ses) -> Provider:
    """Amazon SES as a provider."""
    return Provider("ses", lambda settings: bool(settings.ses_topics), ses.authentic, ses.events)


PROVIDER = provider(Ses(fetch))
